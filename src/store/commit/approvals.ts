/**
 * What people, the agent or time do about an approval: compare-and-set on its version, in one short transaction. A
 * person's word rests on the epochs, so that nobody who lost a function a moment ago is counted.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { beginning } from '../../core/approval.ts';
import type { ApprovalTerms } from '../../core/approval.ts';
import type { ApprovalChange, Unmet } from '../../core/change.ts';
import type { Entry } from '../../core/entry.ts';
import type { ApprovalId, PersonName, TenantName } from '../../core/ids.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import type { Link, Transaction } from '../link.ts';
import { REGISTER_LOCK, ROLES } from '../roles.ts';
import { deployment } from '../schema/deployment.ts';
import { approvals, asks } from '../schema/requests.ts';
import { tenants } from '../schema/tenants.ts';
import { work } from '../schema/work.ts';
import { insertEntriesOf } from './entries.ts';
import { refuse, unmetOf } from './refused.ts';
import { count, spendAt } from './register-console.ts';

export async function commitApproval(
  link: Link,
  change: ApprovalChange,
  written: readonly Entry[],
): Promise<Result<null, Unmet>> {
  try {
    await link.transaction({ role: ROLES.serve, tenants: [change.tenant] }, async (tx) => {
      // In a statement of its own: those after it see what was committed before the lock was had.
      await tx.execute(sql`select pg_advisory_xact_lock_shared(${REGISTER_LOCK})`);
      if (change.when !== null) await demand(tx, change.tenant, change.when);
      if (change.fence !== null) await finish(tx, change);
      await move(tx, change);
      if (change.next !== null) await insertApproval(tx, change.next);
      if (change.work.length > 0) {
        await tx
          .insert(work)
          .values(change.work.map(({ id, due, what }) => ({ id, due, what, tenant: change.tenant })));
      }
      await insertEntriesOf(tx, change.tenant, written);
    });
    return ok(null);
  } catch (error) {
    const unmet = unmetOf(error);
    if (unmet === null) throw error;
    return err(unmet);
  }
}

async function demand(
  tx: Transaction,
  tenant: TenantName,
  { epochs, oneUse, counts }: NonNullable<ApprovalChange['when']>,
): Promise<void> {
  const [now] = await tx
    .select({ tenant: tenants.epoch, deployment: deployment.epoch })
    .from(tenants)
    .innerJoin(deployment, sql`true`)
    .where(and(eq(tenants.name, tenant), eq(tenants.retired, false)));
  if (now?.tenant !== epochs.tenant || now.deployment !== epochs.deployment) refuse({ unmet: 'moved' });
  if (counts !== null) await count(tx, counts);
  if (oneUse !== null) await spendAt(tx, tenant, oneUse);
}

async function finish(tx: Transaction, { tenant, fence }: ApprovalChange): Promise<void> {
  if (fence === null) return;
  const held = await tx
    .delete(work)
    .where(and(eq(work.id, fence.work), eq(work.tenant, tenant), eq(work.attempt, fence.attempt)))
    .returning({ id: work.id });
  if (held.length === 0) refuse({ unmet: 'fenced' });
}

async function move(tx: Transaction, { tenant, approval, move: to, time }: ApprovalChange): Promise<void> {
  const { from, to: state, version, asks: asked, ...set } = to;
  const moved = await tx
    .update(approvals)
    .set({ ...set, state, version: version + 1 })
    .where(
      and(
        eq(approvals.tenant, tenant),
        eq(approvals.id, approval),
        eq(approvals.state, from),
        eq(approvals.version, version),
        inTime(time),
      ),
    )
    .returning({ due: approvals.expiresAt });
  const [row] = moved;
  if (row === undefined) return refuse({ unmet: 'approval' });
  if (state !== 'pending') {
    await tx.delete(asks).where(and(eq(asks.tenant, tenant), eq(asks.approval, approval)));
  } else if (asked !== undefined) await ask(tx, { tenant, approval, due: row.due }, asked);
}

/** The end that counts is that of the state: of the answer, or of the redemption. */
function inTime(time: ApprovalChange['time']): SQL | undefined {
  const end = sql`case ${approvals.state} when 'approved' then coalesce(${approvals.redeemBy}, 0) else ${approvals.expiresAt} end`;
  switch (time) {
    case 'before_end':
      return sql`${end} > brevet_now()`;
    case 'after_end':
      return sql`${end} <= brevet_now()`;
    case 'any':
      return undefined;
  }
}

async function insertApproval(tx: Transaction, terms: ApprovalTerms): Promise<void> {
  const { id, tenant, request, agent, expiresAt } = terms;
  const { step, stepEndsAt, asks: asked } = beginning(terms);
  await tx.insert(approvals).values({ id, tenant, request, agent, expiresAt, terms, step, stepEndsAt });
  await ask(tx, { tenant, approval: id, due: expiresAt }, asked);
}

const ask = (
  tx: Transaction,
  row: { readonly tenant: TenantName; readonly approval: ApprovalId; readonly due: Instant },
  persons: readonly PersonName[],
) =>
  persons.length === 0
    ? Promise.resolve()
    : tx
        .insert(asks)
        .values(persons.map((person) => ({ ...row, person })))
        .onConflictDoNothing();
