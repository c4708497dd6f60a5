/**
 * Assignments, and the membership that each gives: the database refuses a second function by it, and this only asks.
 */
import { and, eq, lte, ne, or, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import type { Assignment } from '../../core/registers.ts';
import { EVERYWHERE } from '../schema/columns.ts';
import { policies } from '../schema/deployment.ts';
import { assignments, memberships } from '../schema/tenants.ts';
import { needActivePerson, needAgent, needPerson } from './register-names.ts';
import { openReview } from './register-oversight.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Put = Extract<RegisterChange, { readonly kind: 'assignment.put' }>;

export async function putAssignment(register: Register, { assignment, glass }: Put): Promise<void> {
  await needRole(register, assignment);
  await assign(register, assignment);
  if (glass !== undefined) await openReview(register, glass.review);
}

/** The function comes from the author's reading of a bundle, which another may have replaced since. */
async function needRole({ tx, now }: Register, { role, function: given }: Assignment): Promise<void> {
  const [active] =
    now.policy === null
      ? []
      : await tx.select({ functions: policies.functions }).from(policies).where(eq(policies.version, now.policy));
  const current = active?.functions[role];
  if (current === undefined) refuse({ unmet: 'missing', what: 'role' });
  if (current !== given) refuse({ unmet: 'moved' });
}

export async function assign(register: Register, assignment: Assignment): Promise<void> {
  const { tx } = register;
  const { holder, id, role, until, reviewer } = assignment;
  await (holder.kind === 'agent' ? needAgent(register, holder.name) : needActivePerson(register, holder.name));
  await needPerson(register, reviewer);
  const held = {
    tenant: assignment.tenant ?? EVERYWHERE,
    holderKind: holder.kind,
    holder: holder.name as string,
    function: assignment.function,
  };
  await makeRoom(register, { ...held, id, role });
  await tx.insert(memberships).values(held).onConflictDoNothing();
  await tx.insert(assignments).values({ ...held, id, role, until, reviewer });
}

/**
 * What has ended stands in nobody's way, and the same role given anew replaces what it was. Administration does not
 * lapse by date alone, since the last two administrators keep it.
 */
async function makeRoom(
  { tx }: Register,
  row: Pick<typeof assignments.$inferSelect, 'tenant' | 'holderKind' | 'holder' | 'id' | 'role'>,
): Promise<void> {
  const lapsed = and(lte(assignments.until, sql`brevet_now()`), ne(assignments.function, 'administration'));
  await tx
    .delete(assignments)
    .where(
      and(
        eq(assignments.tenant, row.tenant),
        eq(assignments.holderKind, row.holderKind),
        eq(assignments.holder, row.holder),
        or(eq(assignments.id, row.id), eq(assignments.role, row.role), lapsed),
      ),
    );
}

export async function endAssignment({ tx }: Register, { id, tenant }: Assignment): Promise<void> {
  const ended = await tx
    .delete(assignments)
    .where(and(eq(assignments.id, id), eq(assignments.tenant, tenant ?? EVERYWHERE)))
    .returning({ id: assignments.id });
  if (ended.length === 0) refuse({ unmet: 'missing', what: 'assignment' });
}
