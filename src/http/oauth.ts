/**
 * The OAuth endpoints of a tenant: token, introspection, revocation.
 * @see RFC 6749, RFC 7523, RFC 7662, RFC 7009, RFC 9396
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import type { FailureCode } from '../core/failure.ts';
import { parseWith } from '../core/parse.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { seconds, toRfc3339 } from '../core/time.ts';
import { z } from 'zod';
import type { ClientCredentials } from '../authenticate/assertion.ts';
import { end, requestTask } from '../broker.ts';
import type { Answer } from '../broker.ts';
import { clientOf, isSessionOf, openSession } from '../broker/callers.ts';
import type { Client } from '../broker/callers.ts';
import { introspectFor } from '../broker/uses.ts';
import { findLease } from '../use/introspect.ts';
import { readForm } from './body.ts';
import { claimOf, tenantOf } from './caller.ts';
import { revokeUndelivered } from './delivery.ts';
import { flawOf } from '../core/flaw.ts';
import type { Scope } from './scope.ts';
import { answer, oauthError, receiptWire } from './wire.ts';

type Form = ReadonlyMap<string, string>;

export const TASK_TYPE = 'brevet_task';

export const oauth = new Hono<Scope>();

oauth.post('/token', async (c) => {
  const form = await formOf(c);
  const tenant = tenantOf(c);
  if (!form.ok) return oauthError(c, form.error);
  if (!tenant.ok) return oauthError(c, tenant.error);
  if (!form.value.has('grant_type')) {
    return oauthError(c, failure('invalid_request', 'grant_type is missing', { path: 'grant_type' }));
  }
  if (form.value.get('grant_type') !== 'client_credentials') {
    return oauthError(c, failure('unsupported_grant_type', 'grant_type must be client_credentials'));
  }
  const details = form.value.get('authorization_details');
  return details === undefined
    ? sessionToken(c, tenant.value, form.value)
    : taskToken(c, tenant.value, form.value, details);
});

/** A parameter without a value counts as one that was left out. @see RFC 6749 section 3.2 */
async function formOf(c: Context<Scope>): Promise<Result<Form>> {
  const form = await readForm(c);
  return form.ok ? ok(new Map([...form.value].filter(([, value]) => value !== ''))) : form;
}

async function sessionToken(c: Context<Scope>, tenant: TenantName, form: Form): Promise<Response> {
  const session = await openSession(c.var.deps, tenant, credentialsOf(form));
  if (!session.ok) return oauthError(c, session.error);
  const { token, expiresIn } = session.value;
  return answer(c, { access_token: token.reveal(), token_type: 'Bearer', expires_in: expiresIn });
}

async function taskToken(c: Context<Scope>, tenant: TenantName, form: Form, details: string): Promise<Response> {
  const { deps } = c.var;
  const body = readDetails(details);
  if (!body.ok) return oauthError(c, body.error);
  const claim = claimOf(c, 'token', body.value);
  if (!claim.ok) return oauthError(c, claim.error);
  const proof = { by: 'client', credentials: credentialsOf(form) } as const;
  const asked = await requestTask(deps, tenant, { proof, body: body.value, claim: claim.value, only: 'jwt' });
  if (!asked.ok) return oauthError(c, asked.error, OF_DETAILS.get(asked.error.code));
  return tokenAnswer(c, asked.value);
}

/** What is wrong with the task's fields is wrong with the details that they stand in. @see RFC 9396 section 5 */
const OF_DETAILS: ReadonlyMap<FailureCode, string> = new Map(
  (['unknown_field', 'invalid_field', 'invalid_name'] as const).map((code) => [code, 'invalid_authorization_details']),
);

const detailsForm = z.array(z.looseObject({ type: z.literal(TASK_TYPE) })).length(1);

/** One task; its fields are read by the same parser as an access request's. */
function readDetails(text: string): Result<Record<string, unknown>> {
  const refuse = (why: string): Result<never> =>
    err(
      failure('invalid_authorization_details', `authorization_details: ${why}`, {
        hint: `Send an array of one object of type ${TASK_TYPE}, with a task and a resource.`,
      }),
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return refuse('this is not JSON');
  }
  const flaw = flawOf(text);
  if (flaw !== null) return refuse(flaw);
  const read = parseWith(detailsForm, parsed);
  const [detail] = read.ok ? read.value : [];
  if (detail === undefined) return refuse(`this takes exactly one object of type ${TASK_TYPE}`);
  const { type: _, ...body } = detail;
  return ok(body);
}

function tokenAnswer(c: Context<Scope>, asked: Answer): Response {
  switch (asked.kind) {
    case 'asked': {
      const members = {
        request: asked.request,
        approval: asked.approval.id,
        expires_at: toRfc3339(asked.approval.expiresAt),
      };
      return oauthError(c, failure('approval_pending', 'a person is being asked', { members }));
    }
    case 'repeated':
      return oauthError(
        c,
        failure('invalid_request', 'this request was answered before, and its token was not kept', {
          hint: 'Complete that lease and ask again.',
          members: { request: asked.request, lease: asked.lease && asked.lease.id },
        }),
      );
    case 'issued': {
      const { lease, credential, receipt } = asked.issued;
      revokeUndelivered(c, lease);
      const { access_token: token, authorization_details: granted, scope } = credential;
      if (!(token instanceof Secret) || granted === undefined || granted instanceof Secret) {
        throw new Error('the jwt provider gave no token');
      }
      return answer(c, {
        access_token: token.reveal(),
        token_type: 'Bearer',
        expires_in: Math.floor((lease.expiresAt - lease.openedAt) / 1000),
        // As granted, which is what the token says. @see RFC 6749 section 5.1, RFC 9396 section 7
        ...(typeof scope === 'string' ? { scope } : {}),
        authorization_details: granted,
        request: asked.request,
        lease: lease.id,
        receipt: receiptWire(receipt),
      });
    }
  }
}

const credentialsOf = (form: Form): ClientCredentials => ({
  clientId: form.get('client_id') ?? null,
  assertionType: form.get('client_assertion_type') ?? null,
  assertion: form.get('client_assertion') ?? null,
});

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
  const form = await formOf(c);
  if (!form.ok) return form;
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const client = await clientOf(c.var.deps, tenant.value, credentialsOf(form.value));
  if (!client.ok) return client;
  const token = form.value.get('token');
  if (token === undefined) return err(failure('invalid_request', 'the token to look at is missing', { path: 'token' }));
  return ok({ client: client.value, token, form: form.value });
}
