/** A tenant's context, and what changes there by the hour. */
import { and, eq, gt, lte, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import type { Situation } from '../../core/registers.ts';
import { situations, tenants } from '../schema/tenants.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Of<Kind extends RegisterChange['kind']> = Extract<RegisterChange, { readonly kind: Kind }>;

export async function putContext({ tx }: Register, { tenant, context }: Of<'context.put'>): Promise<void> {
  await tx.update(tenants).set({ context }).where(eq(tenants.name, tenant));
}

/** What has ended is in nobody's way, and goes with the next. */
export async function setSituation({ tx }: Register, situation: Situation): Promise<void> {
  const { tenant } = situation;
  await tx.delete(situations).where(and(eq(situations.tenant, tenant), lte(situations.until, sql`brevet_now()`)));
  await tx.insert(situations).values(situation);
}

export async function endSituation({ tx }: Register, { tenant, situation, of }: Of<'situation.end'>): Promise<void> {
  const ended = await tx
    .delete(situations)
    .where(
      and(
        eq(situations.tenant, tenant),
        eq(situations.id, situation),
        eq(situations.kind, of),
        gt(situations.until, sql`brevet_now()`),
      ),
    )
    .returning({ id: situations.id });
  if (ended.length === 0) refuse({ unmet: 'missing', what: 'situation' });
}
