/** Which credentials' use is looked at next. What is written here is no fact: a look moves the one after it. */
import { and, eq, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Queue } from '../core/store/queue.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';

const working = { role: ROLES.work, tenants: [] } as const;

/** One that is ended sooner is looked at more often. */
const nextLook = (every: number): SQL =>
  sql`brevet_now() + 1000 * least(${every}::bigint, (${leases.idle} ->> 'after')::bigint, (${leases.idle} ->> 'unused')::bigint)`;

/** Tenants take turns, each with the longest due first: one with thousands delays no other. */
const due = (limit: number): SQL => sql`
  with queued as (
    select tenant, id, look_at, row_number() over (partition by tenant order by look_at, id) as nth
    from leases where state = 'active' and look_at <= brevet_now()),
  fair as (select tenant, id from queued order by nth, look_at limit ${limit})
  select l.tenant, l.id from leases l join fair using (tenant, id)
  where l.state = 'active' and l.look_at <= brevet_now() for update of l skip locked`;

export function createWatch(link: Link): Pick<Queue, 'watched' | 'sawUse'> {
  return {
    watched: (limit, every) =>
      link.transaction(working, (tx) =>
        tx
          .update(leases)
          .set({ lookAt: nextLook(every) })
          .where(and(sql`(${leases.tenant}, ${leases.id}) in (${due(limit)})`, eq(leases.state, 'active')))
          .returning({ tenant: leases.tenant, lease: leases.id }),
      ),
    sawUse: async (tenant, lease, at) => {
      await link.transaction(working, (tx) =>
        tx
          .update(leases)
          .set({ usedAt: sql`greatest(${leases.usedAt}, ${at}::bigint)` })
          .where(and(eq(leases.tenant, tenant), eq(leases.id, lease), eq(leases.state, 'active'))),
      );
    },
  };
}
