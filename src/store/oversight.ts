/** What oversight wrote down, as it is read back; over tenants by the listing role, within those that its caller names. */
import { and, asc, desc, eq, gt, inArray, isNull, lt, sql } from 'drizzle-orm';
import { newId } from '../core/ids.ts';
import { instant } from '../core/time.ts';
import type { OrderId, PauseId, ReviewId, TenantName, TripId } from '../core/ids.ts';
import type { KeptPause, KeptReview, KeptTrip } from '../core/oversight.ts';
import type { OversightReads } from '../core/store/oversight.ts';
import type { Link, Transaction } from './link.ts';
import { approvals } from './schema/requests.ts';
import { ROLES } from './roles.ts';
import { EVERYWHERE } from './schema/columns.ts';
import { orders, pauses, reviews, trips, verdicts } from './schema/oversight.ts';
import { blocks } from './schema/tenants.ts';

/** No ask waits longer for its answer. */
const ASK_LASTS_MS = 7 * 24 * 3600 * 1000;

const listing = { role: ROLES.list, tenants: [] } as const;
const at = (tenant: TenantName) => ({ role: ROLES.serve, tenants: [tenant] }) as const;

export function createOversightReads(link: Link): OversightReads {
  return {
    verdicts: (tenant, lease) =>
      link.transaction(at(tenant), (tx) =>
        tx
          .select()
          .from(verdicts)
          .where(and(eq(verdicts.tenant, tenant), eq(verdicts.lease, lease)))
          .orderBy(asc(verdicts.at), asc(verdicts.id)),
      ),
    pauses: ({ within, before, limit, standing }) =>
      link.transaction(listing, async (tx) => {
        const which = and(
          inArray(pauses.tenant, [...within, EVERYWHERE]),
          before === null ? undefined : lt(pauses.id, before as PauseId),
          standing ? isNull(pauses.endedAt) : undefined,
        );
        const ids = await tx
          .selectDistinct({ id: pauses.id })
          .from(pauses)
          .where(which)
          .orderBy(desc(pauses.id))
          .limit(limit);
        const found = ids.map(({ id }) => id);
        if (found.length === 0) return [];
        const rows = await tx
          .select()
          .from(pauses)
          .where(and(inArray(pauses.id, found), inArray(pauses.tenant, [...within, EVERYWHERE])))
          .orderBy(desc(pauses.id), asc(pauses.tenant));
        return togetherById(rows);
      }),
    pause: (id, within) =>
      link.transaction(listing, async (tx) => {
        const which = and(eq(pauses.id, id), inArray(pauses.tenant, [...within, EVERYWHERE]));
        return togetherById(await tx.select().from(pauses).where(which).orderBy(asc(pauses.tenant)))[0] ?? null;
      }),
    order: (tenant, id) =>
      link.transaction(at(tenant), async (tx) => {
        const which = and(eq(orders.tenant, tenant), eq(orders.id, id));
        return (await tx.select().from(orders).where(which))[0] ?? null;
      }),
    orderFor: (tenant, lease) =>
      link.transaction(at(tenant), async (tx) => {
        const which = and(eq(orders.tenant, tenant), eq(orders.lease, lease));
        return (await tx.select().from(orders).where(which))[0] ?? null;
      }),
    openOrders: (tenant, agent) =>
      link.transaction(at(tenant), (tx) =>
        tx
          .select()
          .from(orders)
          .where(
            and(
              eq(orders.tenant, tenant),
              eq(orders.agent, agent),
              isNull(orders.request),
              gt(orders.until, sql`brevet_now()`),
            ),
          )
          .orderBy(asc(orders.at), asc(orders.id)),
      ),
    orders: ({ within, before, limit }) =>
      link.transaction(listing, (tx) =>
        tx
          .select()
          .from(orders)
          .where(
            and(inArray(orders.tenant, [...within]), before === null ? undefined : lt(orders.id, before as OrderId)),
          )
          .orderBy(desc(orders.id))
          .limit(limit),
      ),
    said: (within, since) =>
      link.transaction(listing, async (tx) => {
        // An id tells when it was asked: what is older was answered before.
        const oldest = newId('apr', instant(since - ASK_LASTS_MS), (bytes) => new Uint8Array(bytes));
        const rows = await tx
          .select({ votes: approvals.votes })
          .from(approvals)
          .where(
            and(
              inArray(approvals.tenant, [...within]),
              gt(approvals.id, oldest),
              sql`json_array_length(${approvals.votes}) > 0`,
            ),
          );
        return rows.flatMap(({ votes }) => votes).filter(({ at: saidAt }) => saidAt >= since);
      }),
    reviews: ({ within, before, limit, open }) =>
      link.transaction(listing, async (tx) => {
        const rows = await tx
          .select()
          .from(reviews)
          .where(
            and(
              inArray(reviews.tenant, [...within]),
              before === null ? undefined : lt(reviews.id, before as ReviewId),
              open ? isNull(reviews.doneAt) : undefined,
            ),
          )
          .orderBy(desc(reviews.id))
          .limit(limit);
        return rows.map(reviewOf);
      }),
    review: (id, within) =>
      link.transaction(listing, async (tx) => {
        const which = and(eq(reviews.id, id), inArray(reviews.tenant, [...within]));
        const [row] = await tx.select().from(reviews).where(which);
        return row === undefined ? null : reviewOf(row);
      }),
    trips: ({ within, before, limit, standing }) =>
      link.transaction(listing, async (tx) => {
        const ends = sql<number | null>`coalesce(${trips.endedAt}, ${blocks.liftedAt})`;
        const rows = await tripsIn(tx)
          .where(
            and(
              inArray(trips.tenant, [...within]),
              before === null ? undefined : lt(trips.id, before as TripId),
              standing ? sql`${ends} is null` : undefined,
            ),
          )
          .orderBy(desc(trips.id))
          .limit(limit);
        return rows.map(tripOf);
      }),
    trip: (id, within) =>
      link.transaction(listing, async (tx) => {
        const which = and(eq(trips.id, id), inArray(trips.tenant, [...within]));
        const [row] = await tripsIn(tx).where(which);
        return row === undefined ? null : tripOf(row);
      }),
  };
}

function togetherById(rows: readonly (typeof pauses.$inferSelect)[]): KeptPause[] {
  const found = new Map<PauseId, KeptPause>();
  for (const { tenant, endedAt, endedBy, ...same } of rows) {
    const place = { tenant: tenant === EVERYWHERE ? null : (tenant as TenantName), endedAt, endedBy };
    found.set(same.id, { ...same, places: [...(found.get(same.id)?.places ?? []), place] });
  }
  return [...found.values()];
}

function reviewOf({ doneBy, doneAt, words, ...review }: typeof reviews.$inferSelect): KeptReview {
  const done = doneBy === null || doneAt === null || words === null ? null : { by: doneBy, at: doneAt, words };
  return { ...review, done };
}

/** One that blocks ends with its block. */
const tripsIn = (tx: Transaction) =>
  tx
    .select({ trip: trips, liftedAt: blocks.liftedAt, liftedBy: blocks.liftedBy })
    .from(trips)
    .leftJoin(blocks, and(eq(blocks.tenant, trips.tenant), eq(blocks.id, trips.block)));

type TripRow = Awaited<ReturnType<typeof tripsIn>>[number];

function tripOf({ trip: { endedAt, endedBy, ...trip }, liftedAt, liftedBy }: TripRow): KeptTrip {
  const [ended, by] = [endedAt ?? liftedAt, endedBy ?? liftedBy];
  return { ...trip, ended: ended === null || by === null ? null : { at: ended, by } };
}
