/** What is to be done, and who is at work. None of it is a fact. */
import { sql } from 'drizzle-orm';
import { index, integer, json, pgTable, text } from 'drizzle-orm/pg-core';
import type { ChannelName } from '../../core/channel.ts';
import type { WorkTask } from '../../core/change.ts';
import type { WorkId } from '../../core/ids.ts';
import type { Instant } from '../../core/time.ts';
import { at, number, tenantOf, now } from './columns.ts';

/** The outbox. `attempt` is the fence; work that is held is not given to another until `heldUntil`. */
export const work = pgTable(
  'work',
  {
    id: text('id').$type<WorkId>().primaryKey(),
    tenant: tenantOf(),
    what: json('what').$type<WorkTask>().notNull(),
    due: at('due').notNull(),
    attempt: integer('attempt').notNull().default(0),
    heldUntil: at('held_until')
      .notNull()
      .default(0 as Instant),
    /** Why it was not over when it was last tried. */
    why: text('why'),
    enqueuedAt: at('enqueued_at').notNull().default(now),
  },
  (table) => [
    index('work_due').on(table.due),
    index('work_order')
      .on(sql`(what->'order'->>'of')`)
      .where(sql`what->'order'->>'of' is not null`),
  ],
);

/** How each channel stood when it was last used. */
export const channels = pgTable('channels', {
  name: text('name').$type<ChannelName>().primaryKey(),
  toldAt: at('told_at'),
  failingSince: at('failing_since'),
  why: text('why'),
});

/** One at a time over all nodes, by name. `fence` is raised by each taking. */
export const turns = pgTable('turns', {
  name: text('name').primaryKey(),
  fence: number('fence').notNull(),
  heldUntil: at('held_until').notNull(),
  /** When what it is for was last done whole; none where nobody looks. */
  doneAt: at('done_at'),
});

/** That a sweeper is at work, by node. */
export const heartbeats = pgTable('heartbeats', {
  node: text('node').primaryKey(),
  at: at('at').notNull(),
});
