/**
 * How answers look: JSON in snake_case, refusals as RFC 9457 problem documents, and on the OAuth endpoints as RFC 6749
 * section 5.2 has them. A secret is revealed here and nowhere else.
 */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Json } from '../core/canonical.ts';
import type { Receipt } from '../core/entry.ts';
import { FAILURES } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { Secret } from '../core/secret.ts';
import type { Deps } from '../deps.ts';
import { bearerIn } from './caller.ts';
import type { Scope } from './scope.ts';

/** Credentials and decisions are for one caller, now. */
const NEVER_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** An answer, whoever writes it. */
export interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export const send = (c: Context<Scope>, { status, headers, text }: Wire): Response =>
  c.newResponse(text, status as ContentfulStatusCode, headers);

export const answer = (c: Context<Scope>, body: unknown, status = 200): Response => send(c, wireOf(body, status));

export const wireOf = (body: unknown, status = 200): Wire => ({
  status,
  headers: { 'content-type': 'application/json', ...NEVER_KEPT },
  text: JSON.stringify(body),
});

export const problem = (c: Context<Scope>, refusal: Failure): Response =>
  send(c, problemOf(c.var.deps, c.var.requestId, refusal, c.req.header('authorization')));

/** @param authorization the header that came with the request, if one did. */
export function problemOf(
  { publicUrl }: Pick<Deps, 'publicUrl'>,
  requestId: string,
  refusal: Failure,
  authorization: string | undefined,
): Wire {
  const { title, status } = FAILURES[refusal.code];
  const body = {
    type: `${publicUrl}/errors/${refusal.code}`,
    title,
    status,
    code: refusal.code,
    detail: refusal.detail,
    ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    ...(refusal.path === undefined ? {} : { path: refusal.path }),
    request_id: requestId,
    ...refusal.members,
  };
  const headers = {
    ...NEVER_KEPT,
    ...retryAfter(refusal),
    ...challenge(refusal, authorization),
    'content-type': 'application/problem+json',
  };
  return { status, headers, text: JSON.stringify(body) };
}

/**
 * Without a challenge: a client proves itself in the form here, so there is no scheme of HTTP's to name, and a client
 * library that finds one reads no further.
 * @see RFC 6749 section 5.2
 */
export function oauthErrorOf({ publicUrl }: Pick<Deps, 'publicUrl'>, refusal: Failure, error?: string): Wire {
  const row = FAILURES[refusal.code];
  const body = {
    error: error ?? row.oauth,
    error_description: ascii(refusal.hint === undefined ? refusal.detail : `${refusal.detail} (${refusal.hint})`),
    error_uri: `${publicUrl}/errors/${refusal.code}`,
    ...refusal.members,
  };
  const status = row.status === 403 || row.status === 404 || row.status === 409 ? 400 : row.status;
  const wire = wireOf(body, status);
  return { ...wire, headers: { ...wire.headers, ...retryAfter(refusal) } };
}

export const oauthError = (c: Context<Scope>, refusal: Failure): Response => send(c, oauthErrorOf(c.var.deps, refusal));

const retryAfter = ({ retryAfter: wait }: Failure): Record<string, string> =>
  wait === undefined ? {} : { 'retry-after': String(wait) };

/**
 * A challenge says at least where it is for, and of a token that was shown that it is wrong or over, which is how a
 * client knows to get another. @see RFC 6750 section 3
 */
function challenge({ code }: Failure, authorization: string | undefined): Record<string, string> {
  if (FAILURES[code].status !== 401) return {};
  const wrong = code === 'unauthenticated' && bearerIn(authorization).ok ? ', error="invalid_token"' : '';
  return { 'www-authenticate': `Bearer realm="brevet"${wrong}` };
}

/** The characters that an `error_description` may hold. @see RFC 6749 section 5.2 */
const ascii = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");

/** The credential on its way out: the one place where a secret is revealed to its caller. */
export const revealed = (credential: Readonly<Record<string, Json | Secret>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(credential).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );

export const receiptWire = ({ entry, leafHash }: Receipt) => ({ entry, leaf_hash: leafHash });
