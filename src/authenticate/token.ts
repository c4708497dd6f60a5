/**
 * JWTs as they come in: taken apart, checked for their kind and their times, and their signatures verified. What was
 * only decoded and what was verified are different types. Pure: no clock and no network.
 */
import { fromBase64url } from '../core/base64url.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { PublicJwk } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { instant } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { seconds } from '../core/time.ts';
import { ALGORITHMS } from './jwk.ts';
import type { Algorithm } from './jwk.ts';
import { isSignedWith } from './signature.ts';
import type { Signed } from './signature.ts';

/** A workload's token with many groups has some 6,000 characters; a header line on most servers ends at 16,384. */
export const LONGEST_TOKEN = 16_384;
/** How long after its end a token is still taken, since another's clock may be behind. */
export const CLOCK_SKEW: Seconds = seconds(10);
/** How far another's clock may be ahead: a token from there gives nothing more than one from here would. */
export const CLOCK_AHEAD: Seconds = seconds(60);
/** Long enough for any UUID or digest; short enough to keep. */
const LONGEST_JTI = 256;

/** Nothing in it may be believed. */
export interface UnverifiedToken extends Signed {
  readonly algorithm: Algorithm;
  readonly kid: string | null;
  /** In lower case; `null` where there is none. */
  readonly type: string | null;
  readonly claims: JsonObject;
}

declare const verified: unique symbol;
/** Signed by the key that it was held against; its claims are that signer's word. */
export interface VerifiedToken {
  readonly [verified]: true;
  readonly claims: JsonObject;
}

/** Why a token was refused, in fixed words. */
export type Why = string;

/** Keys that a token brings itself, and extensions that we would have to understand. @see RFC 8725 section 3.10 */
const FORBIDDEN_HEADERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'];
const PART = /^[A-Za-z0-9_-]+$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns the token taken apart, or why it is none that could be verified here. Never throws. */
export function decodeUnverified(text: unknown): Result<UnverifiedToken, Why> {
  if (typeof text !== 'string' || text.length > LONGEST_TOKEN) return err('not a token, or too long for one');
  const parts = text.split('.');
  const [head = '', body = '', tail = ''] = parts;
  const signature = decodePart(tail);
  if (parts.length !== 3 || signature === null) return err('not a signed JWT in compact form');
  const header = parsePart(head);
  const claims = parsePart(body);
  if (header === null || claims === null) return err('not a JWT of JSON objects');
  return readHeader({ signed: `${head}.${body}`, signature }, header, claims);
}

function readHeader(signed: Signed, header: JsonObject, claims: JsonObject): Result<UnverifiedToken, Why> {
  if (FORBIDDEN_HEADERS.some((name) => Object.hasOwn(header, name))) return err('a header that is not taken here');
  const algorithm = ALGORITHMS.find((name) => name === header['alg']);
  if (algorithm === undefined) return err('an algorithm that is not taken here');
  const { kid, typ } = header;
  if (kid !== undefined && typeof kid !== 'string') return err('a kid that is no string');
  if (typ !== undefined && typeof typ !== 'string') return err('a typ that is no string');
  return ok({ ...signed, algorithm, kid: kid ?? null, type: typ?.toLowerCase() ?? null, claims });
}

function parsePart(part: string): JsonObject | null {
  const bytes = decodePart(part);
  if (bytes === null) return null;
  try {
    const value = JSON.parse(strictUtf8.decode(bytes)) as Json;
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** One character over a multiple of four says nothing. @see RFC 4648 section 5 */
const decodePart = (part: string): Uint8Array | null =>
  PART.test(part) && part.length % 4 !== 1 ? fromBase64url(part) : null;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Of no particular kind, as client assertions and workloads' tokens are: no `typ`, or one that says nothing. A
 * security event, such as a logout token, may bear no type of its own. @see RFC 8417 section 2.2, and for `JOSE`
 * RFC 7515 section 4.1.9 and SPIFFE JWT-SVID section 2.3
 */
export const isPlain = ({ type, claims }: UnverifiedToken): boolean =>
  (type === null || type === 'jwt' || type === 'jose') && !Object.hasOwn(claims, 'events');

/** `null` unless it was signed with this very key, by an algorithm that fits it. */
export async function verifySignature(token: UnverifiedToken, key: PublicJwk): Promise<VerifiedToken | null> {
  const holds = await isSignedWith(key, token.algorithm, token);
  return holds ? ({ claims: token.claims } as VerifiedToken) : null;
}

/** One audience and no other, alone or in an array. @see RFC 7519 section 4.1.3 */
export function isOnlyAudience(claims: JsonObject, audience: string): boolean {
  const { aud } = claims;
  return aud === audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === audience);
}

export interface Times {
  readonly issuedAt: Instant | null;
  readonly expiresAt: Instant;
}

/**
 * `exp` is required and ahead, but for the skew; `iat` and `nbf`, where they stand, are no more ahead than another's clock
 * may be. Any may hold a fraction, of which a millisecond is the least that is kept.
 *
 * @see RFC 7519 section 2, NumericDate
 */
export function readTimes(claims: JsonObject, now: Instant): Result<Times, Why> {
  const { exp, iat, nbf } = claims;
  if (!isDate(exp)) return err('no exp');
  if ([iat, nbf].some((date) => date !== undefined && !isDate(date))) return err('an iat or nbf that is no time');
  if (exp * 1000 <= now - CLOCK_SKEW * 1000) return err('it is over');
  const ahead = [iat, nbf].some((date) => isDate(date) && date * 1000 > now + CLOCK_AHEAD * 1000);
  if (ahead) return err('issued in the future');
  return ok({
    issuedAt: isDate(iat) ? instant(Math.ceil(iat * 1000)) : null,
    expiresAt: instant(Math.ceil(exp * 1000)),
  });
}

const isDate = (value: Json | undefined): value is number =>
  typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER / 1000;

/** The `jti`, where it is one that can be remembered. */
export function readJti(claims: JsonObject): string | null {
  const { jti } = claims;
  return typeof jti === 'string' && jti.length <= LONGEST_JTI && isPrintable(jti) ? jti : null;
}

/** Postgres keeps no NUL in text, and a log line breaks at control characters. */
const isPrintable = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);
