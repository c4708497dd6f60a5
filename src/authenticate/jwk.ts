/**
 * Public keys as JWK: which are taken, for which algorithms, and by what name.
 */
import { fromBase64url, toBase64url } from '../core/base64url.ts';
import { canonicalBytes } from '../core/canonical.ts';
import type { JsonObject } from '../core/canonical.ts';
import { sha256 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import type { PublicJwk } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';

const OF_RSA = ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'] as const;
/**
 * Asymmetric, and no others: a public key never verifies an HMAC. An issuer chooses its own, so all are taken that
 * JWT-SVIDs may have, and Ed25519. @see RFC 8725 section 3.1, SPIFFE JWT-SVID section 2.1
 */
export const ALGORITHMS = ['ES256', 'EdDSA', 'ES384', 'ES512', ...OF_RSA] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Of those, what agents and targets sign assertions by: their keys are made for Brevet, and four are enough. */
export const CLIENT_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const satisfies readonly Algorithm[];

export const isClientAlgorithm = (algorithm: Algorithm): boolean =>
  CLIENT_ALGORITHMS.some((taken) => taken === algorithm);

/** @see NIST SP 800-131A: 2,048 bits. The upper bound keeps one signature affordable. */
const SHORTEST_MODULUS = 256;
const LONGEST_MODULUS = 1_024;
/** The longest number that is read at all: a modulus with some zeros before it. */
const NUMBER = /^[A-Za-z0-9_-]{1,1372}$/;
/** Of an exponent, which is 65,537 nearly everywhere. */
const LONGEST_EXPONENT = 6;
/** Each curve's algorithm, and a coordinate's bytes. @see RFC 7518 sections 3.4 and 6.2.1 */
const CURVES: Readonly<Record<string, { readonly algorithm: Algorithm; readonly coordinate: number }>> = {
  'P-256': { algorithm: 'ES256', coordinate: 32 },
  'P-384': { algorithm: 'ES384', coordinate: 48 },
  'P-521': { algorithm: 'ES512', coordinate: 66 },
};
/** @see RFC 8037 section 2 */
const ED25519 = 32;

interface Essence {
  readonly members: Readonly<Record<string, string>>;
  readonly algorithms: readonly Algorithm[];
}

/**
 * The members that are the key itself, each as it is written and no other way, so that one key has one thumbprint: the
 * last character may hold bits that say nothing, and a number zeros before it. @see RFC 7638 section 3.2
 */
function essence(jwk: JsonObject): Essence | null {
  const { kty, crv, x, y, n, e } = jwk;
  if (kty === 'EC' && typeof crv === 'string' && Object.hasOwn(CURVES, crv)) return onCurve(crv, x, y);
  if (kty === 'OKP' && crv === 'Ed25519') {
    const point = octets(x, ED25519);
    return point === null ? null : { members: { kty, crv, x: point }, algorithms: ['EdDSA'] };
  }
  if (kty !== 'RSA') return null;
  const [modulus, exponent] = [modulusOf(n), exponentOf(e)];
  return modulus === null || exponent === null
    ? null
    : { members: { kty, n: modulus, e: exponent }, algorithms: OF_RSA };
}

function onCurve(crv: string, x: unknown, y: unknown): Essence | null {
  const curve = CURVES[crv];
  if (curve === undefined) return null;
  const [across, up] = [octets(x, curve.coordinate), octets(y, curve.coordinate)];
  if (across === null || up === null) return null;
  return { members: { kty: 'EC', crv, x: across, y: up }, algorithms: [curve.algorithm] };
}

function octets(value: unknown, length: number): string | null {
  const bytes = bytesOf(value);
  return bytes?.length === length ? toBase64url(bytes) : null;
}

function modulusOf(value: unknown): string | null {
  const bytes = numberOf(value);
  if (bytes === null || bytes.length < SHORTEST_MODULUS || bytes.length > LONGEST_MODULUS) return null;
  return toBase64url(bytes);
}

/** With 1 whatever is signed is its own signature, and an even one is no key's. @see RFC 8017 section 3.1 */
function exponentOf(value: unknown): string | null {
  const bytes = numberOf(value);
  if (bytes === null || bytes.length > LONGEST_EXPONENT) return null;
  const last = bytes.at(-1) ?? 0;
  return last % 2 === 1 && (bytes.length > 1 || last > 1) ? toBase64url(bytes) : null;
}

/** Without zeros before it. @see RFC 7518 section 2, Base64urlUInt */
function numberOf(value: unknown): Uint8Array | null {
  const bytes = bytesOf(value);
  const first = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  return first < 0 ? null : (bytes?.subarray(first) ?? null);
}

const bytesOf = (value: unknown): Uint8Array | null =>
  typeof value === 'string' && NUMBER.test(value) && value.length % 4 !== 1 ? fromBase64url(value) : null;

/** The members that make the key, without what else a file or a key set said of it. */
export const essenceOf = (jwk: PublicJwk): Readonly<Record<string, string>> | null => essence(jwk)?.members ?? null;

/** Which of ours the key may verify: none, where it is for encryption, private, or of a kind not taken. */
export function algorithmsOf(jwk: PublicJwk): readonly Algorithm[] {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return [];
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return [];
  const fitting = essence(jwk)?.algorithms ?? [];
  const named = algorithmNamed(jwk);
  return named === undefined ? fitting : fitting.filter((algorithm) => algorithm === named);
}

/** One algorithm has two names: WebCrypto exports the newer one. @see RFC 9864 section 2.2 */
const algorithmNamed = ({ alg }: PublicJwk) => (alg === 'Ed25519' ? 'EdDSA' : alg);

export interface EnrolledKey {
  /** The key alone, without what else the file said. */
  readonly jwk: PublicJwk;
  /** @see RFC 7638 */
  readonly thumbprint: string;
}

/** Reads the public key that an administrator enrols for an agent or a target. */
export function parsePublicKey(value: unknown, path = 'jwk'): Result<EnrolledKey> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('not a JWK', path);
  const jwk = value as JsonObject;
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return refuse('not a public key', path);
  const key = essence(jwk);
  if (key === null || !algorithmsOf(jwk).some(isClientAlgorithm)) return refuse('not a key that is taken here', path);
  const named = algorithmNamed(jwk);
  const alg = named === undefined ? {} : { alg: named };
  return ok({ jwk: { ...key.members, ...alg }, thumbprint: thumbprintOf(key.members) });
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** The canonical JSON of the required members is what RFC 7638 section 3 asks for. */
const thumbprintOf = (members: PublicJwk): string => toBase64url(sha256(canonicalBytes(members)));

const refuse = (what: string, path: string): Result<never> =>
  err(
    failure('invalid_field', `${path} is ${what}`, {
      hint: 'Give the public JWK of a P-256 (ES256), Ed25519 (EdDSA) or RSA key of 2,048 to 8,192 bits.',
      path,
    }),
  );
