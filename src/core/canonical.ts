/**
 * JSON with one form only, so that its bytes can be hashed and signed. @see RFC 8785
 */
import canonicalize from 'canonicalize';
import { sha256Hex, utf8 } from './digest.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

export type JsonObject = { readonly [name: string]: Json | undefined };

/** @throws {TypeError} for what JSON cannot say, such as NaN; a fault of ours, since input is parsed before. */
export function canonicalText(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('this value has no canonical JSON');
  return text;
}

export const canonicalBytes = (value: Json): Uint8Array => utf8(canonicalText(value));

/** SHA-256 over the canonical form, in hex. */
export const canonicalDigest = (value: Json): string => sha256Hex(canonicalText(value));
