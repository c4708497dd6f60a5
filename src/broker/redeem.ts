/**
 * An approval becomes a credential, once: what people said yes to is decided and specified again, and must be the very
 * same. Otherwise the approval is over, and the agent asks anew.
 */
import type { Approval } from '../core/approval.ts';
import { stateAt } from '../core/approval.ts';
import type { Conditions } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { RequestId, TenantName } from '../core/ids.ts';
import { isOrdered } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Epochs } from '../core/snapshot.ts';
import { toRfc3339 } from '../core/time.ts';
import { bindingOf } from '../approve/binding.ts';
import { approvalEntry, redeemedFacts } from '../approve/record.ts';
import { yesStanding } from '../approve/standing.ts';
import type { Asking } from '../attribute/record.ts';
import type { ClientCredentials } from '../authenticate/assertion.ts';
import type { Ask, Permit } from '../decide/decision.ts';
import { failureOf } from '../decide/decision.ts';
import { publicDecision } from '../decide/record.ts';
import { parseAccessRequest } from '../decide/request.ts';
import type { Deps } from '../deps.ts';
import { grantOfApproval, whyNotGranted } from '../issue/grant.ts';
import type { Approved } from '../issue/grant.ts';
import { issue } from '../issue/issue.ts';
import type { Answer } from './answer.ts';
import { authenticateAgent, done, isStale, trying, turnAway } from './callers.ts';
import type { Step } from './callers.ts';
import { askingAgain, decideNow, whyUnwatched } from './deciding.ts';
import { issueRecord } from './issue-record.ts';
import { toClient } from '../oversee/notice.ts';
import { waitUntil, withinOf } from './limits.ts';
import { rowOf, unmet } from './refuse.ts';

/** What the people's yes is about, as the agent comes for it. */
interface Coming {
  readonly asking: Asking;
  readonly approval: Approval;
}

/** @param credentials fresh ones: a session does not redeem. */
export async function redeemApproval(
  deps: Deps,
  tenant: TenantName,
  { credentials, request }: { readonly credentials: ClientCredentials; readonly request: RequestId },
): Promise<Result<Answer>> {
  return trying<Answer>(deps, tenant, async (snapshot) => {
    const caller = await authenticateAgent(deps, snapshot, { by: 'client', credentials });
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    const { principal, oneUse } = caller.value;
    const kept = await deps.store.request(tenant, request);
    const approval = kept?.approval ?? null;
    if (kept?.agent !== principal.agent.name || approval === null) return done(err(NOTHING_HERE));
    const at = deps.clock();
    const closed = whyNotNow(approval, stateAt(approval, at));
    if (closed !== null) return done(err(closed));
    const asked = parseAccessRequest(approval.asked);
    if (!asked.ok) return done(asked);
    const { launchedBy } = asked.value;
    const ordered = isOrdered(asked.value);
    const asking = {
      id: request,
      principal: { ...principal, launchedBy },
      request: asked.value,
      snapshot,
      at,
      ordered,
    };
    return redeem(deps, { asking, approval }, { epochs: snapshot.epochs, oneUse, idempotency: null });
  });
}

function whyNotNow(approval: Approval, state: Approval['state']): Failure | null {
  if (state === 'approved') return null;
  if (state === 'pending') {
    return failure('approval_pending', 'people have not answered yet', { hint: 'Wait: GET the request with ?wait=.' });
  }
  const members = { state, ...(approval.rejection === null ? {} : { rejection: approval.rejection }) };
  return failure('approval_over', `the approval is ${state}`, { hint: 'Ask anew, if it is still needed.', members });
}

async function redeem(deps: Deps, coming: Coming, when: Conditions): Promise<Step<Answer>> {
  const { asking, approval } = coming;
  const unwatched = await whyUnwatched(deps);
  if (unwatched !== null) return done(err(unwatched));
  const decision = await decideNow(deps, { ...asking, manyTenants: false, underWay: true });
  if (decision.effect === 'forbid') return fallen(deps, coming, failureOf(decision.reason));
  const approved = await approvedNow(deps, coming, decision);
  if (!approved.ok) return fallen(deps, coming, approved.error);
  const grant = grantOfApproval(decision, asking, approved.value);
  if (!grant.ok) return fallen(deps, coming, grant.error);
  const permit: Permit = { ...decision, effect: 'permit' };
  const issued = await issue(deps, grant.value, {
    row: rowOf(asking, permit),
    when: { ...when, within: await withinApproved(deps, asking, permit) },
    redeems: { approval: approval.id, version: approval.version },
    ...issueRecord(deps, asking, ({ expiresAt }) =>
      redeemedEntry(coming, { decision, approved: approved.value, expiresAt }),
    ),
    notices: (lease) => toClient(deps, lease, asking),
    stillPermitted: () => stillApproved(deps, coming),
  });
  const shown = publicDecision(permit);
  if (issued.ok) return done(ok({ kind: 'issued', request: asking.id, decision: shown, issued: issued.value }));
  if ('refused' in issued.error) return done(err(issued.error.refused));
  return notRedeemed(deps, asking, issued.error.unmet);
}

async function notRedeemed(deps: Deps, asking: Asking, why: Parameters<typeof unmet>[2]): Promise<Step<Answer>> {
  if (why.unmet === 'approval') {
    return done(err(failure('approval_over', 'the approval was spent, or its time is over', { hint: 'Ask anew.' })));
  }
  if (why.unmet === 'budget') {
    const retryAfter = waitUntil(why.until, deps.clock());
    const hint = 'Complete what is done, and come back in time.';
    return done(err(failure('too_many_requests', 'the agent has no room left here', { retryAfter, hint })));
  }
  return unmet(deps, asking, why);
}

/** It asked before it was done at many tenants: it is counted there, and refused for it no more. */
async function withinApproved(deps: Deps, asking: Asking, permit: Permit) {
  const within = await withinOf(deps, asking, permit);
  return { ...within, spread: within.spread === null ? null : { ...within.spread, asks: true } };
}

async function approvedNow(
  deps: Deps,
  {
    asking,
    approval,
  }: { readonly asking: Pick<Asking, 'id' | 'principal' | 'request' | 'snapshot'>; readonly approval: Approval },
  decision: Permit | Ask,
): Promise<Result<Approved>> {
  const binding = bindingOf(deps.providers, asking, decision.execution);
  if (!binding.ok) return binding;
  const bundle = await deps.bundles.at(decision.approval.policy);
  const { snapshot } = asking;
  const standing = yesStanding(approval, { bundle, snapshot, now: deps.clock() });
  return ok({ approval, binding: binding.value, standing });
}

/** After a mint, where an epoch moved: the same is asked of what is known by then. */
async function stillApproved(deps: Deps, { asking, approval }: Coming): Promise<Epochs | null> {
  const now = await askingAgain(deps, asking);
  if (now === null) return null;
  const decision = await decideNow(deps, { ...now, underWay: true });
  if (decision.effect === 'forbid') return null;
  const approved = await approvedNow(deps, { asking: { ...asking, ...now }, approval }, decision);
  return approved.ok && whyNotGranted(decision, approved.value) === null ? now.snapshot.epochs : null;
}

interface Redeemed {
  readonly decision: Permit | Ask;
  readonly approved: Approved;
  readonly expiresAt: Asking['at'];
}

const redeemedEntry = ({ asking, approval }: Coming, { decision, approved, expiresAt }: Redeemed) =>
  approvalEntry(approval, asking.snapshot, {
    kind: 'approval.redeemed',
    at: asking.at,
    actor: actorOf(asking),
    facts: { ...redeemedFacts(approved), policy: decision.approval.policy, expires_at: toRfc3339(expiresAt) },
  });

const actorOf = ({ principal }: Pick<Asking, 'principal'>) =>
  ({ kind: 'agent', name: principal.agent.name, by: principal.by }) as const;

/** What was approved is not what would be given: the yes is worth nothing any more, and that is written down. */
async function fallen(deps: Deps, coming: Coming, why: Failure): Promise<Step<Answer>> {
  const { approval, asking } = coming;
  if (await isStale(deps, asking.snapshot)) return { again: true };
  const at = deps.clock();
  const entry = approvalEntry(approval, asking.snapshot, {
    kind: 'approval.revoked',
    at,
    actor: actorOf(asking),
    facts: { because: why.code },
    seen: { detail: why.detail },
  });
  const move = { from: 'approved', to: 'revoked', version: approval.version, decidedAt: at } as const;
  const { tenant, id } = approval;
  const change = { kind: 'approval.move', tenant, approval: id, move, when: null, time: 'any', next: null } as const;
  await deps.store.commit({ ...change, fence: null, work: [] }, [makeEntry(entry, deps.random)]);
  return done(err({ ...why, members: { ...why.members, approval: id, state: 'revoked' } }));
}
