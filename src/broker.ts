/**
 * The life of a request, composed from the stages: authenticate, decide, approve, issue, use, revoke, attribute.
 * Read this first. The surfaces translate to these few functions and add nothing to them.
 *
 * Decisions are optimistic and commits exact: each reads a snapshot, and a commit that finds an epoch moved changes
 * nothing; then everything, who is calling included, is looked at again.
 */
import type { Claim, Conditions, Unmet } from './core/change.ts';
import { makeEntry } from './core/entry.ts';
import { failure } from './core/failure.ts';
import type { TenantName } from './core/ids.ts';
import { newId } from './core/ids.ts';
import type { Lease } from './core/lease.ts';
import type { ProviderKind } from './core/registers.ts';
import type { AccessRequest } from './core/request.ts';
import { err, ok } from './core/result.ts';
import type { Result } from './core/result.ts';
import type { Epochs, Snapshot } from './core/snapshot.ts';
import { seconds, toRfc3339 } from './core/time.ts';
import type { Milliseconds, Seconds } from './core/time.ts';
import { pendingApproval } from './approve/approval.ts';
import { decisionEntry, leaseEntry, overtakenEntry } from './attribute/record.ts';
import type { Asking } from './attribute/record.ts';
import { writeRefusals } from './attribute/refusals.ts';
import { proofDigest } from './authenticate/principal.ts';
import type { Answer } from './broker/answer.ts';
import { authenticateAgent, CONTENDED, done, trying, turnAway } from './broker/callers.ts';
import type { AgentProof, Step } from './broker/callers.ts';
import { rateOf, waitUntil, withinOf } from './broker/limits.ts';
import { refuse, refuseFull, rowOf, unmet } from './broker/refuse.ts';
import { activePolicy } from './decide/active.ts';
import { decide } from './decide/decide.ts';
import type { Ask, Decision, Permit } from './decide/decision.ts';
import { denial, forbid } from './decide/denial.ts';
import { publicDecision } from './decide/record.ts';
import { parseAccessRequest } from './decide/request.ts';
import type { Deps } from './deps.ts';
import { grantOfPermit } from './issue/grant.ts';
import { issue } from './issue/issue.ts';
import { noticesOf } from './oversee/notice.ts';
import { huntByTheClock } from './revoke/orphans.ts';
import { endLease } from './revoke/revoke.ts';
import type { Ended, Ending } from './revoke/revoke.ts';
import { sweep } from './revoke/sweep.ts';
import { takeBack } from './revoke/undelivered.ts';
import { killWithin } from './revoke/within.ts';

/** Past this, expiry is not being watched, and nothing may be issued that would have to expire. */
const SWEEPER_LATE_MS = 30_000;

/** Whether a sweeper has said in time that it is at work. */
export const isWatched = (sinceBeat: Milliseconds | null): boolean =>
  sinceBeat !== null && sinceBeat <= SWEEPER_LATE_MS;

export type { Answer } from './broker/answer.ts';

/** An agent asks for one task at this tenant. */
export async function requestTask(
  deps: Deps,
  tenant: TenantName,
  asked: {
    readonly proof: AgentProof;
    readonly body: unknown;
    readonly claim: Claim | null;
    /** Where the answer has room for one kind of credential alone. */
    readonly only: ProviderKind | null;
  },
): Promise<Result<Answer>> {
  const request = parseAccessRequest(asked.body);
  if (!request.ok) return request;
  let counted = false;
  return trying<Answer>(deps, tenant, async (snapshot) => {
    const caller = await authenticateAgent(deps, snapshot, asked.proof);
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    const { principal, oneUse } = caller.value;
    const { clock, random } = deps;
    const at = clock();
    const asking: Asking = { id: newId('req', at, random), principal, request: request.value, snapshot, at };
    const idempotency = asked.claim === null ? null : { ...asked.claim, principal: `agent:${principal.agent.name}` };
    const when: Conditions = { epochs: snapshot.epochs, oneUse, idempotency };
    // One request is counted once, however often it is looked at again.
    const full = counted ? null : await rateOf(deps, asking);
    counted = true;
    if (full !== null) return refuseFull(deps, asking, when, full);
    return hasRoom(snapshot, request.value, asked.only) ? settle(deps, asking, when) : done(err(NO_ROOM));
  });
}

/** @param manyTenants once the commit has found it to be a part of one act at many tenants. */
async function settle(deps: Deps, asking: Asking, when: Conditions, manyTenants = false): Promise<Step<Answer>> {
  const decision = await decideNow(deps, { ...asking, manyTenants });
  switch (decision.effect) {
    case 'forbid':
      return refuse(deps, asking, decision, when);
    case 'ask':
      return ask(deps, asking, decision, { ...when, within: await withinOf(deps, asking, decision) });
    case 'permit':
      return grant(deps, asking, decision, { ...when, within: await withinOf(deps, asking, decision) });
  }
}

/** Under the policy that is active in the snapshot. A broker without one decides nothing. */
async function decideNow(
  deps: Deps,
  asking: Pick<Asking, 'snapshot' | 'principal' | 'request'> & { readonly manyTenants: boolean },
): Promise<Decision> {
  const policy = await activePolicy(deps, asking.snapshot.deployment);
  if (policy === null) return forbid({ ...denial('policy_fault', 'no policy is active'), policy: null });
  return decide(policy, { ...asking, now: deps.clock() });
}

const NO_ROOM = failure('invalid_authorization_details', 'this task is not answered with a token', {
  hint: 'Ask for it at POST /t/{tenant}/requests.',
});

function hasRoom(snapshot: Snapshot, { target }: AccessRequest, only: ProviderKind | null): boolean {
  const provider = snapshot.targets.get(target)?.provider;
  return only === null || provider === undefined || provider === only;
}

/** A permit becomes a credential, as long as expiry is being watched. */
async function grant(deps: Deps, asking: Asking, permit: Permit, when: Conditions): Promise<Step<Answer>> {
  if (!isWatched(await deps.store.sinceBeat())) {
    return done(
      err(failure('sweeper_late', 'expiry is not being watched, so nothing is issued', { retryAfter: seconds(5) })),
    );
  }
  const decision = publicDecision(permit);
  const issued = await issue(deps, grantOfPermit(permit, asking), {
    row: rowOf(asking, permit),
    when,
    entries: (lease, state) => [
      makeEntry(decisionEntry(asking, permit), deps.random),
      makeEntry(leaseEntry(asking, lease, state === 'active' ? 'lease.active' : 'lease.opening', null), deps.random),
    ],
    landed: (lease, { reference }) =>
      makeEntry({ ...leaseEntry(asking, lease, 'lease.active', reference), at: deps.clock() }, deps.random),
    overtaken: (lease) => makeEntry(overtakenEntry(asking, lease, deps.clock()), deps.random),
    undelivered: (lease) => deps.background(takeBack(deps, lease)),
    notices: (lease) => noticesOf(deps, lease, permit, asking),
    stillPermitted: () => decideAgain(deps, asking, permit),
  });
  if (issued.ok) return done(ok({ kind: 'issued', request: asking.id, decision, issued: issued.value }));
  return 'refused' in issued.error ? done(err(issued.error.refused)) : notDone(deps, asking, when, issued.error.unmet);
}

/** After a mint: the very same must still be permitted, by whatever the epochs are now. */
async function decideAgain(deps: Deps, asking: Asking, before: Permit): Promise<Epochs | null> {
  const { principal, request } = asking;
  deps.store.forget(principal.tenant);
  const snapshot = await deps.store.snapshot(principal.tenant);
  const enrolled = snapshot?.agents.get(principal.agent.name);
  const owner = enrolled === undefined ? undefined : snapshot?.deployment.persons.get(enrolled.agent.owner);
  if (snapshot === null || enrolled?.agent.active !== true || owner?.active !== true) return null;
  // Who asked has proven a key, or a workload, that is not the agent's any more.
  const proof = proofDigest(snapshot, enrolled.enrolment);
  if (proof !== proofDigest(asking.snapshot, principal.enrolment) || owner.name !== principal.agent.owner) return null;
  // At how many tenants it is done was counted when it was opened.
  const now = { snapshot, principal: { ...principal, ...enrolled }, request, manyTenants: false };
  const decision = await decideNow(deps, now);
  const same = decision.effect === 'permit' && mintsTheSame(decision.execution, before.execution);
  return same ? snapshot.epochs : null;
}

const mintsTheSame = (a: Permit['execution'], b: Permit['execution']): boolean =>
  a.role === b.role &&
  a.target.version === b.target.version &&
  a.ttl >= b.ttl &&
  a.uses === b.uses &&
  a.tier === b.tier &&
  JSON.stringify(a.template) === JSON.stringify(b.template);

async function ask(deps: Deps, asking: Asking, decision: Ask, when: Conditions): Promise<Step<Answer>> {
  const approval = pendingApproval(deps, asking.id);
  const more = { approval: approval.id, approval_expires_at: toRfc3339(approval.expiresAt) };
  const entry = makeEntry(decisionEntry(asking, decision, more), deps.random);
  const row = rowOf(asking, decision);
  const change = { kind: 'request.ask', tenant: asking.principal.tenant, when, request: row, approval } as const;
  const asked = await deps.store.commit(change, [entry]);
  if (!asked.ok) return notDone(deps, asking, when, asked.error);
  const [receipt] = asked.value.receipts;
  if (receipt === undefined) throw new Error('an ask was recorded without its entry');
  return done(ok({ kind: 'asked', request: asking.id, decision: publicDecision(decision), approval, receipt }));
}

/** A commit that found a limit has spent the assertion, and nothing else: what follows goes without. */
async function notDone(deps: Deps, asking: Asking, when: Conditions, why: Unmet): Promise<Step<Answer>> {
  if (why.unmet !== 'budget' && why.unmet !== 'spread') return unmet(deps, asking, why);
  const { epochs, idempotency } = when;
  const rest: Conditions = { epochs, oneUse: null, idempotency };
  const step =
    why.unmet === 'spread'
      ? await settle(deps, asking, rest, true)
      : await refuseFull(deps, asking, rest, { budget: why.budget, retryAfter: waitUntil(why.until, deps.clock()) });
  return step.again && when.oneUse !== null ? done(err(CONTENDED)) : step;
}

/** Ends a lease: committed, done at the provider and proven, or still under way when `wait` has passed. */
export async function end(deps: Deps, lease: Lease, ending: Ending, wait: Seconds): Promise<Ended> {
  const ended = await endLease(deps, lease, ending);
  return { ...ended, lease: await killWithin(deps, ended.lease, { wait, work: ended.work }) };
}

/** Asks targets, now and then and on one node, what they hold that no lease knows, and kills it. */
export async function hunt(deps: Deps): Promise<void> {
  await huntByTheClock(deps);
}

/** One pass of what is done without being asked: expiry, the queue, and what was counted. @returns whether more waits. */
export async function watch(deps: Deps): Promise<boolean> {
  const { expired, done: finished } = await sweep(deps);
  await writeRefusals(deps);
  return expired + finished > 0;
}
