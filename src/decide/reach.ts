/**
 * Who could do what, everywhere: the reach of each person and agent, what stands in each other's way now, and what
 * would if somebody left. Pure: the same rules as a decision's, asked of every tenant.
 */
import { functionAt } from '../authenticate/principal.ts';
import type { AgentName, OperatorName, PersonName, RoleName, TaskName, TenantName } from '../core/ids.ts';
import type { Agent, RoleFunction } from '../core/registers.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle } from './bundle/model.ts';
import { executionRoles, involvedIn, lasts, standingFor } from './segregation.ts';

export interface PersonReach {
  readonly person: PersonName;
  readonly active: boolean;
  /** Their ways in: they are one person, by however many. */
  readonly operators: readonly OperatorName[];
  /** `tenant: null`: the deployment, and so every tenant. */
  readonly holds: readonly { readonly tenant: TenantName | null; readonly function: RoleFunction }[];
  readonly owns: readonly AgentName[];
  readonly deputyOf: readonly AgentName[];
}

export interface AgentReach {
  readonly agent: AgentName;
  readonly owner: PersonName;
  readonly deputy: PersonName | null;
  readonly active: boolean;
  readonly at: readonly {
    readonly tenant: TenantName;
    readonly roles: readonly RoleName[];
    readonly tasks: readonly TaskName[];
  }[];
}

/** `current`: it holds something back today. `possible`: it would, once somebody has left. */
export interface Conflict {
  readonly when: 'current' | 'possible';
  readonly tenant: TenantName | null;
  readonly who: PersonName | AgentName | null;
  readonly what: string;
}

/** What the people of a tenant allow, whatever the rules say. */
export interface TenantStanding {
  readonly tenant: TenantName;
  readonly overseers: readonly PersonName[];
  readonly approvers: readonly PersonName[];
  /** Whether anything is issued at all, and whether what asks can be answered: for some agent that is enrolled. */
  readonly issues: boolean;
  readonly asks: boolean;
}

export interface Reach {
  readonly people: readonly PersonReach[];
  readonly agents: readonly AgentReach[];
  readonly tenants: readonly TenantStanding[];
  readonly conflicts: readonly Conflict[];
}

export interface Everything {
  readonly bundle: Bundle;
  readonly deployment: DeploymentSnapshot;
  readonly tenants: readonly Snapshot[];
  readonly agents: readonly Agent[];
  readonly now: Instant;
}

/** Two, since neither a person nor a policy is changed by one. */
const ADMINISTRATORS_NEEDED = 2;

export function reachOf(all: Everything): Reach {
  return {
    people: [...all.deployment.persons.keys()].toSorted().map((person) => personReach(all, person)),
    agents: all.agents.map((agent) => agentReach(all, agent)),
    tenants: all.tenants.map((snapshot) => standingAt(all, snapshot)),
    conflicts: [...administration(all), ...all.tenants.flatMap((snapshot) => conflictsAt(all, snapshot))],
  };
}

function personReach({ deployment, tenants, agents, now }: Everything, person: PersonName): PersonReach {
  const above = functionAt(deployment, person, now);
  const here = tenants.flatMap((snapshot) => {
    const held = functionAt(snapshot, person, now);
    return held === null || above !== null ? [] : [{ tenant: snapshot.tenant.name, function: held }];
  });
  return {
    person,
    active: deployment.persons.get(person)?.active === true,
    operators: [...deployment.operators.values()].flatMap((one) => (one.person === person ? [one.name] : [])),
    holds: above === null ? here : [{ tenant: null, function: above }],
    owns: agents.flatMap(({ name, owner }) => (owner === person ? [name] : [])),
    deputyOf: agents.flatMap(({ name, deputy }) => (deputy === person ? [name] : [])),
  };
}

function agentReach({ bundle, tenants, now }: Everything, { name, owner, deputy, active }: Agent): AgentReach {
  const at = tenants.flatMap((snapshot) => {
    if (!snapshot.agents.has(name)) return [];
    const roles = executionRoles(bundle, snapshot, name, now).map(({ role }) => role);
    const tasks = [...new Set(roles.flatMap((role) => [...role.tasks]))].toSorted();
    return [{ tenant: snapshot.tenant.name, roles: roles.map((role) => role.name), tasks }];
  });
  return { agent: name, owner, deputy, active, at };
}

const NOBODY: ReadonlySet<PersonName> = new Set();

/** Who stands for a function here, leaving out those who have a part. */
const standing = (
  { bundle, now }: Everything,
  snapshot: Snapshot,
  of: 'approval' | 'oversight',
  involved: ReadonlySet<PersonName> = NOBODY,
): readonly PersonName[] => standingFor(of, involved, { bundle, snapshot, now }).persons;

const involved = (agent: Agent, now: Instant): ReadonlySet<PersonName> => involvedIn({ agent, launchedBy: null }, now);

function standingAt(all: Everything, snapshot: Snapshot): TenantStanding {
  const enrolled = [...snapshot.agents.values()].map(({ agent }) => involved(agent, all.now));
  const forSome = (of: 'approval' | 'oversight'): boolean =>
    enrolled.some((part) => standing(all, snapshot, of, part).length > 0);
  return {
    tenant: snapshot.tenant.name,
    overseers: standing(all, snapshot, 'oversight'),
    approvers: standing(all, snapshot, 'approval'),
    issues: forSome('oversight'),
    asks: forSome('oversight') && forSome('approval'),
  };
}

function administration({ deployment, now }: Everything): Conflict[] {
  const held = deployment.assignments.filter(
    ({ holder, ...assignment }) =>
      holder.kind === 'person' && lasts(assignment, now) && deployment.persons.get(holder.name)?.active === true,
  );
  const people = new Set(held.map(({ holder }) => holder.name));
  if (people.size > ADMINISTRATORS_NEEDED) return [];
  const what = `${people.size} administer the deployment`;
  return people.size < ADMINISTRATORS_NEEDED
    ? [{ when: 'current', tenant: null, who: null, what: `${what}: nobody could confirm what takes two` }]
    : [{ when: 'possible', tenant: null, who: null, what: `${what}: should one leave, nobody could confirm` }];
}

const FUNCTIONS_OF_PEOPLE = ['oversight', 'approval'] as const;
const VERB = { oversight: 'oversee', approval: 'approve' } as const;

function conflictsAt(all: Everything, snapshot: Snapshot): Conflict[] {
  const tenant = snapshot.tenant.name;
  return [...snapshot.agents.values()].flatMap(({ agent }) => {
    const part = involved(agent, all.now);
    return [
      ...(snapshot.deployment.persons.get(agent.owner)?.active === true
        ? []
        : [current(tenant, agent.name, `its owner ${agent.owner} has gone: it gets nothing until another accepts it`)]),
      ...FUNCTIONS_OF_PEOPLE.flatMap((of) => [
        ...partsIn(all, snapshot, of, part, agent.name),
        ...(standing(all, snapshot, of, part).length === 0
          ? [current(tenant, agent.name, `nobody without a part in it could ${VERB[of]} what it does`)]
          : deputySteppingIn(all, snapshot, of, agent)),
      ]),
    ];
  });
}

const current = (tenant: TenantName, who: Conflict['who'], what: string): Conflict => ({
  when: 'current',
  tenant,
  who,
  what,
});

/** Who holds the function here and yet cannot use it for this agent. */
const partsIn = (
  all: Everything,
  snapshot: Snapshot,
  of: 'approval' | 'oversight',
  part: ReadonlySet<PersonName>,
  agent: AgentName,
): Conflict[] =>
  standing(all, snapshot, of)
    .filter((person) => part.has(person))
    .map((person) =>
      current(snapshot.tenant.name, person, `has a part in ${agent}, so cannot ${VERB[of]} what it does`),
    );

/** Whoever steps in owns it from then on, and the one they step in for has a part for a while yet. */
function deputySteppingIn(all: Everything, snapshot: Snapshot, of: 'approval' | 'oversight', agent: Agent): Conflict[] {
  if (agent.deputy === null) return [];
  const then = new Set([...involved(agent, all.now), agent.deputy]);
  if (standing(all, snapshot, of, then).length > 0) return [];
  const what = `should ${agent.deputy} step in for its owner, nobody could ${VERB[of]} what it does`;
  return [{ when: 'possible', tenant: snapshot.tenant.name, who: agent.name, what }];
}
