/**
 * Public keys as JWK: which are taken, for which algorithms, and by what name.
 */
import { base64url } from 'jose';
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

/** @see NIST SP 800-131A: 2,048 bits, as base64url of 256 bytes. The upper bound keeps one signature affordable. */
const SHORTEST_MODULUS = 342;
const LONGEST_MODULUS = 1366;
/** Each curve's algorithm, and a coordinate's 32, 48 or 66 bytes. @see RFC 7518 sections 3.4 and 6.2.1 */
const CURVES: Readonly<Record<string, { readonly algorithm: Algorithm; readonly coordinate: RegExp }>> = {
  'P-256': { algorithm: 'ES256', coordinate: /^[A-Za-z0-9_-]{43}$/ },
  'P-384': { algorithm: 'ES384', coordinate: /^[A-Za-z0-9_-]{64}$/ },
  'P-521': { algorithm: 'ES512', coordinate: /^[A-Za-z0-9_-]{88}$/ },
};
/** @see RFC 8037 section 2: 32 bytes. */
const ED25519 = /^[A-Za-z0-9_-]{43}$/;
const NUMBER = /^[A-Za-z0-9_-]{1,1366}$/;

interface Essence {
  readonly members: Readonly<Record<string, string>>;
  readonly algorithms: readonly Algorithm[];
}

/** The members that are the key itself, in the order of no importance. @see RFC 7638 section 3.2 */
function essence(jwk: JsonObject): Essence | null {
  const { kty, crv, x, y, n, e } = jwk;
  if (kty === 'EC' && typeof crv === 'string' && Object.hasOwn(CURVES, crv)) return onCurve(crv, x, y);
  if (kty === 'OKP' && crv === 'Ed25519' && matches(ED25519, x))
    return { members: { kty, crv, x }, algorithms: ['EdDSA'] };
  if (kty === 'RSA' && isModulus(n) && typeof e === 'string' && /^[A-Za-z0-9_-]{1,8}$/.test(e)) {
    return { members: { kty, n, e }, algorithms: OF_RSA };
  }
  return null;
}

function onCurve(crv: string, x: unknown, y: unknown): Essence | null {
  const curve = CURVES[crv];
  if (curve === undefined || !matches(curve.coordinate, x) || !matches(curve.coordinate, y)) return null;
  return { members: { kty: 'EC', crv, x, y }, algorithms: [curve.algorithm] };
}

const matches = (form: RegExp, value: unknown): value is string => typeof value === 'string' && form.test(value);

const isModulus = (value: unknown): value is string =>
  typeof value === 'string' &&
  NUMBER.test(value) &&
  value.length >= SHORTEST_MODULUS &&
  value.length <= LONGEST_MODULUS;

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
  if (key === null || algorithmsOf(jwk).length === 0) return refuse('not a key that is taken here', path);
  const named = algorithmNamed(jwk);
  const alg = named === undefined ? {} : { alg: named };
  return ok({ jwk: { ...key.members, ...alg }, thumbprint: thumbprintOf(key.members) });
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** The canonical JSON of the required members is what RFC 7638 section 3 asks for. */
const thumbprintOf = (members: PublicJwk): string => base64url.encode(sha256(canonicalBytes(members)));

const refuse = (what: string, path: string): Result<never> =>
  err(
    failure('invalid_field', `${path} is ${what}`, {
      hint: 'Give the public JWK of a P-256 (ES256), P-384, P-521, Ed25519 (EdDSA) or RSA key of 2,048 to 8,192 bits.',
      path,
    }),
  );
