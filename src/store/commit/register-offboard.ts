/** Who goes: a person with what they hold, agents with their roles; and who takes over what was left. */
import { and, eq, inArray } from 'drizzle-orm';
import type { AgentName, PersonName } from '../../core/ids.ts';
import { agents, assignments, EVERYWHERE, operators, persons } from '../schema.ts';
import { endAssignmentsOf, leaveAgents, needAgent, needPerson } from './register-names.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function offboardPerson(register: Register, person: PersonName): Promise<void> {
  const { tx } = register;
  await needPerson(register, person);
  await tx.update(persons).set({ active: false }).where(eq(persons.name, person));
  await tx.update(operators).set({ active: false }).where(eq(operators.person, person));
  await leaveAgents(register, person);
  await endAssignmentsOf(register, { kind: 'person', name: person });
  const [administrator] = await tx
    .select({ id: assignments.id })
    .from(assignments)
    .where(and(eq(assignments.tenant, EVERYWHERE), eq(assignments.holderKind, 'person')))
    .limit(1);
  if (administrator === undefined) refuse({ unmet: 'in_use', by: 'the last administrator of the deployment' });
}

export async function offboardAgents(register: Register, names: readonly AgentName[]): Promise<void> {
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
export async function acceptAgent({ tx }: Register, agent: AgentName, person: PersonName): Promise<void> {
  const [accepting] = await tx.select({ active: persons.active }).from(persons).where(eq(persons.name, person));
  if (accepting?.active !== true) refuse({ unmet: 'missing', what: 'person' });
  const [left] = await tx.select().from(agents).where(eq(agents.name, agent));
  const offered = left?.retired === false && left.leftBy !== null && left.leftBy !== person;
  if (!offered || (left.owner !== person && left.deputy !== person)) {
    return refuse({ unmet: 'missing', what: 'agent to accept' });
  }
  const deputy = left.deputy === person ? null : left.deputy;
  await tx.update(agents).set({ owner: person, deputy, leftBy: null }).where(eq(agents.name, agent));
}
