/** Targets as they are now: each by its newest version. */
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { TenantName } from '../core/ids.ts';
import type { TargetVersion } from '../core/registers.ts';
import type { Transaction } from './link.ts';
import { targets, targetVersions, tenants } from './schema/tenants.ts';

export async function standingTargets(
  tx: Transaction,
  names: readonly TenantName[],
): Promise<readonly TargetVersion[]> {
  const rows = await tx
    .select({ version: targetVersions })
    .from(targets)
    .innerJoin(tenants, and(eq(tenants.name, targets.tenant), eq(tenants.retired, false)))
    .innerJoin(
      targetVersions,
      and(
        eq(targetVersions.tenant, targets.tenant),
        eq(targetVersions.name, targets.name),
        eq(targetVersions.version, targets.version),
      ),
    )
    .where(and(inArray(targets.tenant, [...names]), eq(targets.retired, false)))
    .orderBy(asc(targets.tenant), asc(targets.name));
  return rows.map(({ version }) => version);
}
