/**
 * The queue of work, the heartbeat of those who do it, and the database's clock. None of it is a fact.
 */
import { and, asc, eq, gte, inArray, lt, max, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { ClaimedWork, Queue } from '../core/store/queue.ts';
import { instant, milliseconds } from '../core/time.ts';
import type { Instant, Milliseconds, Seconds } from '../core/time.ts';
import { isAhead } from './held.ts';
import type { Link, Transaction } from './link.ts';
import { ROLES } from './roles.ts';
import { PROBED } from './start.ts';
import { assertions, idempotency, spread } from './schema/requests.ts';
import { heartbeats, work } from './schema/work.ts';

type Working = Omit<Queue, 'watched' | 'sawUse'>;

/** A reason is a sentence of ours. */
const WHY_LENGTH = 500;

/** What every issue asks is looked up once in this time. */
const BEAT_KEPT_MS = 500;
/** What may be forgotten goes in small bites, with a heartbeat now and then, or with each while there is more. */
const FORGET_EVERY_MS = 10_000;
const FORGET_AT_ONCE = 5_000;
/** An idempotency key is remembered for a day. */
const IDEMPOTENCY_KEPT_MS = 86_400_000;
/** Where the same was done, for as long as any policy looks back. */
const SPREAD_KEPT_MS = 3_600_000;
/** A node that has been silent for so long is gone, or will write its row anew. */
const HEARTBEAT_KEPT_MS = 3_600_000;
/** Readings of the clock, of which the one with the shortest way says most. */
const CLOCK_READINGS = 3;

const now = sql`brevet_now()`;
const working = { role: ROLES.work, tenants: [] } as const;
const serving = { role: ROLES.serve, tenants: [] } as const;

interface Beat {
  readonly at: Instant | null;
  /** How far the database's clock is ahead. */
  readonly offset: number;
  readonly readAt: number;
}

/**
 * @param clock this process's own, unadjusted and only ever compared with itself.
 * @param sharing whether those who ask at once may wait for one reading.
 */
export function createQueue(link: Link, clock: () => number, sharing: boolean): Working {
  let beat: Beat | null = null;
  let reading: Promise<Beat> | null = null;
  const readAnew = (): Promise<Beat> => {
    if (reading !== null) return reading;
    const fresh = readBeat(link, clock).finally(() => {
      reading = null;
    });
    if (sharing) reading = fresh;
    return fresh;
  };
  let forgotAt = Number.NEGATIVE_INFINITY;
  return {
    claim: (limit, perTarget, hold, shares = {}) =>
      link.transaction(working, (tx) => claimIn(tx, { limit, perTarget, hold, shares })),
    defer: async (held, due, why, left) => {
      await link.transaction(working, (tx) =>
        tx
          .update(work)
          .set({
            due,
            heldUntil: instant(0),
            why: why.slice(0, WHY_LENGTH),
            ...(left === undefined ? {} : { what: left }),
          })
          .where(and(eq(work.id, held.work), eq(work.attempt, held.attempt))),
      );
    },
    finish: async (held) => {
      await link.transaction(working, (tx) =>
        tx.delete(work).where(and(eq(work.id, held.work), eq(work.attempt, held.attempt))),
      );
    },
    beat: async (node) => {
      await link.transaction(working, (tx) =>
        tx
          .insert(heartbeats)
          .values({ node, at: now })
          .onConflictDoUpdate({ target: heartbeats.node, set: { at: now } }),
      );
      beat = null;
      if (clock() - forgotAt < FORGET_EVERY_MS) return;
      forgotAt = clock();
      const isMore = await link.transaction(working, forget);
      if (isMore) forgotAt = Number.NEGATIVE_INFINITY;
    },
    sinceBeat: async () => {
      if (beat === null || !isRecent(beat, clock())) beat = await readAnew();
      return beat.at === null ? null : milliseconds(Math.max(0, clock() + beat.offset - beat.at));
    },
    clockOffset: () => measureOffset(link, clock),
  };
}

/** One that was read in the future is not: the clock was set back, and nobody knows for how long it has been kept. */
const isRecent = ({ readAt }: Beat, now: number): boolean => readAt <= now && now - readAt <= BEAT_KEPT_MS;

interface Claiming {
  readonly limit: number;
  readonly perTarget: number;
  readonly hold: Seconds;
  readonly shares: Readonly<Record<string, number>>;
}

/** As in `placeKey`. What was enqueued before versions were told apart has none. */
const target = sql`((what->>'target') || coalesce(' ' || (what->>'version'), ''))`;

/**
 * Of one target no more than its share, the oldest first, and what cleans up after the dead last, which keeps no other
 * from its share even while it is in hand: a kill waits for none of it. What is at no target shares by its kind. Tenants take turns,
 * so that one whose every target is dead delays no other. Both are counted with what is in hand already.
 */
async function claimIn(tx: Transaction, { limit, perTarget, hold, shares }: Claiming): Promise<ClaimedWork[]> {
  const free = sql`
    with shares as materialized (
      select key as of, value::int as share from json_each_text(${JSON.stringify(shares)}::text::json)),
    placed as materialized (
      select id, tenant, due, held_until ${isAhead(hold)} as held,
        coalesce('at ' || ${target}, what->>'task') as place, coalesce(s.share, ${perTarget}) as share,
        what->>'task' = 'clean' as cleans
      from work left join shares s on s.of = tenant || ' ' || ${target} where due <= brevet_now()),
    busy as (
      select tenant, place, count(*) as n, count(*) filter (where not cleans) as urgent
      from placed where held group by tenant, place),
    queued as (
      select id, tenant, place, share, due, cleans,
        row_number() over (partition by tenant, place order by cleans, due, id) as nth
      from placed where not held),
    ranked as (
      select q.id, q.tenant, q.due, q.share, q.nth + coalesce(case when q.cleans then b.n else b.urgent end, 0) as nth
      from queued q left join busy b using (tenant, place)),
    within as (select id, tenant, due, nth from ranked where nth <= share),
    fair as (
      select w.id from within w left join (select tenant, sum(n) as n from busy group by tenant) b using (tenant)
      order by coalesce(b.n, 0) + row_number() over (partition by w.tenant order by w.nth, w.due, w.id), w.due, w.id
      limit ${limit})
    select w.id from work w join fair using (id) where w.held_until not ${isAhead(hold)} for update of w skip locked`;
  const rows = await tx
    .update(work)
    .set({ attempt: sql`${work.attempt} + 1`, heldUntil: sql`brevet_now() + ${hold * 1000}::bigint` })
    .where(inArray(work.id, sql`(${free})`))
    .returning();
  return rows
    .toSorted((a, b) => a.due - b.due)
    .map(({ id, attempt, what, enqueuedAt }) => ({ work: id, attempt, what, enqueuedAt }));
}

/** @returns whether more of anything may be forgotten. */
async function forget(tx: Transaction): Promise<boolean> {
  const bites = [
    await forgetOver(tx, assertions, assertions.until, 0),
    await forgetOver(tx, idempotency, idempotency.at, IDEMPOTENCY_KEPT_MS),
    await forgetOver(tx, spread, spread.at, SPREAD_KEPT_MS),
  ];
  await forgetNodes(tx);
  return bites.includes(FORGET_AT_ONCE);
}

/**
 * The oldest first, and with the clock read once: so they are found by the index, where most of a table is to be kept.
 *
 * @returns how many.
 */
async function forgetOver(tx: Transaction, from: PgTable, at: PgColumn, kept: number): Promise<number> {
  const over = tx
    .select({ at: sql`ctid` })
    .from(from)
    .where(lt(at, overSince(kept)))
    .orderBy(asc(at))
    .limit(FORGET_AT_ONCE);
  return (await tx.delete(from).where(inArray(sql`ctid`, over))).count;
}

const overSince = (kept: number): SQL => sql`(select brevet_now()) - ${kept}::bigint`;

/** Never the newest, however old it is: it says how long nobody has been at work, and that anybody ever was. */
async function forgetNodes(tx: Transaction): Promise<void> {
  const newest = tx.select({ at: max(heartbeats.at) }).from(heartbeats);
  const silent = lt(heartbeats.at, overSince(HEARTBEAT_KEPT_MS));
  // Before it, what a node writes as it starts is being read back: see `probeReads`.
  const probed = gte(heartbeats.at, instant(PROBED));
  await tx.delete(heartbeats).where(and(silent, probed, lt(heartbeats.at, sql`(${newest})`)));
}

/** One that is ahead was written before the database's clock was set back: nobody knows how long ago. */
async function readBeat(link: Link, clock: () => number): Promise<Beat> {
  const readAt = clock();
  const [row] = await link.transaction(serving, (tx) =>
    tx
      .select({ at: sql<string | null>`max(at) filter (where at <= brevet_now())`, now: sql<string>`brevet_now()` })
      .from(heartbeats),
  );
  const at = row?.at ?? null;
  return { at: at === null ? null : instant(Number(at)), offset: Number(row?.now) - clock(), readAt };
}

async function measureOffset(link: Link, clock: () => number): Promise<Milliseconds> {
  let best = { offset: 0, way: Number.POSITIVE_INFINITY };
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const asked = await link.transaction(serving, async (tx) => {
      const before = clock();
      const [row] = await tx.execute<{ readonly now: string }>(sql`select brevet_now() as now`);
      const after = clock();
      return { offset: Number(row?.now) - (before + after) / 2, way: after - before };
    });
    if (asked.way < best.way) best = asked;
  }
  return milliseconds(Math.round(best.offset));
}
