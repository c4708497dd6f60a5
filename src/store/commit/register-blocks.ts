/** Kill switches: raised and lifted at each tenant that they reach, in one transaction. */
import { and, eq, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import { blocks } from '../schema/tenants.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Of<Kind extends RegisterChange['kind']> = Extract<RegisterChange, { readonly kind: Kind }>;

export async function raiseBlock(
  { tx }: Register,
  { blocks: raised, reason, drill, deniesRoles }: Of<'block.raise'>,
): Promise<void> {
  await tx.insert(blocks).values(raised.map((block) => ({ ...block, reason, drill, deniesRoles })));
}

export async function liftBlock({ tx }: Register, { block, tenants, by }: Of<'block.lift'>): Promise<void> {
  const lifted = await tx
    .update(blocks)
    .set({ liftedAt: sql`brevet_now()`, liftedBy: by })
    .where(
      and(
        inArray(blocks.tenant, [...tenants]),
        eq(blocks.id, block),
        isNull(blocks.liftedAt),
        or(isNull(blocks.until), gt(blocks.until, sql`brevet_now()`)),
      ),
    )
    .returning({ tenant: blocks.tenant });
  if (lifted.length < tenants.length) refuse({ unmet: 'missing', what: 'block' });
}

/** Once, whoever else was at it meanwhile. */
export async function reportBlock({ tx }: Register, { block, tenants }: Of<'block.report'>): Promise<void> {
  const reported = await tx
    .update(blocks)
    .set({ reportedAt: sql`brevet_now()` })
    .where(and(inArray(blocks.tenant, [...tenants]), eq(blocks.id, block), isNull(blocks.reportedAt)))
    .returning({ tenant: blocks.tenant });
  if (reported.length < tenants.length) refuse({ unmet: 'taken', by: 'an earlier report' });
}
