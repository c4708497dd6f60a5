/**
 * The token endpoint as every edge takes it, and its answer as every edge writes it.
 * @see RFC 6749, RFC 7523, RFC 9396
 */
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import type { Failure, FailureCode } from '../core/failure.ts';
import { flawOf } from '../core/flaw.ts';
import type { TenantName } from '../core/ids.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { ClientCredentials } from '../authenticate/assertion.ts';
import { requestTask } from '../broker.ts';
import type { Answer } from '../broker.ts';
import { openSession } from '../broker/callers.ts';
import { claimBy } from './caller.ts';
import { oauthErrorOf, receiptWire, wireOf } from './wire.ts';
import type { Wire } from './wire.ts';

/** Its parameters, each of which came once. */
export type Form = ReadonlyMap<string, string>;

export const TASK_TYPE = 'brevet_task';

export interface TokenCall {
  readonly tenant: Result<TenantName>;
  readonly form: Result<Form>;
  /** The idempotency key, where one came. */
  readonly key: string | undefined;
  /** Hears which lease's credential is in the answer, before that is written. */
  leaving(lease: LeaseTerms): void;
}

export async function tokenFor(deps: Deps, call: TokenCall): Promise<Wire> {
  const form = given(call.form);
  const { tenant } = call;
  const refuse = (refusal: Failure): Wire => oauthErrorOf(deps, refusal);
  if (!form.ok) return refuse(form.error);
  if (!tenant.ok) return refuse(tenant.error);
  if (!form.value.has('grant_type')) {
    return refuse(failure('invalid_request', 'grant_type is missing', { path: 'grant_type' }));
  }
  if (form.value.get('grant_type') !== 'client_credentials') {
    return refuse(failure('unsupported_grant_type', 'grant_type must be client_credentials'));
  }
  const details = form.value.get('authorization_details');
  return details === undefined
    ? sessionToken(deps, tenant.value, form.value)
    : taskToken(deps, call, { tenant: tenant.value, form: form.value, details });
}

/** A parameter without a value counts as one that was left out. @see RFC 6749 section 3.2 */
export const given = (form: Result<Form>): Result<Form> =>
  form.ok ? ok(new Map([...form.value].filter(([, value]) => value !== ''))) : form;

async function sessionToken(deps: Deps, tenant: TenantName, form: Form): Promise<Wire> {
  const session = await openSession(deps, tenant, credentialsOf(form));
  if (!session.ok) return oauthErrorOf(deps, session.error);
  const { token, expiresIn } = session.value;
  return wireOf({ access_token: token.reveal(), token_type: 'Bearer', expires_in: expiresIn });
}

async function taskToken(
  deps: Deps,
  { key, leaving }: Pick<TokenCall, 'key' | 'leaving'>,
  { tenant, form, details }: { readonly tenant: TenantName; readonly form: Form; readonly details: string },
): Promise<Wire> {
  const body = readDetails(details);
  if (!body.ok) return oauthErrorOf(deps, body.error);
  const claim = claimBy(deps, key, { route: 'token', body: body.value });
  if (!claim.ok) return oauthErrorOf(deps, claim.error);
  const proof = { by: 'client', credentials: credentialsOf(form) } as const;
  const asked = await requestTask(deps, tenant, { proof, body: body.value, claim: claim.value, only: 'jwt' });
  if (!asked.ok) return oauthErrorOf(deps, asked.error, OF_DETAILS.get(asked.error.code));
  return tokenAnswer(deps, asked.value, leaving);
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

function tokenAnswer(deps: Deps, asked: Answer, leaving: TokenCall['leaving']): Wire {
  switch (asked.kind) {
    case 'asked': {
      const members = {
        request: asked.request,
        approval: asked.approval.id,
        expires_at: toRfc3339(asked.approval.expiresAt),
      };
      return oauthErrorOf(deps, failure('approval_pending', 'a person is being asked', { members }));
    }
    case 'repeated':
      return oauthErrorOf(
        deps,
        failure('invalid_request', 'this request was answered before, and its token was not kept', {
          hint: 'Complete that lease and ask again.',
          members: { request: asked.request, lease: asked.lease && asked.lease.id },
        }),
      );
    case 'issued': {
      const { lease, credential, receipt } = asked.issued;
      leaving(lease);
      const { access_token: token, authorization_details: granted, scope } = credential;
      if (!(token instanceof Secret) || granted === undefined || granted instanceof Secret) {
        throw new Error('the jwt provider gave no token');
      }
      return wireOf({
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

export const credentialsOf = (form: Form): ClientCredentials => ({
  clientId: form.get('client_id') ?? null,
  assertionType: form.get('client_assertion_type') ?? null,
  assertion: form.get('client_assertion') ?? null,
});
