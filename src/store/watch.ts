/** Which credentials' use is looked at next. What is written here is no fact: a look moves the one after it. */
import { and, asc, eq, lte, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Queue } from '../core/store/queue.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';

const working = { role: ROLES.work, tenants: [] } as const;

/** One that is ended sooner is looked at more often. */
const nextLook = (every: number): SQL =>
  sql`brevet_now() + 1000 * least(${every}::bigint, (${leases.idle} ->> 'after')::bigint, (${leases.idle} ->> 'unused')::bigint)`;

export function createWatch(link: Link): Pick<Queue, 'watched' | 'sawUse'> {
  return {
    watched: (limit, every) =>
      link.transaction(working, (tx) => {
        const due = tx
          .select({ tenant: leases.tenant, id: leases.id })
          .from(leases)
          .where(and(eq(leases.state, 'active'), lte(leases.lookAt, sql`brevet_now()`)))
          .orderBy(asc(leases.lookAt))
          .limit(limit)
          .for('update', { skipLocked: true });
        return tx
          .update(leases)
          .set({ lookAt: nextLook(every) })
          .where(and(sql`(${leases.tenant}, ${leases.id}) in ${due}`, eq(leases.state, 'active')))
          .returning({ tenant: leases.tenant, lease: leases.id });
      }),
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
