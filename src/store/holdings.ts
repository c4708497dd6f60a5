/** What people and agents hold, over all tenants: for those who take it away, and for the inventory. */
import { and, asc, count, desc, eq, gt, gte, inArray, isNull, lt, max, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Lease } from '../core/lease.ts';
import type { Holding } from '../core/store/leases.ts';
import type { LeaseReads } from '../core/store/leases.ts';
import { instant } from '../core/time.ts';
import type { Link } from './link.ts';
import { withoutSecret } from './lease-columns.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';
import { assignments, enrolments } from './schema/tenants.ts';
import { assignmentOf } from './snapshot.ts';

type HoldingReads = Pick<LeaseReads, 'ending' | 'standing' | 'unended' | 'placements'>;

const UNENDED = ['opening', 'active', 'revoking'] as const;

const heldBy = ({ tenant, owner, agents }: Holding): SQL | undefined =>
  and(
    tenant === null ? undefined : eq(leases.tenant, tenant),
    or(
      owner === null ? undefined : eq(leases.owner, owner),
      agents === null ? undefined : inArray(leases.agent, [...agents]),
    ),
  );

export function createHoldingReads(link: Link): HoldingReads {
  const listing = { role: ROLES.list, tenants: [] };
  return {
    ending: ({ since, before, limit, ...of }) =>
      link.transaction(listing, (tx) =>
        tx
          .select(withoutSecret)
          .from(leases)
          .where(
            and(
              heldBy(of),
              or(inArray(leases.state, UNENDED), gte(leases.revokingAt, since)),
              before === null ? undefined : lt(leases.id, before as Lease['id']),
            ),
          )
          .orderBy(desc(leases.id))
          .limit(limit),
      ),
    standing: (ids) =>
      link.transaction(listing, async (tx) => {
        const rows = await tx
          .select({ id: leases.id, tenant: leases.tenant, state: leases.state })
          .from(leases)
          // As one parameter: there may be more of them than a statement takes.
          .where(sql`${leases.id} = any(string_to_array(${ids.join(' ')}, ' '))`);
        return new Map(rows.map(({ id, ...row }) => [id, row]));
      }),
    unended: (of) =>
      link.transaction(listing, async (tx) => {
        const [row] = await tx
          .select({ n: count() })
          .from(leases)
          .where(and(heldBy(of), inArray(leases.state, UNENDED)));
        return row?.n ?? 0;
      }),
    placements: (within) =>
      link.transaction(listing, async (tx) => {
        const enrolled = await tx
          .select({ tenant: enrolments.tenant, agent: enrolments.agent })
          .from(enrolments)
          .where(within === null ? undefined : inArray(enrolments.tenant, [...within]))
          .orderBy(asc(enrolments.tenant), asc(enrolments.agent));
        const held = await tx
          .select()
          .from(assignments)
          .where(
            and(
              eq(assignments.holderKind, 'agent'),
              or(isNull(assignments.until), gt(assignments.until, sql`brevet_now()`)),
              within === null ? undefined : inArray(assignments.tenant, [...within]),
            ),
          )
          .orderBy(asc(assignments.tenant), asc(assignments.role));
        const used = await tx
          .select({
            tenant: leases.tenant,
            agent: leases.agent,
            role: leases.role,
            lastAt: max(leases.openedAt),
          })
          .from(leases)
          .where(within === null ? undefined : inArray(leases.tenant, [...within]))
          .groupBy(leases.tenant, leases.agent, leases.role);
        const uses = used.map(({ lastAt, ...of }) => ({ ...of, lastAt: instant(Number(lastAt)) }));
        return { enrolments: enrolled, assignments: held.map(assignmentOf), uses };
      }),
  };
}
