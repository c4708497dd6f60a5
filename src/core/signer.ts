/**
 * The port that signs with a tenant's own key. The private half never leaves it.
 */
import type { JsonObject } from './canonical.ts';
import type { TenantName } from './ids.ts';
import type { PublicJwk } from './registers.ts';

export interface Signer {
  /**
   * @param type the `typ` header, which keeps one kind of token out of another's place. @see RFC 8725 section 3.11
   * @returns a JWT in compact form: a secret, where it is a credential.
   */
  sign(tenant: TenantName, type: string, claims: JsonObject, algorithm?: 'EdDSA' | 'ES256'): Promise<string>;
  /** The tenant's public keys, the signing one first. */
  keys(tenant: TenantName): Promise<readonly PublicJwk[]>;
}
