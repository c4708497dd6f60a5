/** Deciding, and deciding again: what a commit, or a mint, has to be held against what is known by then. */
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import { seconds } from '../core/time.ts';
import type { Milliseconds } from '../core/time.ts';
import type { Asking } from '../attribute/record.ts';
import { proofDigest } from '../authenticate/principal.ts';
import { activePolicy } from '../decide/active.ts';
import { decide } from '../decide/decide.ts';
import type { Decision } from '../decide/decision.ts';
import { denial, forbid } from '../decide/denial.ts';
import type { Deps } from '../deps.ts';

/** Past this, expiry is not being watched, and nothing may be issued that would have to expire. */
const SWEEPER_LATE_MS = 30_000;

/** Whether a sweeper has said in time that it is at work. */
export const isWatched = (sinceBeat: Milliseconds | null): boolean =>
  sinceBeat !== null && sinceBeat <= SWEEPER_LATE_MS;

/** Why nothing may be issued now, or `null`. */
export async function whyUnwatched({ store }: Pick<Deps, 'store'>): Promise<Failure | null> {
  if (isWatched(await store.sinceBeat())) return null;
  return failure('sweeper_late', 'expiry is not being watched, so nothing is issued', { retryAfter: seconds(5) });
}

export type Deciding = Pick<Asking, 'snapshot' | 'principal' | 'request'> & {
  readonly manyTenants: boolean;
  readonly open?: ReadonlyMap<PersonName, number>;
  readonly underWay?: true;
};

/** Under the policy that is active in the snapshot. A broker without one decides nothing. */
export async function decideNow(deps: Deps, asking: Deciding): Promise<Decision> {
  const policy = await activePolicy(deps, asking.snapshot.deployment);
  if (policy === null) return forbid({ ...denial('policy_fault', 'no policy is active'), policy: null });
  return decide(policy, { ...asking, now: deps.clock() });
}

/** Where people are to be asked, with how much waits for each of them already: who is asked too much is passed over. */
export async function decideForPeople(deps: Deps, asking: Deciding): Promise<Decision> {
  const decision = await decideNow(deps, asking);
  if (decision.effect !== 'ask') return decision;
  const open = await deps.store.openAsks(decision.approval.approvers);
  return decideNow(deps, { ...asking, open });
}

/**
 * The same ask on what is known by now; `null` where the agent does not stand as it did: who asked has proven a key, or
 * a workload, and answers to an owner.
 */
export async function askingAgain(
  deps: Deps,
  { snapshot: before, principal, request }: Asking,
): Promise<Deciding | null> {
  deps.store.forget(principal.tenant);
  const snapshot = await deps.store.snapshot(principal.tenant);
  const enrolled = snapshot?.agents.get(principal.agent.name);
  const owner = enrolled === undefined ? undefined : snapshot?.deployment.persons.get(enrolled.agent.owner);
  if (snapshot === null || enrolled?.agent.active !== true || owner?.active !== true) return null;
  const proof = proofDigest(snapshot, enrolled.enrolment);
  if (proof !== proofDigest(before, principal.enrolment) || owner.name !== principal.agent.owner) return null;
  // At how many tenants it is done was counted when it was opened.
  return { snapshot, principal: { ...principal, ...enrolled }, request, manyTenants: false };
}
