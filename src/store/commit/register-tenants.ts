/** Tenants and their targets. */
import { and, eq, ne, or, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import type { TargetName, TenantName } from '../../core/ids.ts';
import { NO_CONTEXT } from '../../core/registers.ts';
import type { SigningKey, TargetVersion } from '../../core/registers.ts';
import {
  assignments,
  enrolments,
  signingKeys,
  situations,
  targetAudiences,
  targets,
  targetVersions,
  tenants,
} from '../schema/tenants.ts';
import { enter } from '../link.ts';
import { ROLES } from '../roles.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type TenantPut = Extract<RegisterChange, { readonly kind: 'tenant.put' }>['tenant'];

/** What it says of the context is laid over what stands there under the lock. */
export async function putTenant({ tx }: Register, tenant: TenantPut, keys: readonly SigningKey[]): Promise<void> {
  const [known] = await tx
    .select({ retired: tenants.retired, context: tenants.context })
    .from(tenants)
    .where(eq(tenants.name, tenant.name));
  if (known?.retired === true) refuse({ unmet: 'retired' });
  const row = { ...tenant, context: { ...NO_CONTEXT, ...known?.context, ...tenant.context } };
  await tx.insert(tenants).values(row).onConflictDoUpdate({ target: tenants.name, set: row });
  if (keys.length > 0)
    await tx
      .insert(signingKeys)
      .values([...keys])
      .onConflictDoNothing();
}

/** Who worked there works there no more; what was written stays. */
export async function removeTenant({ tx }: Register, tenant: TenantName): Promise<void> {
  const removed = await tx
    .update(tenants)
    .set({ retired: true })
    .where(and(eq(tenants.name, tenant), eq(tenants.retired, false)))
    .returning({ name: tenants.name });
  if (removed.length === 0) refuse({ unmet: 'missing', what: 'tenant' });
  await tx.delete(assignments).where(eq(assignments.tenant, tenant));
  await tx.delete(enrolments).where(eq(enrolments.tenant, tenant));
  await tx.delete(situations).where(eq(situations.tenant, tenant));
  await tx.update(targets).set({ audience: null, secretHash: null }).where(eq(targets.tenant, tenant));
  await tx.delete(targetAudiences).where(eq(targetAudiences.tenant, tenant));
}

/** @returns the version given to it. */
export async function putTarget(
  register: Register,
  { target, audience, secretHash }: Extract<RegisterChange, { readonly kind: 'target.put' }>,
): Promise<number> {
  const { tx } = register;
  const { tenant, name } = target;
  const at = and(eq(targets.tenant, tenant), eq(targets.name, name));
  const [known] = await tx.select().from(targets).where(at);
  if (known?.retired === true) refuse({ unmet: 'retired' });
  if (secretHash !== null && target.mspWide === null) await refuseKnownSecret(register, target, secretHash);
  if (audience !== null) await claimAudience(register, tenant, audience);
  const version = (known?.version ?? 0) + 1;
  await tx
    .insert(targets)
    .values({ tenant, name, version, audience, secretHash })
    .onConflictDoUpdate({ target: [targets.tenant, targets.name], set: { version, audience, secretHash } });
  await tx.insert(targetVersions).values({ ...target, version });
  if (known !== undefined && known.audience !== audience) await freeAudiences(register, tenant);
  return version;
}

/** The same answer wherever the other is: whose it is stays untold. */
async function refuseKnownSecret(
  { tx }: Register,
  { tenant, name }: Pick<TargetVersion, 'tenant' | 'name'>,
  secretHash: string,
): Promise<void> {
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  const others = await tx
    .select({ name: targets.name })
    .from(targets)
    .where(and(eq(targets.secretHash, secretHash), or(ne(targets.tenant, tenant), ne(targets.name, name))))
    .limit(1);
  await tx.execute(enter({ role: ROLES.serve, tenants: [tenant] }));
  if (others.length > 0) refuse({ unmet: 'taken', by: 'secret of another target' });
}

/** Another tenant's row is not seen here, and yet stands in the way. */
async function claimAudience({ tx }: Register, tenant: TenantName, audience: string): Promise<void> {
  await tx.insert(targetAudiences).values({ tenant, audience }).onConflictDoNothing();
  const ours = await tx.select().from(targetAudiences).where(eq(targetAudiences.audience, audience));
  if (ours.length === 0) refuse({ unmet: 'taken', by: `audience ${audience}` });
}

async function freeAudiences({ tx }: Register, tenant: TenantName): Promise<void> {
  await tx
    .delete(targetAudiences)
    .where(
      and(
        eq(targetAudiences.tenant, tenant),
        sql`not exists (select from ${targets} where ${targets.tenant} = ${tenant} and ${targets.audience} = ${targetAudiences.audience})`,
      ),
    );
}

export async function removeTarget(register: Register, tenant: TenantName, target: TargetName): Promise<void> {
  const removed = await register.tx
    .update(targets)
    .set({ retired: true, audience: null, secretHash: null })
    .where(and(eq(targets.tenant, tenant), eq(targets.name, target), eq(targets.retired, false)))
    .returning({ name: targets.name });
  if (removed.length === 0) refuse({ unmet: 'missing', what: 'target' });
  await freeAudiences(register, tenant);
}
