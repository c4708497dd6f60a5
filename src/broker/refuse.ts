/**
 * A request that gets nothing, or what another got before: refused by the policy, by a budget that is full, or
 * overtaken by another change.
 */
import type { Conditions, RequestRow, Unmet } from '../core/change.ts';
import type { JsonObject } from '../core/canonical.ts';
import { stateAt } from '../core/approval.ts';
import { makeEntry } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure, FailureCode } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import type { RefusalKind } from '../core/refusals.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import { seconds } from '../core/time.ts';
import { decisionEntry } from '../attribute/record.ts';
import type { Asking } from '../attribute/record.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { failureOf } from '../decide/decision.ts';
import type { Decision, Forbid } from '../decide/decision.ts';
import { publicDecision } from '../decide/record.ts';
import { asAsked } from '../decide/request.ts';
import type { Deps } from '../deps.ts';
import { refusalNotice } from '../oversee/notice.ts';
import type { Answer } from './answer.ts';
import { ORDER_OVER } from './orders.ts';
import { again, done, isStale, usedBefore } from './callers.ts';
import type { Step } from './callers.ts';
import { fullDenial } from './limits.ts';
import type { Full } from './limits.ts';

/** The first refusal of its kind is written whole; those like it are counted. A stale no is not given. */
export async function refuse(deps: Deps, asking: Asking, decision: Forbid, when: Conditions): Promise<Step<Answer>> {
  const { request } = asking;
  const { reason } = decision;
  const { task, resource } = request;
  const refusal = failureOf(reason);
  const kind = kindOf(asking, { task, resource, code: reason.code, rules: reason.rules.join(' ') });
  // A one-use assertion has to be spent in any case, and a key claimed, so such a refusal is always written.
  const once = when.oneUse !== null || when.idempotency !== null;
  const alike = !once && !(await isStale(deps, asking.snapshot)) && deps.refusals.repeats(kind);
  return alike ? counted(refusal, decision) : writeWhole(deps, asking, decision, when, { kind, refusal });
}

/**
 * Where there is no room, for now. Those of a task class are alike whatever they were to touch, and those that came too
 * often whatever they asked: a storm of them costs no writes. It claims no idempotency key, since the same may come
 * again when there is room.
 */
export async function refuseFull(deps: Deps, asking: Asking, when: Conditions, full: Full): Promise<Step<Answer>> {
  const decision = fullDenial(asking, full);
  const { budget, retryAfter } = full;
  const task = budget === 'requests_per_minute' ? '' : asking.request.task;
  const kind = kindOf(asking, { task, resource: '', code: decision.reason.code, rules: `budget:${budget}` });
  const refusal = { ...failureOf(decision.reason), retryAfter, members: { budget } };
  if (deps.refusals.repeats(kind)) return counted(refusal, decision);
  return writeWhole(deps, asking, decision, { ...when, idempotency: null }, { kind, refusal });
}

const kindOf = (
  { principal }: Asking,
  kind: Omit<RefusalKind, 'of' | 'tenant' | 'agent' | 'accountable'>,
): RefusalKind => ({
  of: 'request',
  tenant: principal.tenant,
  agent: principal.agent.name,
  accountable: principal.agent.owner,
  ...kind,
});

const counted = (refusal: Failure, decision: Forbid): Step<never> =>
  done(err({ ...refusal, members: { ...refusal.members, decision: publicDecision(decision) } }));

async function writeWhole(
  deps: Deps,
  asking: Asking,
  decision: Forbid,
  when: Conditions,
  { kind, refusal }: { readonly kind: RefusalKind; readonly refusal: Failure },
): Promise<Step<Answer>> {
  const { tenant } = asking.principal;
  const work = refusalNotice(deps, asking, decision);
  const change = { kind: 'request.refuse', tenant, when, request: rowOf(asking, decision), work } as const;
  const written = await deps.store.commit(change, [makeEntry(decisionEntry(asking, decision), deps.random)]);
  if (!written.ok) return unmet(deps, asking, written.error);
  deps.refusals.wrote(kind);
  const members = { ...refusal.members, request: asking.id, decision: publicDecision(decision) };
  return done(err({ ...refusal, members }));
}

export function rowOf({ id, principal, request, snapshot, at }: Asking, decision: Decision): RequestRow {
  return {
    id,
    agent: principal.agent.name,
    task: request.task,
    resource: request.resource,
    hash: request.hash,
    effect: decision.effect,
    decision: publicDecision(decision),
    asked: asAsked(request),
    at,
    policy: snapshot.deployment.policy ?? '',
  };
}

/** What a commit that did not happen means for the caller. */
export async function unmet(deps: Deps, asking: Asking, why: Unmet): Promise<Step<Answer>> {
  const { principal } = asking;
  switch (why.unmet) {
    case 'moved':
      return again;
    case 'replayed':
      return usedBefore(deps, principal.tenant);
    case 'claimed':
      return done(await repeated(deps, principal, why));
    case 'order':
      return done(err(ORDER_OVER));
    case 'budget':
    case 'spread':
    case 'state':
    case 'fenced':
    case 'approval':
    case 'retired':
    case 'taken':
    case 'second_function':
    case 'in_use':
    case 'missing':
    case 'proposal':
      return done(err(failure('contended', 'this was overtaken by another change', { retryAfter: seconds(1) })));
  }
}

/** A refusal as it was given, read back from the decision that was kept. */
function refusalIn({ reason }: JsonObject): Failure {
  const { code, detail, ...more } = reason as {
    readonly code: FailureCode;
    readonly detail: string;
    readonly hint?: string;
    readonly path?: string;
  };
  return failure(code, detail, more);
}

async function repeated(
  deps: Deps,
  { tenant }: AgentPrincipal,
  claimed: Extract<Unmet, { unmet: 'claimed' }>,
): Promise<Result<Answer>> {
  const before = claimed.same && claimed.request !== null ? await deps.store.request(tenant, claimed.request) : null;
  if (before === null) {
    const hint = 'Use a new key for a new request.';
    return err(failure('idempotency_mismatch', 'this idempotency key came with another body', { hint }));
  }
  const { id: request, decision, lease } = before;
  switch (before.effect) {
    case 'permit':
      return ok({ kind: 'repeated', request, decision, lease: lease && (await deps.store.lease(tenant, lease)) });
    case 'ask':
      return ok(await askedBefore(deps, tenant, before));
    case 'forbid':
      return err({ ...refusalIn(decision), members: { request, decision } });
  }
}

/** How far the ask has come, with the receipt that it left: whoever lost the answer waits for the same people. */
async function askedBefore(
  deps: Deps,
  tenant: TenantName,
  { id: request, decision, approval }: KeptRequest,
): Promise<Answer> {
  const [entry] = await deps.store.entries(tenant, { request });
  if (approval === null || entry === undefined) throw new Error(`the request ${request} asked nobody`);
  const { id, expiresAt } = approval;
  return {
    kind: 'asked',
    request,
    decision,
    approval: { id, state: stateAt(approval, deps.clock()), expiresAt },
    receipt: { entry: entry.id, leafHash: entry.leaf },
  };
}
