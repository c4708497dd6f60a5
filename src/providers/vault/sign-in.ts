/**
 * What Brevet shows a Vault to be let in: the secret of an AppRole, a JWT that somebody gave it, or one that it signs
 * itself, anew each time, with the tenant's own key.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { Random } from '../../core/ids.ts';
import { toHex } from '../../core/digest.ts';
import { tenantIssuer } from '../../core/issuer.ts';
import type { TargetVersion } from '../../core/registers.ts';
import type { Signer } from '../../core/signer.ts';
import { after, numericDate, seconds } from '../../core/time.ts';
import type { Clock } from '../../core/time.ts';
import type { VaultConfig } from './config.ts';
import type { VaultSecrets } from './secret.ts';

/** Who signs in Brevet's name, and under which URL its keys are found. */
export interface Signing {
  readonly signer: Signer;
  /** The deployment's own URL, without a slash at its end. */
  readonly publicUrl: string;
}

/** It is shown once, at once; a Vault adds a minute for clocks that are apart. */
const JWT_LASTS = seconds(60);
const JTI_BYTES = 16;

/** Keeps it out of the place of any other token that the key signs. @see RFC 8725 section 3.11 */
export const SIGN_IN_TYPE = 'vault-sign-in+jwt';

/**
 * No API can be called so, since it is no absolute URI, which every audience of an agent's token is: no agent can hold a
 * token that this Vault takes for Brevet's.
 */
export const audienceOf = ({ cluster_id }: Pick<VaultConfig, 'cluster_id'>): string => `vault/${cluster_id}`;

/** No agent can be called so, since no name has a colon. */
export const subjectOf = ({ name }: Pick<TargetVersion, 'name'>): string => `brevet:${name}`;

/** @throws {ProviderUnavailable} where the target has no secret, and needs one. */
export function signInOf(
  config: VaultConfig,
  secrets: Pick<VaultSecrets, 'signIn'>,
  version: Pick<TargetVersion, 'tenant' | 'name'>,
  { signer, publicUrl, clock, random }: Signing & { readonly clock: Clock; readonly random: Random },
): () => Promise<JsonObject> {
  const { auth } = config;
  if (auth.method === 'approle') {
    return async () => Promise.resolve({ role_id: auth.role_id, secret_id: secrets.signIn().reveal() });
  }
  if (auth.signed_by === 'another') {
    return async () => Promise.resolve({ role: auth.role, jwt: secrets.signIn().reveal() });
  }
  return async () => {
    const now = clock();
    const claims = {
      iss: tenantIssuer(publicUrl, version.tenant),
      sub: subjectOf(version),
      aud: audienceOf(config),
      jti: toHex(random(JTI_BYTES)),
      iat: numericDate(now),
      exp: numericDate(after(now, JWT_LASTS)),
    };
    return { role: auth.role, jwt: await signer.sign(version.tenant, SIGN_IN_TYPE, claims) };
  };
}
