/** Turns, as rows. The name of one says what it is about, and no more than providers' own configuration does. */
import { and, eq, gt, sql } from 'drizzle-orm';
import { milliseconds } from '../core/time.ts';
import type { Rounds } from '../core/turns.ts';
import { isAhead } from './held.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { turns } from './schema/work.ts';

const working = { role: ROLES.work, tenants: [] } as const;
const now = sql`brevet_now()`;

export function createTurns(link: Link): Rounds {
  return {
    take: (name, hold) =>
      link.transaction(working, async (tx) => {
        const heldUntil = sql`brevet_now() + ${hold * 1000}::bigint`;
        const [taken] = await tx
          .insert(turns)
          .values({ name, fence: 1, heldUntil })
          .onConflictDoUpdate({
            target: turns.name,
            set: { fence: sql`${turns.fence} + 1`, heldUntil },
            setWhere: sql`${turns.heldUntil} not ${isAhead(hold)}`,
          })
          .returning({ fence: turns.fence });
        return taken === undefined ? null : { name, fence: taken.fence };
      }),
    isHeld: ({ name, fence }) =>
      link.transaction(working, async (tx) => {
        const held = and(eq(turns.name, name), eq(turns.fence, fence), gt(turns.heldUntil, now));
        return (await tx.select({ name: turns.name }).from(turns).where(held)).length > 0;
      }),
    release: async ({ name, fence }) => {
      await link.transaction(working, (tx) =>
        tx
          .update(turns)
          .set({ heldUntil: now })
          .where(and(eq(turns.name, name), eq(turns.fence, fence))),
      );
    },
    extend: ({ name, fence }, hold) =>
      link.transaction(working, async (tx) => {
        const kept = await tx
          .update(turns)
          .set({ heldUntil: sql`brevet_now() + ${hold * 1000}::bigint` })
          .where(and(eq(turns.name, name), eq(turns.fence, fence), gt(turns.heldUntil, now)))
          .returning({ fence: turns.fence });
        return kept.length > 0;
      }),
    done: async ({ name, fence }, pause) => {
      await link.transaction(working, (tx) =>
        tx
          .update(turns)
          .set({ doneAt: now, heldUntil: sql`brevet_now() + ${pause * 1000}::bigint` })
          .where(and(eq(turns.name, name), eq(turns.fence, fence))),
      );
    },
    sinceDone: (name) =>
      link.transaction(working, async (tx) => {
        const since = sql<string | null>`brevet_now() - ${turns.doneAt}`;
        const [row] = await tx.select({ since }).from(turns).where(eq(turns.name, name));
        const ago = row?.since ?? null;
        // One that is ahead was done before the clock was set back: nobody knows how long ago.
        return ago === null || Number(ago) < 0 ? null : milliseconds(Number(ago));
      }),
  };
}
