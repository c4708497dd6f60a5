/**
 * How an agent proves who it is: with a key of its own, or with the token that its platform hands it.
 */
import { importJWK, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { toHex } from '../core/digest.ts';
import type { Random } from '../core/ids.ts';
import { numericDate } from '../core/time.ts';
import type { Clock } from '../core/time.ts';

/** A private JWK of a kind that Brevet takes: Ed25519, P-256, or RSA. */
export type PrivateJwk = Readonly<JWK>;

/** A platform may replace its token at any time, so it is asked for at each use. */
export type WorkloadToken = string | (() => string | Promise<string>);

export type Proof = { readonly key: PrivateJwk } | { readonly workloadToken: WorkloadToken };

/** It is used at once; the rest is for clocks that differ. @see RFC 7523 section 3 */
const LIFETIME_S = 60;

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Gives a fresh client assertion at each call. */
export type Prover = () => Promise<string>;

/** @param audience the tenant's issuer, and nothing else. @see RFC 7523 section 3 */
export function createProver(
  agent: string,
  audience: string,
  proof: Proof,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Prover {
  if ('workloadToken' in proof) {
    const { workloadToken } = proof;
    return async () => (typeof workloadToken === 'string' ? workloadToken : workloadToken());
  }
  const algorithm = algorithmOf(proof.key);
  const { kid } = proof.key;
  let signingKey: CryptoKey | null = null;
  return async () => {
    signingKey ??= await importSigningKey(proof.key, algorithm);
    const now = numericDate(clock());
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, ...(kid === undefined ? {} : { kid }) })
      .setIssuer(agent)
      .setSubject(agent)
      .setAudience(audience)
      .setJti(toHex(random(16)))
      .setIssuedAt(now)
      .setExpirationTime(now + LIFETIME_S)
      .sign(signingKey);
  };
}

async function importSigningKey(jwk: PrivateJwk, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk }, algorithm);
  if (key instanceof Uint8Array) throw new TypeError('the agent key must be a private key, not a shared secret');
  return key;
}

/** @throws {TypeError} for a key that Brevet would not take. The message tells nothing of the key. */
function algorithmOf(jwk: PrivateJwk): string {
  if (jwk.d === undefined) throw new TypeError('the agent key must be a private JWK');
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA';
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256';
  if (jwk.kty === 'RSA') return jwk.alg === 'RS256' ? 'RS256' : 'PS256';
  throw new TypeError('the agent key must be Ed25519, P-256 or RSA');
}
