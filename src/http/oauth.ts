/**
 * The OAuth endpoints of a tenant: token, introspection, revocation.
 * @see RFC 6749, RFC 7662, RFC 7009
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';
import { end } from '../broker.ts';
import { clientOf, isSessionOf } from '../broker/callers.ts';
import type { Client } from '../broker/callers.ts';
import { introspectFor } from '../broker/uses.ts';
import { findLease } from '../use/introspect.ts';
import { readForm } from './body.ts';
import { tenantOf } from './caller.ts';
import { revokeUndelivered } from './delivery.ts';
import type { Scope } from './scope.ts';
import { credentialsOf, given, tokenFor } from './token.ts';
import type { Form } from './token.ts';
import { answer, oauthError, send } from './wire.ts';

export const oauth = new Hono<Scope>();

/** On Node most go by `node/token.ts`. */
oauth.post('/token', async (c) =>
  send(
    c,
    await tokenFor(c.var.deps, {
      tenant: tenantOf(c),
      form: await readForm(c),
      key: c.req.header('idempotency-key'),
      leaving: (lease) => revokeUndelivered(c, lease),
    }),
  ),
);

oauth.post('/introspect', async (c) => {
  const asking = await tokenQuestion(c);
  if (!asking.ok) return oauthError(c, asking.error);
  const { client, token, form } = asking.value;
  const consume = form.get('consume') ?? 'false';
  if (consume !== 'true' && consume !== 'false') {
    return oauthError(c, failure('invalid_request', 'consume is true or false', { path: 'consume' }));
  }
  const consumes = consume === 'true';
  if (consumes && client.asker.kind === 'agent') {
    return oauthError(c, failure('invalid_request', 'only the target says that a token was used', { path: 'consume' }));
  }
  return answer(c, await introspectFor(c.var.deps, client, { token, consumes }));
});

/**
 * What is not ours, or not the caller's, is answered as what is over: 200, and nothing said. The caller's own session is
 * good until it ends, so it is not said to be over. @see RFC 7009 section 2.2
 */
oauth.post('/revoke', async (c) => {
  const asking = await tokenQuestion(c);
  if (!asking.ok) return oauthError(c, asking.error);
  const { client, token } = asking.value;
  const { deps } = c.var;
  if (await isSessionOf(deps, client, token)) return oauthError(c, SESSIONS_END);
  const found = await findLease(deps, client.snapshot, client.asker, token);
  if (found !== null) {
    const ending = {
      cause: 'token_revoked',
      actor: client.actor,
      reason: null,
      outcome: null,
      killer: 'caller',
    } as const;
    await end(deps, found.lease, ending, seconds(2));
  }
  return c.body(null, 200, { 'cache-control': 'no-store' });
});

const SESSIONS_END = failure('unsupported_token_type', 'a session is not revoked: it ends within five minutes', {
  hint: 'Discard it. Whoever stole it is stopped by enrolling the agent anew.',
});

interface TokenQuestion {
  readonly client: Client;
  readonly token: string;
  readonly form: Form;
}

async function tokenQuestion(c: Context<Scope>): Promise<Result<TokenQuestion>> {
  const form = given(await readForm(c));
  if (!form.ok) return form;
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const client = await clientOf(c.var.deps, tenant.value, credentialsOf(form.value));
  if (!client.ok) return client;
  const token = form.value.get('token');
  if (token === undefined) return err(failure('invalid_request', 'the token to look at is missing', { path: 'token' }));
  return ok({ client: client.value, token, form: form.value });
}
