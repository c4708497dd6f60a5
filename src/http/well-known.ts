/**
 * What anyone may know: a tenant's keys and metadata, and the table of errors.
 * @see RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { FAILURES, NOTHING_HERE } from '../core/failure.ts';
import type { FailureCode } from '../core/failure.ts';
import { tenantIssuer } from '../core/issuer.ts';
import { CLIENT_ALGORITHMS } from '../authenticate/jwk.ts';
import { tenantOf } from './caller.ts';
import { TASK_TYPE } from './token.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

/** Keys change seldom; a verifier that keeps them this long takes a new one in time, since it is published first. */
const KEYS_KEPT = 'public, max-age=300';

export async function keys(c: Context<Scope>): Promise<Response> {
  const tenant = tenantOf(c);
  if (!tenant.ok || (await c.var.deps.store.snapshot(tenant.value)) === null) return problem(c, NOTHING_HERE);
  return c.json({ keys: await c.var.deps.signer.keys(tenant.value) }, 200, { 'cache-control': KEYS_KEPT });
}

export async function metadata(c: Context<Scope>): Promise<Response> {
  const tenant = tenantOf(c);
  if (!tenant.ok || (await c.var.deps.store.snapshot(tenant.value)) === null) return problem(c, NOTHING_HERE);
  const issuer = tenantIssuer(c.var.deps.publicUrl, tenant.value);
  const by = { methods: ['private_key_jwt'], algorithms: CLIENT_ALGORITHMS };
  return answer(c, {
    issuer,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA', 'ES256'],
    authorization_details_types_supported: [TASK_TYPE],
    token_endpoint_auth_methods_supported: by.methods,
    token_endpoint_auth_signing_alg_values_supported: by.algorithms,
    introspection_endpoint_auth_methods_supported: by.methods,
    introspection_endpoint_auth_signing_alg_values_supported: by.algorithms,
    revocation_endpoint_auth_methods_supported: by.methods,
    revocation_endpoint_auth_signing_alg_values_supported: by.algorithms,
  });
}

/** What the `type` of a problem document leads to. */
export const errors = new Hono<Scope>();

errors.get('/', (c) => c.json({ errors: Object.entries(FAILURES).map(([code, row]) => ({ code, ...row })) }));

errors.get('/:code', (c) => {
  const code = c.req.param('code');
  if (!Object.hasOwn(FAILURES, code)) return problem(c, NOTHING_HERE);
  return c.json({ code, ...FAILURES[code as FailureCode] });
});
