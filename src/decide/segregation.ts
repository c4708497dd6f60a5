/**
 * Three functions that cannot blur, as pure questions to a snapshot: who holds which at a tenant, and who may approve
 * and oversee what an agent does. They count persons, and what those were of late.
 */
import { agentTaskOf } from '../core/block.ts';
import type { Block } from '../core/block.ts';
import { heldBy, heldInFunction } from '../core/held.ts';
import type { AgentName, PersonName, RoleName } from '../core/ids.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { OWNERSHIP_COUNTS } from '../core/registers.ts';
import type { Agent, Assignment } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, instant } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle, Role } from './bundle/model.ts';

/** Whether it lasts: an end that has come is one, whether or not a sweeper has seen it. */
export const lasts = ({ until }: Pick<Assignment, 'until'>, now: Instant): boolean => until === null || until > now;

/** The role of an assignment, if the bundle has it as it was when assigned, for this tenant. */
export function roleHeld(
  bundle: Bundle,
  assignment: Pick<Assignment, 'role' | 'function'>,
  snapshot: Snapshot,
): Role | null {
  const role = bundle.roles.get(assignment.role);
  if (role === undefined || role.function !== assignment.function) return null;
  return role.tenants === null || role.tenants.has(snapshot.tenant.name) ? role : null;
}

/**
 * Why somebody is not the second of two persons. Who proposes is the first, whatever account they come by; and nobody
 * says yes to what they are given.
 */
export function whyNotSecond(
  { proposer, subjects }: { readonly proposer: PersonName; readonly subjects: readonly PersonName[] },
  second: PersonName,
): 'same_person' | 'beneficiary' | null {
  if (second === proposer) return 'same_person';
  return subjects.includes(second) ? 'beneficiary' : null;
}

export interface HeldRole {
  readonly role: Role;
  readonly assignment: Assignment;
}

/** An agent can hold execution alone: any other assignment of one is worth nothing. */
export function executionRoles(
  bundle: Bundle,
  snapshot: Snapshot,
  agent: AgentName,
  now: Instant,
): readonly HeldRole[] {
  const held = new Map<RoleName, HeldRole>();
  for (const assignment of heldBy(snapshot.assignments, 'agent', agent)) {
    if (assignment.function !== 'execution' || !lasts(assignment, now)) continue;
    const role = heldOfExecution(bundle, assignment, snapshot);
    const before = held.get(assignment.role);
    if (role !== null && (before === undefined || endsLater(assignment, before.assignment))) {
      held.set(role.name, { role, assignment });
    }
  }
  return [...held.values()];
}

/** What was given before a role came to break the glass, and without an end, is worth nothing. */
function heldOfExecution(bundle: Bundle, assignment: Assignment, snapshot: Snapshot): Role | null {
  const role = roleHeld(bundle, assignment, snapshot);
  return role?.breakGlass === true && assignment.until === null ? null : role;
}

const endsLater = (a: Assignment, b: Assignment): boolean =>
  b.until !== null && (a.until === null || a.until > b.until);

/** What somebody has to do with what an agent asks for. */
export type Part = 'owns' | 'owned' | 'launched';

/** Who stands in what this agent asks for, and how: who owns it or owned it of late, and who set it to work. */
export function partsIn(
  { agent, launchedBy }: Pick<AgentPrincipal, 'agent' | 'launchedBy'>,
  now: Instant,
): ReadonlyMap<PersonName, Part> {
  const lately = agent.formerOwners.filter(({ until }) => after(until, OWNERSHIP_COUNTS) > now);
  return new Map<PersonName, Part>([
    ...lately.map(({ person }) => [person, 'owned'] as const),
    ...(launchedBy === null ? [] : [[launchedBy, 'launched'] as const]),
    [agent.owner, 'owns'],
  ]);
}

export const involvedIn = (
  principal: Pick<AgentPrincipal, 'agent' | 'launchedBy'>,
  now: Instant,
): ReadonlySet<PersonName> => new Set(partsIn(principal, now).keys());

export interface Standing {
  /** In the order of their names. */
  readonly persons: readonly PersonName[];
  /** When the last of them ends; `null`: not by itself. */
  readonly until: Instant | null;
}

/**
 * Who may approve, or oversee, what those involved ask for here: active persons who hold that function and nothing
 * else, and have no part in it. Who reads alone looks on: nothing rests on that.
 */
export function standingFor(
  of: 'approval' | 'oversight',
  involved: ReadonlySet<PersonName>,
  { bundle, snapshot, now }: { readonly bundle: Bundle; readonly snapshot: Snapshot; readonly now: Instant },
): Standing {
  const standing = heldInFunction(snapshot.assignments, of).filter(
    (assignment) =>
      assignment.holder.kind === 'person' &&
      !involved.has(assignment.holder.name) &&
      lasts(assignment, now) &&
      roleHeld(bundle, assignment, snapshot)?.readsOnly === false &&
      functionAt(snapshot, assignment.holder.name, now) === of,
  );
  const persons = new Set(standing.map(({ holder }) => holder.name as PersonName));
  const last = Math.max(...standing.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
  return { persons: [...persons].toSorted(), until: Number.isFinite(last) ? instant(last) : null };
}

/** An agent that this person answers for and that is held back here, or `null`: who answers for one ends nothing. */
export function inConflict(snapshot: Snapshot, person: PersonName, now: Instant): AgentName | null {
  const heldBack = [...snapshot.agents.values()].filter(({ agent }) => {
    const held = heldBy(snapshot.assignments, 'agent', agent.name);
    return held.some((assignment) => lasts(assignment, now));
  });
  const owns = heldBack.find(({ agent }) => answersFor(snapshot, agent, person, now));
  return owns?.agent.name ?? null;
}

/**
 * An agent inside a block at this tenant, or the person that it names, for whom this person answers, or is; `null`:
 * nothing of it is theirs. Of a role, a task class, a target, a provider, a tenant or everything, any agent here is inside;
 * and of an owner, a vendor or a model whichever was theirs when it was raised, since it holds those still.
 */
export function conflictWithBlock(
  snapshot: Snapshot,
  { scope, name, agents }: Pick<Block, 'scope' | 'name' | 'agents'>,
  { person, now }: { readonly person: PersonName; readonly now: Instant },
): string | null {
  if (scope === 'owner' && name === person) return person;
  const inside = [...snapshot.agents.values()].filter(({ agent }) => {
    if (agents.includes(agent.name)) return true;
    if (scope === 'agent') return agent.name === name;
    if (scope === 'agent_task') return agent.name === agentTaskOf(name).agent;
    return scope === 'owner' || scope === 'vendor' || scope === 'model' ? agent[scope] === name : true;
  });
  const mine = inside.find(({ agent }) => agent.deputy === person || answersFor(snapshot, agent, person, now));
  return mine?.agent.name ?? null;
}

/** Whoever is involved in what it asks; and the deputy, where the owner is gone. */
const answersFor = ({ deployment }: Snapshot, agent: Agent, person: PersonName, now: Instant): boolean =>
  involvedIn({ agent, launchedBy: null }, now).has(person) ||
  (agent.deputy === person && deployment.persons.get(agent.owner)?.active !== true);
