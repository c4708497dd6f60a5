/**
 * Who answers for an agent, or had a part in what it did, neither judges it nor looks at it in others' place. Who let it
 * happen had one, too, though they oversee there since: nobody looks at their own yes.
 */
import { yesOf } from '../core/approval.ts';
import type { Approval } from '../core/approval.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { AgentName, PersonName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Agent } from '../core/registers.ts';
import type { Instant } from '../core/time.ts';
import { involvedIn } from '../decide/segregation.ts';
import type { Deps } from '../deps.ts';

interface Who {
  readonly person: PersonName;
  readonly now: Instant;
}

/** As the register has the agent now, enrolled or not; its owner when the lease was issued; who launched it, and who approved it. */
export const conflictWithLease = (deps: Deps, lease: Lease, who: Who): Promise<Failure | null> =>
  conflictWithLeases(deps, lease.agent, [lease], who);

/** The same of several of one agent. */
export async function conflictWithLeases(
  deps: Deps,
  agent: AgentName,
  leases: readonly Lease[],
  who: Who,
): Promise<Failure | null> {
  const approvals = await Promise.all(
    leases.flatMap(({ tenant, approval }) => (approval === null ? [] : [deps.store.approval(tenant, approval)])),
  );
  const then = [...leases.map(({ owner }) => owner), ...approvals.flatMap((one) => (one === null ? [] : partsIn(one)))];
  return then.includes(who.person) ? inConflict(agent) : conflictWithAgent(deps, agent, who);
}

const partsIn = ({ involved, votes, narrows }: Approval): readonly PersonName[] => [
  ...involved,
  ...yesOf(votes),
  ...(narrows === null ? [] : [narrows.by]),
];

export async function conflictWithAgent(deps: Deps, name: AgentName, who: Who): Promise<Failure | null> {
  const agent = (await deps.store.agents()).find((one) => one.name === name);
  return agent !== undefined && answersFor(agent, who) ? inConflict(name) : null;
}

/** Any agent at all that this person answers for. */
export async function conflictWithAny(deps: Deps, who: Who): Promise<Failure | null> {
  const mine = (await deps.store.agents()).find((agent) => answersFor(agent, who));
  return mine === undefined ? null : inConflict(mine.name);
}

const answersFor = (agent: Agent, { person, now }: Who): boolean =>
  agent.deputy === person || involvedIn({ agent, launchedBy: null }, now).has(person);

const inConflict = (agent: AgentName): Failure =>
  failure('in_conflict', `you answer for ${agent}, or had a part in what it did`, {
    hint: 'Somebody else, who has no part in it, does this.',
  });
