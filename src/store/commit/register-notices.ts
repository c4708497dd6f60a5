/** Of which task classes nobody could be told in time, at a tenant. */
import { and, eq } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import { lateNotices } from '../schema/tenants.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Of<Kind extends RegisterChange['kind']> = Extract<RegisterChange, { readonly kind: Kind }>;

export async function noteLate({ tx }: Register, { tenant, task, since }: Of<'notice.late'>): Promise<void> {
  const noted = await tx.insert(lateNotices).values({ tenant, task, since }).onConflictDoNothing().returning();
  if (noted.length === 0) refuse({ unmet: 'taken', by: 'another that was late' });
}

export async function catchUp({ tx }: Register, { tenant, task }: Of<'notice.caught_up'>): Promise<void> {
  const ended = await tx
    .delete(lateNotices)
    .where(and(eq(lateNotices.tenant, tenant), eq(lateNotices.task, task)))
    .returning();
  if (ended.length === 0) refuse({ unmet: 'missing', what: 'late notice' });
}
