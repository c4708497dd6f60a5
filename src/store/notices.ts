/** What telling people reads and notes: the order of notices, how channels stand, and what a digest is made of. */
import { and, asc, count, desc, eq, gte, inArray, isNotNull, lt, min, sql } from 'drizzle-orm';
import type { NoticeReads } from '../core/store/notices.ts';
import type { Link } from './link.ts';
import { withoutSecret } from './lease-columns.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';
import { channels, work } from './schema/work.ts';

/** A reason is a sentence of ours. */
const WHY_LENGTH = 300;

const now = sql`brevet_now()`;
const working = { role: ROLES.work, tenants: [] } as const;

export const createNotices = (link: Link): NoticeReads => ({
  isNext: ({ of, nth }) =>
    link.transaction(working, async (tx) => {
      const [earlier] = await tx
        .select({ id: work.id })
        .from(work)
        .where(and(eq(sql`(what->'order'->>'of')`, of), lt(sql`(what->'order'->>'nth')::bigint`, nth)))
        .limit(1);
      return earlier === undefined;
    }),
  channels: () => link.transaction(working, (tx) => tx.select().from(channels).orderBy(asc(channels.name))),
  untold: (within) =>
    link.transaction(working, async (tx) => {
      const these = and(
        inArray(sql`(what->>'task')`, ['notice', 'digest']),
        isNotNull(work.why),
        within === null ? undefined : inArray(work.tenant, [...within]),
      );
      const [found] = await tx
        .select({ count: count(), since: min(work.enqueuedAt) })
        .from(work)
        .where(these);
      return { count: found?.count ?? 0, since: found?.since ?? null };
    }),
  usedChannel: async (name, why) => {
    const failed = why !== null;
    const fresh = {
      toldAt: failed ? null : now,
      failingSince: failed ? now : null,
      why: why?.slice(0, WHY_LENGTH) ?? null,
    };
    const again = failed ? { failingSince: sql`coalesce(${channels.failingSince}, ${now})`, why: fresh.why } : fresh;
    await link.transaction(working, (tx) =>
      tx
        .insert(channels)
        .values({ name, ...fresh })
        .onConflictDoUpdate({ target: channels.name, set: again }),
    );
  },
  opened: (tenant, { from, until, tiers, limit }) =>
    link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
      const these = and(
        eq(leases.tenant, tenant),
        gte(leases.openedAt, from),
        lt(leases.openedAt, until),
        inArray(leases.tier, [...tiers]),
      );
      const found = await tx.select(withoutSecret).from(leases).where(these).orderBy(desc(leases.id)).limit(limit);
      const [all] = await tx.select({ n: count() }).from(leases).where(these);
      return { leases: found, count: all?.n ?? 0 };
    }),
});
