/** When people are away. */
import { and, eq, gt, sql } from 'drizzle-orm';
import type { PersonName } from '../../core/ids.ts';
import type { Absence } from '../../core/registers.ts';
import { absences } from '../schema/deployment.ts';
import { needPerson } from './register-names.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function putAbsence(register: Register, absence: Absence): Promise<void> {
  await needPerson(register, absence.person);
  await register.tx.insert(absences).values(absence).onConflictDoUpdate({ target: absences.person, set: absence });
}

export async function endAbsence({ tx }: Register, person: PersonName): Promise<void> {
  const ended = await tx
    .delete(absences)
    .where(and(eq(absences.person, person), gt(absences.until, sql`brevet_now()`)))
    .returning({ person: absences.person });
  if (ended.length === 0) refuse({ unmet: 'missing', what: 'absence' });
}
