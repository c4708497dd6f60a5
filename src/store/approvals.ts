/**
 * Approvals as they are read back. A person's own list is read from `asks`, so that it costs the same however much waits
 * for others.
 */
import { and, asc, count, countDistinct, desc, eq, gt, inArray, lt, ne, or, sql } from 'drizzle-orm';
import type { Approval } from '../core/approval.ts';
import type { ApprovalId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { ApprovalReads } from '../core/store/approvals.ts';
import { withoutSecret } from './lease-columns.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { approvals, asks, leases, requests, spread } from './schema/requests.ts';

/** As many steps as a person goes through in one sitting. */
const STEPS_OF_A_PLAN = 50;

export function createApprovalReads(link: Link): ApprovalReads {
  const across = { role: ROLES.list, tenants: [] };
  return {
    approval: (tenant, id) =>
      link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
        const which = and(eq(approvals.tenant, tenant), eq(approvals.id, id));
        const [row] = await tx.select().from(approvals).where(which);
        return row === undefined ? null : approvalOf(row);
      }),
    askedBefore: (tenant, task, limit) =>
      link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
        const rows = await tx
          .select({ request: requests, approval: approvals, lease: withoutSecret })
          .from(requests)
          .leftJoin(
            approvals,
            and(
              eq(approvals.tenant, requests.tenant),
              eq(approvals.request, requests.id),
              ne(approvals.state, 'superseded'),
            ),
          )
          .leftJoin(leases, and(eq(leases.tenant, requests.tenant), eq(leases.id, requests.lease)))
          .where(and(eq(requests.tenant, tenant), eq(requests.task, task), eq(requests.effect, 'ask')))
          .orderBy(desc(requests.id))
          .limit(limit);
        return rows.map(({ request, approval, lease }) => ({
          request: { ...request, approval: approval && approvalOf(approval) },
          lease: request.lease === null ? null : (lease as Lease | null),
        }));
      }),
    planned: (tenant, agent, plan) =>
      link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
        const rows = await tx
          .select()
          .from(approvals)
          .where(
            and(
              eq(approvals.tenant, tenant),
              eq(approvals.agent, agent),
              eq(approvals.state, 'pending'),
              sql`${approvals.terms}->>'plan' = ${plan}`,
            ),
          )
          .orderBy(asc(approvals.id))
          .limit(STEPS_OF_A_PLAN);
        return rows.flatMap((row) => approvalOf(row) ?? []);
      }),
    elsewhere: ({ owner, agent, task, place }, since) =>
      link.transaction({ role: ROLES.serve, tenants: [] }, async (tx) => {
        const [row] = await tx
          .select({ n: countDistinct(spread.place) })
          .from(spread)
          .where(
            and(
              eq(spread.task, task),
              or(eq(spread.owner, owner), eq(spread.agent, agent)),
              ne(spread.place, place),
              gt(spread.at, since),
            ),
          );
        return row?.n ?? 0;
      }),
    asked: ({ person, limit, after }) =>
      link.transaction(across, async (tx) => {
        const beyond =
          after === null
            ? undefined
            : sql`(${asks.due}, ${asks.approval}) > (${after.due}::bigint, ${after.approval}::text)`;
        const rows = await tx
          .select({ approval: approvals })
          .from(asks)
          .innerJoin(approvals, and(eq(approvals.tenant, asks.tenant), eq(approvals.id, asks.approval)))
          .where(and(eq(asks.person, person), beyond))
          .orderBy(asc(asks.due), asc(asks.approval))
          .limit(limit);
        return rows.flatMap(({ approval }) => approvalOf(approval) ?? []);
      }),
    openAsks: (persons) =>
      link.transaction(across, async (tx) => {
        const rows = await tx
          .select({ person: asks.person, n: count() })
          .from(asks)
          .where(and(inArray(asks.person, [...persons]), gt(asks.due, sql`(select brevet_now())`)))
          .groupBy(asks.person);
        return new Map(rows.map(({ person, n }) => [person, n]));
      }),
    approvals: ({ within, before, limit }) =>
      within.length === 0
        ? Promise.resolve([])
        : link.transaction(across, async (tx) => {
            const which = and(
              inArray(approvals.tenant, [...within]),
              before === null ? undefined : lt(approvals.id, before as ApprovalId),
            );
            const rows = await tx.select().from(approvals).where(which).orderBy(desc(approvals.id)).limit(limit);
            return rows.flatMap((row) => approvalOf(row) ?? []);
          }),
  };
}

/** `null` for one from before people could answer, of which no more is known than that it is over. */
export function approvalOf({ terms, agent, expiresAt, ...row }: typeof approvals.$inferSelect): Approval | null {
  return 'binding' in terms ? { ...terms, ...row, agent, expiresAt } : null;
}
