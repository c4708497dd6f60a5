/**
 * Signatures, held against a public key by WebCrypto: on the thread pool on Node, and the same on Workers. The header
 * has been read by then, so nothing is parsed twice on the way of every issue.
 *
 * @see RFC 7518 section 3, RFC 8037 section 3.1
 */
import type { CryptoKey } from 'jose';
import { utf8 } from '../core/digest.ts';
import type { PublicJwk } from '../core/registers.ts';
import { algorithmsOf, essenceOf } from './jwk.ts';
import type { Algorithm } from './jwk.ts';

const SCHEMES = {
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, check: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { key: { name: 'Ed25519' }, check: { name: 'Ed25519' } },
  RS256: { key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, check: { name: 'RSASSA-PKCS1-v1_5' } },
  // A salt as long as the hash. @see RFC 7518 section 3.5
  PS256: { key: { name: 'RSA-PSS', hash: 'SHA-256' }, check: { name: 'RSA-PSS', saltLength: 32 } },
} as const satisfies Record<Algorithm, unknown>;

/** Imported once for as long as the snapshot or key set lives that holds the JWK: values, no promises. */
const imported = new WeakMap<PublicJwk, Map<Algorithm, CryptoKey>>();

export interface Signed {
  /** The text before the second dot. @see RFC 7515 section 5.2 */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** False, too, for a key of another algorithm, or one that WebCrypto cannot read, such as a point off its curve. */
export async function isSignedWith(
  jwk: PublicJwk,
  algorithm: Algorithm,
  { signed, signature }: Signed,
): Promise<boolean> {
  const key = imported.get(jwk)?.get(algorithm) ?? (await importKey(jwk, algorithm));
  if (key === null) return false;
  return await crypto.subtle.verify(
    SCHEMES[algorithm].check,
    key,
    new Uint8Array(signature),
    new Uint8Array(utf8(signed)),
  );
}

async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<CryptoKey | null> {
  const members = essenceOf(jwk);
  if (members === null || !algorithmsOf(jwk).includes(algorithm)) return null;
  try {
    const key = await crypto.subtle.importKey('jwk', members, SCHEMES[algorithm].key, false, ['verify']);
    const known = imported.get(jwk) ?? new Map<Algorithm, CryptoKey>();
    imported.set(jwk, known.set(algorithm, key));
    return key;
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return null;
    throw error;
  }
}
