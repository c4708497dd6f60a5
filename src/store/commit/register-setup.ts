/** Set-up, and the tokens that the machine of the deployment key makes. */
import { and, eq, not, sql } from 'drizzle-orm';
import type { OneUse } from '../../core/change/once.ts';
import type { RegisterChange } from '../../core/change/register.ts';
import type { OperatorName, PersonName } from '../../core/ids.ts';
import type { Transaction } from '../link.ts';
import { EVERYWHERE } from '../schema/columns.ts';
import { deployment, operators, persons } from '../schema/deployment.ts';
import { assignments } from '../schema/tenants.ts';
import { assign } from './register-assignments.ts';
import { spend } from './register-console.ts';
import { putOperator, putPerson } from './register-names.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

/** Administrators who have to be seen with a token that is not local. */
const WITNESSES = 2;
/** Why nothing is issued, as agents hear it. */
const RECOVERY = 'fewer than two administrators were left, and set-up has to end again';

/** In an empty broker alone: also a person who was removed was once there. */
export async function beginSetup(
  register: Register,
  { person, operator, assignment }: Extract<RegisterChange, { readonly kind: 'setup.begin' }>,
): Promise<void> {
  const { tx, now } = register;
  const [someone] = await tx.select({ name: persons.name }).from(persons).limit(1);
  if (now.setUp !== 'empty' || someone !== undefined) refuse({ unmet: 'taken', by: someone?.name ?? 'set-up' });
  await putPerson(register, person);
  await putOperator(register, operator);
  await assign(register, assignment);
  await tx.update(deployment).set({ setUp: 'lasts' });
}

/**
 * Where fewer than two administrators are left, whoever holds the deployment key is one once more. Nothing is issued
 * until two have been seen.
 */
export async function recoverSetup(
  register: Register,
  { person, operator, assignment, oneUse }: Extract<RegisterChange, { readonly kind: 'setup.recover' }>,
): Promise<void> {
  const { tx, now } = register;
  if (now.setUp !== 'ended') refuse({ unmet: 'taken', by: 'set-up' });
  const left = await administratorsLeft(tx);
  if (left.length >= WITNESSES) refuse({ unmet: 'taken', by: left.join(' and ') });
  await spend(register, oneUse);
  await putPerson(register, person);
  await putOperator(register, operator);
  await assign(register, assignment);
  await tx.update(deployment).set({ setUp: 'lasts', witnesses: [], stopped: RECOVERY });
}

/** Who may administer, and has a way in. By date alone their assignments do not lapse. */
async function administratorsLeft(tx: Transaction): Promise<readonly PersonName[]> {
  const rows = await tx
    .selectDistinct({ name: persons.name })
    .from(assignments)
    .innerJoin(persons, and(eq(persons.name, sql`${assignments.holder}`), persons.active, not(persons.retired)))
    .innerJoin(operators, and(eq(operators.person, persons.name), operators.active, not(operators.retired)))
    .where(and(eq(assignments.tenant, EVERYWHERE), eq(assignments.function, 'administration')))
    .orderBy(persons.name);
  return rows.map(({ name }) => name);
}

/** Ends set-up, for good, with the second administrator; the same one again changes nothing. */
export async function witnessSetup({ tx, now }: Register, person: PersonName): Promise<void> {
  if (now.setUp !== 'lasts') refuse({ unmet: 'missing', what: 'set-up' });
  if (now.witnesses.includes(person)) refuse({ unmet: 'taken', by: person });
  const administrators = await tx
    .select({ holder: assignments.holder })
    .from(assignments)
    .where(and(eq(assignments.tenant, EVERYWHERE), eq(assignments.holderKind, 'person')));
  const names = new Set(administrators.map(({ holder }) => holder));
  if (!names.has(person)) refuse({ unmet: 'missing', what: 'administrator' });
  // One who has ceased to administer since is no witness any more.
  const witnesses = [...now.witnesses.filter((name) => names.has(name)), person];
  const over = { setUp: 'ended', stopped: null } as const;
  await tx.update(deployment).set({ witnesses, ...(witnesses.length >= WITNESSES ? over : {}) });
}

export async function makeLocalToken(register: Register, operator: OperatorName, oneUse: OneUse): Promise<void> {
  const [known] = await register.tx.select().from(operators).where(eq(operators.name, operator));
  if (known?.active !== true || known.retired) refuse({ unmet: 'missing', what: 'operator' });
  await spend(register, oneUse);
}
