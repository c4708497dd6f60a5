/** Names of the deployment: persons, operators, agents, issuers and vendors. A removed one stays, and is never given again. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { AgentName, IssuerName, OperatorName, PersonName, VendorName } from '../../core/ids.ts';
import type { Agent, Holder, Operator, Person, TrustedIssuer, Vendor } from '../../core/registers.ts';
import { OWNERSHIP_COUNTS } from '../../core/registers.ts';
import { after, instant } from '../../core/time.ts';
import { enter } from '../link.ts';
import { ROLES } from '../roles.ts';
import { DEPLOYMENT, EVERYWHERE } from '../schema/columns.ts';
import { agents, issuers, operators, persons, vendors } from '../schema/deployment.ts';
import { assignments, enrolments } from '../schema/tenants.ts';
import { endSessions, endWaysInOf } from './register-console.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Names = typeof persons | typeof operators | typeof agents | typeof issuers | typeof vendors;

async function standing({ tx }: Register, table: Names, name: string): Promise<'new' | 'known' | 'retired'> {
  const [row] = await tx
    .select({ retired: table.retired })
    .from(table)
    .where(eq(table.name, name as PersonName & OperatorName & AgentName & IssuerName & VendorName));
  if (row === undefined) return 'new';
  return row.retired ? 'retired' : 'known';
}

async function refuseRetired(register: Register, table: Names, name: string): Promise<void> {
  if ((await standing(register, table, name)) === 'retired') refuse({ unmet: 'retired' });
}

async function needKnown(register: Register, table: Names, name: string | null, what: string): Promise<void> {
  if (name !== null && (await standing(register, table, name)) !== 'known') refuse({ unmet: 'missing', what });
}

export const needPerson = (register: Register, person: PersonName | null): Promise<void> =>
  needKnown(register, persons, person, 'person');
/** One who went is given nothing: it would be theirs at once if they came back, and nobody would have said so then. */
export async function needActivePerson({ tx }: Register, person: PersonName): Promise<void> {
  const [known] = await tx.select({ active: persons.active }).from(persons).where(eq(persons.name, person));
  if (known?.active !== true) refuse({ unmet: 'missing', what: 'active person' });
}
export const needAgent = (register: Register, agent: AgentName): Promise<void> =>
  needKnown(register, agents, agent, 'agent');
export const needIssuer = (register: Register, issuer: IssuerName): Promise<void> =>
  needKnown(register, issuers, issuer, 'issuer');

export async function putPerson(register: Register, person: Person): Promise<void> {
  await refuseRetired(register, persons, person.name);
  if (!person.active) {
    await leaveAgents(register, person.name);
    await endSessions(register, { person: person.name });
  }
  await register.tx.insert(persons).values(person).onConflictDoUpdate({ target: persons.name, set: person });
}

export async function putOperator(register: Register, operator: Operator): Promise<void> {
  await refuseRetired(register, operators, operator.name);
  if (operator.active && operator.person !== null) await needActivePerson(register, operator.person);
  else await needPerson(register, operator.person);
  await endSessionsOfAnother(register, operator);
  await register.tx.insert(operators).values(operator).onConflictDoUpdate({ target: operators.name, set: operator });
}

/** Whoever signed in as what it was is not who it is from here on, and one that comes back is signed in to anew. */
async function endSessionsOfAnother(
  register: Register,
  { name, person, issuer, subject, active }: Operator,
): Promise<void> {
  const [before] = await register.tx.select().from(operators).where(eq(operators.name, name));
  if (before === undefined) return;
  const same = before.person === person && before.issuer === issuer && before.subject === subject;
  if (!same || !active) await endSessions(register, { operator: name });
}

/** Who comes back has to be accepted like anybody else. */
export async function leaveAgents({ tx }: Register, person: PersonName): Promise<void> {
  const theirs = and(eq(agents.owner, person), isNull(agents.leftBy), eq(agents.retired, false));
  await tx.update(agents).set({ leftBy: person }).where(theirs);
}

export async function putAgent(register: Register, agent: Omit<Agent, 'leftBy'>): Promise<void> {
  await refuseRetired(register, agents, agent.name);
  await needPerson(register, agent.owner);
  await needPerson(register, agent.deputy);
  const written = { ...agent, formerOwners: await formerOwners(register, agent) };
  await register.tx.insert(agents).values(written).onConflictDoUpdate({ target: agents.name, set: written });
}

/** One who owned it twice of late counts until the later end. */
export async function formerOwners(
  { tx }: Register,
  agent: Pick<Agent, 'name' | 'owner'>,
): Promise<Agent['formerOwners']> {
  const [row] = await tx
    .select({ owner: agents.owner, former: agents.formerOwners, now: sql<string>`brevet_now()` })
    .from(agents)
    .where(eq(agents.name, agent.name));
  if (row === undefined) return [];
  if (row.owner === agent.owner) return row.former;
  const now = instant(Number(row.now));
  const others = row.former.filter(({ person, until }) => person !== row.owner && after(until, OWNERSHIP_COUNTS) > now);
  return [{ person: row.owner, until: now }, ...others];
}

export async function putIssuer(register: Register, issuer: TrustedIssuer): Promise<void> {
  await refuseRetired(register, issuers, issuer.name);
  const [before] = await register.tx.select().from(issuers).where(eq(issuers.name, issuer.name));
  if (before !== undefined && (before.url !== issuer.url || before.platform !== issuer.platform)) {
    await refuseWhileTrusted(register, issuer.name);
  }
  await register.tx.insert(issuers).values(issuer).onConflictDoUpdate({ target: issuers.name, set: issuer });
}

/** Their ways in and assignments go with them; what they own stays, and gets nothing without an owner. */
export async function removePerson(register: Register, person: PersonName): Promise<void> {
  await needPerson(register, person);
  await leaveAgents(register, person);
  await endWaysInOf(register, person);
  await register.tx.update(persons).set({ active: false, retired: true }).where(eq(persons.name, person));
  await register.tx.update(operators).set({ active: false, retired: true }).where(eq(operators.person, person));
  await endAssignmentsOf(register, { kind: 'person', name: person });
}

export async function removeOperator(register: Register, operator: OperatorName): Promise<void> {
  await needKnown(register, operators, operator, 'operator');
  await register.tx.update(operators).set({ active: false, retired: true }).where(eq(operators.name, operator));
}

export async function removeAgent(register: Register, agent: AgentName): Promise<void> {
  await needAgent(register, agent);
  await register.tx.update(agents).set({ active: false, retired: true }).where(eq(agents.name, agent));
  await enterWhere(register, () =>
    register.tx.select({ tenant: enrolments.tenant }).from(enrolments).where(eq(enrolments.agent, agent)),
  );
  await register.tx.delete(enrolments).where(eq(enrolments.agent, agent));
  await endAssignmentsOf(register, { kind: 'agent', name: agent });
}

export async function removeIssuer(register: Register, issuer: IssuerName): Promise<void> {
  await needIssuer(register, issuer);
  await refuseWhileTrusted(register, issuer);
  await register.tx.update(issuers).set({ retired: true }).where(eq(issuers.name, issuer));
}

export async function putVendor(register: Register, vendor: Vendor): Promise<void> {
  await refuseRetired(register, vendors, vendor.name);
  await register.tx.insert(vendors).values(vendor).onConflictDoUpdate({ target: vendors.name, set: vendor });
}

export async function removeVendor(register: Register, vendor: VendorName): Promise<void> {
  await needKnown(register, vendors, vendor, 'vendor');
  await register.tx.update(vendors).set({ retired: true }).where(eq(vendors.name, vendor));
}

/** Whoever trusts an issuer would trust what it leads to next: while an enrolment names it, it neither moves nor goes. */
async function refuseWhileTrusted({ tx }: Register, issuer: IssuerName): Promise<void> {
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  const trusting = await tx
    .select({ tenant: enrolments.tenant })
    .from(enrolments)
    .where(eq(enrolments.issuer, issuer))
    .limit(1);
  await tx.execute(enter({ role: ROLES.serve, tenants: [DEPLOYMENT, EVERYWHERE] }));
  if (trusting.length > 0) refuse({ unmet: 'in_use', by: 'enrolments trust this issuer' });
}

export async function endAssignmentsOf(register: Register, { kind, name }: Holder): Promise<void> {
  const theirs = and(eq(assignments.holderKind, kind), eq(assignments.holder, name));
  await enterWhere(register, () => register.tx.select({ tenant: assignments.tenant }).from(assignments).where(theirs));
  await register.tx.delete(assignments).where(theirs);
}

/** Finds by the listing role at which tenants something stands, and serves exactly those from then on. */
async function enterWhere({ tx }: Register, find: () => Promise<{ readonly tenant: string }[]>): Promise<void> {
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  const found = await find();
  const tenants = [...new Set([DEPLOYMENT, EVERYWHERE, ...found.map(({ tenant }) => tenant)])];
  await tx.execute(enter({ role: ROLES.serve, tenants }));
}
