/**
 * JSON with one form only, so that its bytes can be hashed and signed. @see RFC 8785
 */
import canonicalize from 'canonicalize';
import { sha256Hex, utf8 } from './digest.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

export type JsonObject = { readonly [name: string]: Json | undefined };

/** @throws {TypeError} for what JSON cannot say, such as NaN; a fault of ours, since input is parsed before. */
export function canonicalText(value: Json): string {
  const text = isOrdinary(value) ? JSON.stringify(inOrder(value)) : canonicalize(value);
  if (text === undefined) throw new TypeError('this value has no canonical JSON');
  return text;
}

/**
 * Whether JavaScript's own JSON of it, its members put in order, is the canonical one. Each ledger entry is, and it takes
 * half the time of the library's, which is for whatever else there is: it knows what to refuse.
 */
function isOrdinary(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (isArray(value)) return value.every(isOrdinary);
  return (
    typeof value['toJSON'] !== 'function' &&
    Object.keys(value).every((name) => isOrdinaryName(name) && isOrdinary(value[name]))
  );
}

/** Members called by a number stand first in an object, whatever their order, and one is its prototype. */
const isOrdinaryName = (name: string): boolean =>
  !(name >= '0' && name < ':') && name !== '__proto__' && name.isWellFormed();

function inOrder(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map((one) => inOrder(one) ?? null);
  const ordered: Record<string, Json | undefined> = {};
  for (const name of namesInOrder(value)) ordered[name] = inOrder(value[name]);
  return ordered;
}

/** More than any object of ours has by itself. */
const FEW = 32;

/** By their UTF-16 units, as `sort` has them: which makes copies on the way, at more than what a few names take. */
function namesInOrder(value: JsonObject): string[] {
  const names = Object.keys(value);
  if (names.length > FEW) return names.toSorted();
  for (const [from, name] of names.entries()) {
    let at = from;
    for (let before = names[at - 1]; before !== undefined && before > name; before = names[at - 1]) {
      names[at] = before;
      at -= 1;
    }
    names[at] = name;
  }
  return names;
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

export const canonicalBytes = (value: Json): Uint8Array => utf8(canonicalText(value));

/** SHA-256 over the canonical form, in hex. */
export const canonicalDigest = (value: Json): string => sha256Hex(canonicalText(value));
