/**
 * The life of a request, composed from the stages: authenticate, decide, approve, issue, use, revoke, attribute.
 * Read this first. The surfaces translate to these few functions and add nothing to them.
 *
 * Decisions are optimistic and commits exact: each reads a snapshot, and a commit that finds an epoch moved changes
 * nothing; then everything, who is calling included, is looked at again.
 */
import { beginning } from './core/approval.ts';
import type { Conditions, Unmet } from './core/change.ts';
import type { Claim } from './core/change/once.ts';
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
import { toRfc3339 } from './core/time.ts';
import type { Seconds } from './core/time.ts';
import { approvalTerms, approvalWork } from './approve/approval.ts';
import { bindingOf } from './approve/binding.ts';
import { askedNotice } from './approve/notices.ts';
import { routeFacts } from './approve/record.ts';
import { decisionEntry } from './attribute/record.ts';
import type { Asking } from './attribute/record.ts';
import { writeRefusals } from './attribute/refusals.ts';
import type { Answer } from './broker/answer.ts';
import { authenticateAgent, CONTENDED, done, trying, turnAway } from './broker/callers.ts';
import type { AgentProof, Step } from './broker/callers.ts';
import { askingAgain, decideForPeople, decideNow, whyUnwatched } from './broker/deciding.ts';
import { issueRecord } from './broker/issue-record.ts';
import { rateOf, waitUntil, withinOf } from './broker/limits.ts';
import { refuse, refuseFull, rowOf, unmet } from './broker/refuse.ts';
import { orderNamed } from './broker/orders.ts';
import type { Ask, Permit } from './decide/decision.ts';
import { publicDecision } from './decide/record.ts';
import { parseAccessRequest } from './decide/request.ts';
import type { Deps } from './deps.ts';
import { grantOfPermit } from './issue/grant.ts';
import { issue } from './issue/issue.ts';
import { countBreakers } from './oversee/count.ts';
import { noticesOf } from './oversee/notice.ts';
import { huntByTheClock } from './revoke/orphans.ts';
import { endLease } from './revoke/revoke.ts';
import type { Ended, Ending } from './revoke/revoke.ts';
import { sweep } from './revoke/sweep.ts';
import { killWithin } from './revoke/within.ts';

export type { Answer } from './broker/answer.ts';
export { isWatched } from './broker/deciding.ts';
export { isCounted, sinceCounted } from './oversee/count.ts';

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
    const { oneUse } = caller.value;
    const principal = { ...caller.value.principal, launchedBy: request.value.launchedBy };
    const { clock, random } = deps;
    const at = clock();
    const order = await orderNamed(deps, principal, request.value);
    if (!order.ok) return done(order);
    const ordered = order.value !== null;
    const asking: Asking = { id: newId('req', at, random), principal, request: request.value, snapshot, at, ordered };
    // An order is taken once, whatever key comes with it.
    const claim = ordered ? null : asked.claim;
    const idempotency = claim === null ? null : { ...claim, principal: `agent:${principal.agent.name}` };
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
  const decision = await decideForPeople(deps, { ...asking, manyTenants });
  switch (decision.effect) {
    case 'forbid':
      return refuse(deps, asking, decision, when);
    case 'ask':
      return ask(deps, asking, decision, await whole(deps, asking, decision, when));
    case 'permit':
      return grant(deps, asking, decision, await whole(deps, asking, decision, when));
  }
}

/** What gives, or asks, has to have room for it, and takes the order that it names: a refusal leaves that as it is. */
async function whole(deps: Deps, asking: Asking, decision: Permit | Ask, when: Conditions): Promise<Conditions> {
  const { order } = asking.request;
  const within = await withinOf(deps, asking, decision);
  return { ...when, within, ...(order === null ? {} : { takes: order }) };
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
  const unwatched = await whyUnwatched(deps);
  if (unwatched !== null) return done(err(unwatched));
  const decision = publicDecision(permit);
  const issued = await issue(deps, grantOfPermit(permit, asking), {
    row: rowOf(asking, permit),
    when,
    redeems: null,
    ...issueRecord(deps, asking, () => decisionEntry(asking, permit)),
    notices: (lease) => noticesOf(deps, lease, permit, asking),
    stillPermitted: () => decideAgain(deps, asking, permit),
  });
  if (issued.ok) return done(ok({ kind: 'issued', request: asking.id, decision, issued: issued.value }));
  return 'refused' in issued.error ? done(err(issued.error.refused)) : notDone(deps, asking, when, issued.error.unmet);
}

/** After a mint: the very same must still be permitted, by whatever the epochs are now. */
async function decideAgain(deps: Deps, asking: Asking, before: Permit): Promise<Epochs | null> {
  const now = await askingAgain(deps, asking);
  if (now === null) return null;
  const decision = await decideNow(deps, now);
  const same = decision.effect === 'permit' && mintsTheSame(decision.execution, before.execution);
  return same ? now.snapshot.epochs : null;
}

const mintsTheSame = (a: Permit['execution'], b: Permit['execution']): boolean =>
  a.role === b.role &&
  a.target.version === b.target.version &&
  a.ttl >= b.ttl &&
  a.uses === b.uses &&
  a.tier === b.tier &&
  JSON.stringify(a.template) === JSON.stringify(b.template);

/** Nobody is asked for what could not be minted. */
async function ask(deps: Deps, asking: Asking, decision: Ask, when: Conditions): Promise<Step<Answer>> {
  const binding = bindingOf(deps.providers, asking, decision.execution);
  if (!binding.ok) return done(binding);
  const approval = approvalTerms(deps, asking, decision, binding.value);
  const more = { ...routeFacts(approval), approval_expires_at: toRfc3339(approval.expiresAt) };
  const entry = makeEntry(decisionEntry(asking, decision, more), deps.random);
  const work = [approvalWork(deps, approval, beginning(approval).stepEndsAt), ...askedNotice(deps, approval)];
  const { tenant } = asking.principal;
  const request = rowOf(asking, decision);
  const asked = await deps.store.commit({ kind: 'request.ask', tenant, when, request, approval, work }, [entry]);
  if (!asked.ok) return notDone(deps, asking, when, asked.error);
  const [receipt] = asked.value.receipts;
  if (receipt === undefined) throw new Error('an ask was recorded without its entry');
  const { id, expiresAt } = approval;
  return done(
    ok({
      kind: 'asked',
      request: asking.id,
      decision: publicDecision(decision),
      approval: { id, state: 'pending', expiresAt },
      receipt,
    }),
  );
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

/** Counts, every few seconds and on one node, what circuit breakers trip at. */
export async function count(deps: Deps): Promise<void> {
  await countBreakers(deps);
}

/** One pass of what is done without being asked: expiry, the queue, and what was counted. @returns whether more waits. */
export async function watch(deps: Deps): Promise<boolean> {
  const { expired, done: finished } = await sweep(deps);
  await writeRefusals(deps);
  return expired + finished > 0;
}
