/**
 * Signatures by ECDSA on P-256 and by Ed25519, on the thread pool on Node. WebCrypto's cost the main thread four times
 * as much for a check of ECDSA, since Node 24 makes DER of its two numbers there, and slowly: each issue checks one and
 * makes one. Workers have the same functions, with plain keys and DER alone.
 *
 * @see RFC 7518 section 3.4, RFC 8037 section 3.1
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { JsonObject } from './canonical.ts';

export type EllipticAlgorithm = 'ES256' | 'EdDSA';

/** What `node:crypto` calls the hash that each is made over: Ed25519 has its own. */
const HASHES = { ES256: 'sha256', EdDSA: null } as const satisfies Record<EllipticAlgorithm, string | null>;

export type Verifies = (signed: Uint8Array, signature: Uint8Array) => Promise<boolean>;
export type Signs = (bytes: Uint8Array) => Promise<Uint8Array>;

/** @param jwk of the algorithm's kind. @returns `null` for what is no key, such as a point off its curve. */
export function verifierOf(jwk: JsonObject, algorithm: EllipticAlgorithm): Verifies | null {
  const key = publicKeyOf(jwk);
  if (key === null) return null;
  return async (signed, signature) => {
    const given = algorithm === 'EdDSA' ? signature : derOf(signature);
    if (given === null) return false;
    return answered<boolean>((answer) => verify(HASHES[algorithm], signed, key, given, answer));
  };
}

function publicKeyOf(jwk: JsonObject): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // Whatever it says of it: nothing is verified with it.
    return null;
  }
}

/** @throws for what is no private key. */
export function signerOf(jwk: JsonObject, algorithm: EllipticAlgorithm): Signs {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return async (bytes) => {
    const made = await answered<Uint8Array>((answer) => sign(HASHES[algorithm], bytes, key, answer));
    return algorithm === 'EdDSA' ? made : plainOf(made);
  };
}

const answered = <T>(ask: (answer: (fault: Error | null, value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    ask((fault, value) => (fault ? reject(fault) : resolve(value)));
  });

/** Of each of the two numbers of a signature on P-256. */
const NUMBER_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const LONGEST_DER = 2 + 2 * (2 + 1 + NUMBER_BYTES);

/** The two numbers side by side, as JWS has them, in the form that OpenSSL takes. @see RFC 3279 section 2.2.3 */
function derOf(signature: Uint8Array): Uint8Array | null {
  if (signature.length !== 2 * NUMBER_BYTES) return null;
  const der = new Uint8Array(LONGEST_DER);
  const middle = putInteger(der, 2, signature.subarray(0, NUMBER_BYTES));
  const end = putInteger(der, middle, signature.subarray(NUMBER_BYTES));
  der[0] = SEQUENCE;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** Without zeros before it, but for one where it would be read as less than nothing. @returns where it ends. */
function putInteger(der: Uint8Array, at: number, number: Uint8Array): number {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = number.subarray(first < 0 ? NUMBER_BYTES - 1 : first);
  const zeros = (digits[0] ?? 0) > 0x7f ? 1 : 0;
  der[at] = INTEGER;
  der[at + 1] = zeros + digits.length;
  der.set(digits, at + 2 + zeros);
  return at + 2 + zeros + digits.length;
}

/** Back again, of what was just signed. */
function plainOf(der: Uint8Array): Uint8Array {
  const plain = new Uint8Array(2 * NUMBER_BYTES);
  let at = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length).slice(-NUMBER_BYTES);
    plain.set(number, end - number.length);
    at += 2 + length;
  }
  return plain;
}
