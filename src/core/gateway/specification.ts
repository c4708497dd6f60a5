/**
 * What a lease lets through the gateway: the calls of its task class with the request's parameters filled in. It is what
 * was approved, and what each call is held to.
 */
import { z } from 'zod';
import type { BodyRule } from '../templates/http.ts';
import { CALL_METHODS } from '../templates/http.ts';

/** Its own kind, so that it stands in no access token's and no session's place. @see RFC 8725 section 3.11 */
export const LEASE_TOKEN_TYPE = 'brevet-gateway+jwt';

/** Where a lease's calls go; also the audience of its token, which is good nowhere else. */
export const gatewayUrl = (issuer: string, lease: string): string => `${issuer}/gateway/${lease}`;

const call = z.strictObject({
  method: z.enum(CALL_METHODS),
  /** As the task class writes it, for the ledger. */
  template: z.string(),
  /** Filled in and escaped: it is sent as it stands, below the target's base path. */
  path: z.string(),
  query: z.record(
    z.string(),
    z.union([z.strictObject({ equals: z.string() }), z.strictObject({ matches: z.string(), required: z.boolean() })]),
  ),
  body: z
    .union([
      z.strictObject({ members: z.record(z.string(), z.custom<BodyRule>()) }),
      z.strictObject({ stream: z.string() }),
    ])
    .nullable(),
  /** What it names of the client's, each to be looked up before the call. */
  objects: z.array(z.strictObject({ lookup: z.string(), object: z.string() })),
});
export type SpecifiedCall = z.infer<typeof call>;

export const gatewaySpecification = z.strictObject({
  provider: z.literal('http'),
  tenant: z.string(),
  token: z.strictObject({
    iss: z.string(),
    sub: z.string(),
    aud: z.string(),
    jti: z.literal('{lease}'),
    iat: z.literal('{issued_at}'),
    exp: z.literal('{expires_at}'),
  }),
  calls: z.array(call),
  leaves_effects: z.boolean(),
});
export type GatewaySpecification = z.infer<typeof gatewaySpecification>;
