/**
 * A tool that Brevet calls for an agent, as its target says it: where it is, how the key is shown to it, and by what
 * each call is tied to the tenant.
 */
import { z } from 'zod';

/** Of one hop alone. @see RFC 9110 section 7.6.1 */
export const HOP_HEADERS = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What a caller could lead the far side astray with: who asks, on whose behalf, by which method, for which host. */
const NEVER_SENT = [
  ...HOP_HEADERS,
  'accept-encoding',
  'authorization',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'origin',
  // A key that is echoed could be fetched in pieces too small to be known.
  'range',
  'referer',
  'via',
];
const NEVER_SENT_FORM = /^(?:x-(?:forwarded|http|method|original|real|rewrite|override)|proxy-|sec-|cf-)/;

/** What would carry a session, lead elsewhere, or say something of the connection. */
const NEVER_ANSWERED = [
  ...HOP_HEADERS,
  'authorization',
  'content-encoding',
  'content-length',
  'location',
  'refresh',
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
];

const USUALLY_SENT = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'prefer',
  'user-agent',
];

const USUALLY_ANSWERED = [
  'allow',
  'content-disposition',
  'content-language',
  'content-type',
  'etag',
  'last-modified',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-total-count',
];

/** @see RFC 9110 section 5.6.2 */
const headerName = z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'it must be a header name in lower case');

const sentName = headerName.refine(
  (name) => !NEVER_SENT.includes(name) && !NEVER_SENT_FORM.test(name),
  'no agent sends this header',
);
const answeredName = headerName.refine((name) => !NEVER_ANSWERED.includes(name), 'no agent is shown this header');

/** Brevet's own: a forced value, the lease's id, the key. `authorization` is for the key alone. */
const ownHeader = headerName.refine(
  (name) => name === 'authorization' || (!NEVER_SENT.includes(name) && !NEVER_SENT_FORM.test(name)),
  'this header is not for what Brevet sends',
);
const fieldName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'it must be a plain name');
/** Visible ASCII: it stands in a header. */
const plain = (limit: number) =>
  z
    .string()
    .min(1)
    .max(limit)
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);

const secureUrl = (what: string) =>
  z
    .string()
    .max(512)
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), `it must be ${what}`);

/** Exactly as a URL's origin is written: no path, no name, no port that its scheme has anyway. */
const origin = secureUrl('an https origin').refine(
  (text) => URL.canParse(text) && new URL(text).origin === text,
  'it must be an origin alone, such as https://api.example.com',
);

const inject = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('header'),
    name: ownHeader,
    prefix: z
      .string()
      .max(64)
      .regex(/^[\x20-\x7e]*$/)
      .default(''),
  }),
  z.strictObject({ by: z.literal('query'), name: fieldName }),
  z.strictObject({ by: z.literal('basic'), user: plain(128).refine((user) => !user.includes(':'), 'no colon') }),
  z.strictObject({
    by: z.literal('oauth'),
    token_url: secureUrl('an https URL'),
    client_id: plain(256),
    scope: plain(512).optional(),
  }),
]);
export type Injection = z.infer<typeof inject>;

const place = z.strictObject({ in: z.enum(['header', 'query', 'body']), name: fieldName });
export type Place = z.infer<typeof place>;

const lookup = z.strictObject({
  /** Below the base path; `{object}` stands for the object, in a segment of its own. */
  path: z
    .string()
    .max(512)
    .regex(/^(?:\/(?:\{object\}|[A-Za-z0-9._~$@:,=+-]+))+$/, 'it must be a path of plain segments')
    .refine(
      (text) => text.split('/').filter((segment) => segment === '{object}').length === 1,
      'it names {object} once',
    ),
  /** Where the tenant's value stands in the answer. @see RFC 6901 */
  pointer: z
    .string()
    .max(256)
    .regex(/^(?:\/(?:[^/~]|~[01])*)+$/, 'it must be a JSON pointer'),
});
export type Lookup = z.infer<typeof lookup>;

const tie = z.strictObject({
  /** What the tenant is called in the tool. */
  value: plain(128),
  /** Where Brevet sets it in each call, and no agent may. */
  forced: place,
  /** By the kind of object: how it is looked at whose one is. */
  lookups: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), lookup)
    .refine((all) => Object.keys(all).length > 0, 'it needs a look-up for each kind of object'),
});
export type TenantTie = z.infer<typeof tie>;

const MEBIBYTE = 1024 * 1024;

export const httpTarget = z.strictObject({
  origin,
  base_path: z
    .string()
    .max(256)
    .regex(/^(?:\/[A-Za-z0-9._~$@:,=+-]+)*$/, 'it must be empty, or a path without a slash at its end')
    .refine((text) => !text.split('/').some((segment) => /^\.{1,2}$/.test(segment)), 'it holds a dot segment')
    .default(''),
  /** Lets the origin be at a private address, where the deployment allows that host too. */
  private: z.boolean().default(false),
  /** The authority that its certificate comes from, in PEM, where that is not a public one. */
  ca: z.string().max(16_384).startsWith('-----BEGIN CERTIFICATE-----').optional(),
  inject,
  key_reaches: z.enum(['this-tenant', 'several']),
  tenant_tie: tie.optional(),
  /** Where the tool's own log is given the lease's id. */
  lease_field: place.optional(),
  /** Those that an agent may send beside the usual ones. */
  request_headers: z.array(sentName).max(32).default([]),
  /** Those that an agent is shown; in place of the usual ones. */
  response_headers: z.array(answeredName).max(64).default(USUALLY_ANSWERED),
  limits: z
    .strictObject({
      request_bytes: z
        .int()
        .min(0)
        .max(1024 * MEBIBYTE)
        .default(MEBIBYTE),
      response_bytes: z
        .int()
        .min(0)
        .max(1024 * MEBIBYTE)
        .default(128 * MEBIBYTE),
      /** From the call to the end of its answer. */
      seconds: z.int().min(1).max(3600).default(60),
      /** At one node, of all agents of the tenant together. */
      calls_per_minute: z.int().min(1).max(1_000_000).default(600),
    })
    .prefault({}),
});
export type HttpTarget = z.infer<typeof httpTarget>;

export const mayBeSent = ({ request_headers: more }: HttpTarget, name: string): boolean =>
  USUALLY_SENT.includes(name) || more.includes(name);

/** What Brevet itself sets in a call, so that neither a task class nor an agent does. */
export function ownPlaces({ inject: by, tenant_tie: tied, lease_field: log }: HttpTarget): readonly Place[] {
  const key: Place[] = by.by === 'query' || by.by === 'header' ? [{ in: by.by, name: by.name }] : [];
  return [...key, ...(tied === undefined ? [] : [tied.forced]), ...(log === undefined ? [] : [log])];
}

/**
 * Whether a key may be used at all: what a header may hold, and long enough to be known again in an answer.
 * @returns why not.
 */
export function whyNoKey(key: string | null): string | null {
  if (key === null) return 'the target has no key';
  if (!/^[\x21-\x7e]+$/.test(key)) return 'the key holds more than visible ASCII';
  if (key.length < SHORTEST_KEY) return `a key of fewer than ${SHORTEST_KEY} characters could not be told from chance`;
  return key.length > LONGEST_KEY ? `the key is longer than ${LONGEST_KEY} characters` : null;
}
const SHORTEST_KEY = 8;
const LONGEST_KEY = 4096;
