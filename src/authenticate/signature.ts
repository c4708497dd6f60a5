/**
 * Signatures, held against a public key. The header has been read by then, so nothing is parsed twice on the way of
 * every issue. What workloads' tokens have, and few other, is WebCrypto's: RSA, and the longer curves.
 *
 * @see RFC 7518 section 3, RFC 8037 section 3.1
 */
import { utf8 } from '../core/digest.ts';
import { verifierOf } from '../core/elliptic.ts';
import type { Verifies } from '../core/elliptic.ts';
import type { PublicJwk } from '../core/registers.ts';
import { algorithmsOf, essenceOf } from './jwk.ts';
import type { Algorithm } from './jwk.ts';

const rsa = (bits: 256 | 384 | 512) => ({
  key: { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` },
  check: { name: 'RSASSA-PKCS1-v1_5' },
});
/** A salt as long as the hash. @see RFC 7518 section 3.5 */
const pss = (bits: 256 | 384 | 512) => ({
  key: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  check: { name: 'RSA-PSS', saltLength: bits / 8 },
});
const ecdsa = (namedCurve: string, bits: 384 | 512) => ({
  key: { name: 'ECDSA', namedCurve },
  check: { name: 'ECDSA', hash: `SHA-${bits}` },
});
const BY_WEBCRYPTO = {
  ES384: ecdsa('P-384', 384),
  ES512: ecdsa('P-521', 512),
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: pss(256),
  PS384: pss(384),
  PS512: pss(512),
} as const satisfies Partial<Record<Algorithm, object>>;

/** Imported once for as long as the snapshot or key set lives that holds the JWK: values, no promises. */
const imported = new WeakMap<PublicJwk, Map<Algorithm, Verifies>>();

export interface Signed {
  /** The text before the second dot. @see RFC 7515 section 5.2 */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** False, too, for a key of another algorithm, or one that cannot be read, such as a point off its curve. */
export async function isSignedWith(
  jwk: PublicJwk,
  algorithm: Algorithm,
  { signed, signature }: Signed,
): Promise<boolean> {
  const verifier = imported.get(jwk)?.get(algorithm) ?? (await importKey(jwk, algorithm));
  return verifier !== null && (await verifier(utf8(signed), signature));
}

async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<Verifies | null> {
  const members = essenceOf(jwk);
  if (members === null || !algorithmsOf(jwk).includes(algorithm)) return null;
  const verifier =
    algorithm === 'ES256' || algorithm === 'EdDSA'
      ? verifierOf(members, algorithm)
      : await webVerifierOf(members, algorithm);
  if (verifier === null) return null;
  const known = imported.get(jwk) ?? new Map<Algorithm, Verifies>();
  imported.set(jwk, known.set(algorithm, verifier));
  return verifier;
}

async function webVerifierOf(members: Readonly<Record<string, string>>, algorithm: keyof typeof BY_WEBCRYPTO) {
  const { key: scheme, check } = BY_WEBCRYPTO[algorithm];
  try {
    const key = await crypto.subtle.importKey('jwk', members, scheme, false, ['verify']);
    const verifier: Verifies = (signed, signature) =>
      crypto.subtle.verify(check, key, new Uint8Array(signature), new Uint8Array(signed));
    return verifier;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return null;
    throw error;
  }
}
