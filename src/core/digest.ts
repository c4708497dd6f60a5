/**
 * Digests, synchronous: WebCrypto's are not, and cost a thread's hop for each of the many small values of a ledger
 * entry. `node:crypto` is here on Workers too, by `nodejs_compat`; what they load has it here and in `elliptic.ts` alone.
 */
import { createHash, createHmac, hash, pbkdf2Sync } from 'node:crypto';

const text = new TextEncoder();

export const utf8 = (value: string): Uint8Array => text.encode(value);

export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export const hmacSha256 = (key: Uint8Array, bytes: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(bytes).digest();

/** Holds the thread until it is done. @see RFC 8018 section 5.2 */
export const pbkdf2AtOnce = (password: Uint8Array, salt: Uint8Array, rounds: number): Uint8Array =>
  pbkdf2Sync(password, salt, rounds, 32, 'sha256');

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += HEX[byte];
  return hex;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

/** @param value a text stands for its UTF-8. */
export const sha256Hex = (value: string | Uint8Array): string => hash('sha256', value, 'hex');

export interface RunningDigest {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

/** SHA-256 over what comes in pieces. */
export const runningSha256 = (): RunningDigest => createHash('sha256');

/** Takes the same time wherever the two differ; for whatever an attacker could guess byte by byte. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [at, byte] of a.entries()) difference |= byte ^ (b[at] ?? 0);
  return difference === 0;
}
