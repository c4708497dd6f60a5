/** Who goes: a person with what they hold, agents with their roles; and who takes over what was left. */
import { and, eq, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import type { AgentName, PersonName } from '../../core/ids.ts';
import { EVERYWHERE } from '../schema/columns.ts';
import { agents, operators, persons } from '../schema/deployment.ts';
import { assignments } from '../schema/tenants.ts';
import { endWaysInOf } from './register-console.ts';
import { endAssignmentsOf, formerOwners, leaveAgents, needActivePerson } from './register-names.ts';
import { needAgent, needPerson, removeVendor } from './register-names.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function offboardPerson(register: Register, person: PersonName): Promise<void> {
  const { tx } = register;
  await needPerson(register, person);
  await tx.update(persons).set({ active: false }).where(eq(persons.name, person));
  await tx.update(operators).set({ active: false }).where(eq(operators.person, person));
  await leaveAgents(register, person);
  await endWaysInOf(register, person);
  await endAssignmentsOf(register, { kind: 'person', name: person });
  const lasts = or(isNull(assignments.until), gt(assignments.until, sql`brevet_now()`));
  const [administrator] = await tx
    .select({ id: assignments.id })
    .from(assignments)
    .innerJoin(persons, and(eq(persons.name, assignments.holder), persons.active))
    .where(and(eq(assignments.tenant, EVERYWHERE), eq(assignments.holderKind, 'person'), lasts))
    .limit(1);
  if (administrator === undefined) refuse({ unmet: 'in_use', by: 'the last administrator of the deployment' });
}

type Offboarded = Extract<RegisterChange, { readonly kind: 'agents.offboard' }>;

export async function offboardAgents(register: Register, { agents: names, vendor }: Offboarded): Promise<void> {
  if (vendor !== null) await removeVendor(register, vendor);
  for (const name of names) {
    await needAgent(register, name);
    await endAssignmentsOf(register, { kind: 'agent', name });
  }
  await register.tx
    .update(agents)
    .set({ active: false })
    .where(inArray(agents.name, [...names]));
}

/** Another person than the one who went: the deputy, or whom an administrator has named since. */
export async function acceptAgent(register: Register, agent: AgentName, person: PersonName): Promise<void> {
  const { tx } = register;
  await needActivePerson(register, person);
  const [left] = await tx.select().from(agents).where(eq(agents.name, agent));
  const offered = left?.retired === false && left.leftBy !== null && left.leftBy !== person;
  if (!offered || (left.owner !== person && left.deputy !== person)) {
    return refuse({ unmet: 'missing', what: 'agent to accept' });
  }
  const deputy = left.deputy === person ? null : left.deputy;
  const former = await formerOwners(register, { name: agent, owner: person });
  const owned = { owner: person, deputy, formerOwners: former, leftBy: null };
  await tx.update(agents).set(owned).where(eq(agents.name, agent));
}
