/** Verdicts, pauses, orders, reviews and tripped breakers: added, and ended or answered once. */
import { and, eq, gte, inArray, isNull, or, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import type { TenantName } from '../../core/ids.ts';
import type { Review, Trip } from '../../core/oversight.ts';
import { EVERYWHERE } from '../schema/columns.ts';
import { orders, pauses, reviews, trips, verdicts } from '../schema/oversight.ts';
import { blocks } from '../schema/tenants.ts';
import { raiseBlock } from './register-blocks.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Of<Kind extends RegisterChange['kind']> = Extract<RegisterChange, { readonly kind: Kind }>;

export async function giveVerdict({ tx }: Register, { verdict }: Of<'verdict.give'>): Promise<void> {
  await tx.insert(verdicts).values(verdict);
}

const placesOf = (tenants: readonly TenantName[] | null): readonly string[] => tenants ?? [EVERYWHERE];

export async function startPause({ tx }: Register, { pause, tenants, reason }: Of<'pause.start'>): Promise<void> {
  await tx.insert(pauses).values(placesOf(tenants).map((tenant) => ({ ...pause, tenant, reason })));
}

export async function endPause({ tx }: Register, { pause, tenants, by }: Of<'pause.end'>): Promise<void> {
  const places = placesOf(tenants);
  const ended = await tx
    .update(pauses)
    .set({ endedAt: sql`brevet_now()`, endedBy: by })
    .where(and(inArray(pauses.tenant, [...places]), eq(pauses.id, pause), isNull(pauses.endedAt)))
    .returning({ tenant: pauses.tenant });
  if (ended.length < places.length) refuse({ unmet: 'missing', what: 'pause' });
}

export async function giveOrder(register: Register, { order, review }: Of<'order.give'>): Promise<void> {
  const given = await register.tx.insert(orders).values(order).onConflictDoNothing().returning({ id: orders.id });
  if (given.length === 0) refuse({ unmet: 'taken', by: 'an order before' });
  await openReview(register, review);
}

export async function openReview({ tx }: Register, review: Review): Promise<void> {
  await tx.insert(reviews).values({ ...review, notBy: [...review.notBy] });
}

/** Not before what it is about is over, by the database's clock. */
export async function closeReview({ tx }: Register, { tenant, review, by, words }: Of<'review.done'>): Promise<void> {
  const done = await tx
    .update(reviews)
    .set({ doneBy: by, doneAt: sql`brevet_now()`, words })
    .where(
      and(
        eq(reviews.tenant, tenant),
        eq(reviews.id, review),
        isNull(reviews.doneAt),
        sql`${reviews.from} <= brevet_now()`,
      ),
    )
    .returning({ id: reviews.id });
  if (done.length === 0) refuse({ unmet: 'missing', what: 'review' });
}

export async function tripBreaker(register: Register, { trip, block, reason }: Of<'breaker.trip'>): Promise<void> {
  const { tx } = register;
  const before = await tx
    .select({ id: trips.id })
    .from(trips)
    .leftJoin(blocks, and(eq(blocks.tenant, trips.tenant), eq(blocks.id, trips.block)))
    .where(
      and(sameAs(trip), or(standsAs(trip.to), gte(sql`coalesce(${trips.endedAt}, ${blocks.liftedAt})`, trip.from))),
    )
    .limit(1);
  if (before.length > 0) refuse({ unmet: 'taken', by: 'a breaker that has tripped' });
  await tx.insert(trips).values(trip);
  if (block === null) return;
  const raising = { kind: 'block.raise', blocks: [block], reason, drill: false, deniesRoles: false } as const;
  await raiseBlock(register, raising);
}

const sameAs = ({ tenant, agent, task }: Trip) =>
  and(eq(trips.tenant, tenant), eq(trips.agent, agent), eq(trips.task, task));

const standsAs = (to: Trip['to']) => and(eq(trips.to, to), isNull(trips.endedAt), isNull(blocks.liftedAt));

export async function resetBreaker({ tx }: Register, { tenant, trip, by }: Of<'breaker.reset'>): Promise<void> {
  const reset = await tx
    .update(trips)
    .set({ endedAt: sql`brevet_now()`, endedBy: by })
    .where(and(eq(trips.tenant, tenant), eq(trips.id, trip), isNull(trips.block), isNull(trips.endedAt)))
    .returning({ id: trips.id });
  if (reset.length === 0) refuse({ unmet: 'missing', what: 'breaker' });
}
