/** What oversight writes down. */
import { sql } from 'drizzle-orm';
import { check, index, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../core/canonical.ts';
import type {
  AgentName,
  BlockId,
  LeaseId,
  OrderId,
  PauseId,
  PersonName,
  RequestId,
  ReviewId,
  RoleName,
  TaskName,
  TripId,
  VerdictId,
} from '../../core/ids.ts';
import type { ReviewKind, Signal, Trip, VerdictKind } from '../../core/oversight.ts';
import { at, tenantOf } from './columns.ts';

/** Only ever added to: the last one of a lease counts. */
export const verdicts = pgTable(
  'verdicts',
  {
    tenant: tenantOf(),
    id: text('id').$type<VerdictId>().notNull(),
    lease: text('lease').$type<LeaseId>().notNull(),
    verdict: text('verdict').$type<VerdictKind>().notNull(),
    reference: text('reference').notNull(),
    by: text('by').$type<PersonName>().notNull(),
    at: at('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('verdicts_lease').on(table.tenant, table.lease),
    index('verdicts_at').on(table.at),
  ],
);

/** The same id stands at each tenant that it reaches; one for all stands once, at `*`. */
export const pauses = pgTable(
  'pauses',
  {
    tenant: text('tenant').notNull(),
    id: text('id').$type<PauseId>().notNull(),
    author: text('author').$type<PersonName>().notNull(),
    reason: text('reason').notNull(),
    from: at('from').notNull(),
    endedAt: at('ended_at'),
    endedBy: text('ended_by').$type<PersonName>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    // Two nodes that find a spike pause everything once.
    uniqueIndex('pauses_of_broker')
      .on(table.tenant)
      .where(sql`author = '(broker)' and ended_at is null`),
    check('pauses_ended_by_somebody', sql`(${table.endedAt} is null) = (${table.endedBy} is null)`),
  ],
);

export const orders = pgTable(
  'orders',
  {
    tenant: tenantOf(),
    id: text('id').$type<OrderId>().notNull(),
    lease: text('lease').$type<LeaseId>().notNull(),
    agent: text('agent').$type<AgentName>().notNull(),
    task: text('task').$type<TaskName>().notNull(),
    resource: text('resource').notNull(),
    parameters: json('parameters').$type<JsonObject>().notNull(),
    by: text('by').$type<PersonName>().notNull(),
    reason: text('reason').notNull(),
    at: at('at').notNull(),
    until: at('until').notNull(),
    /** The request that took it. */
    request: text('request').$type<RequestId>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    // What was done is taken back once.
    uniqueIndex('orders_lease').on(table.tenant, table.lease),
    index('orders_at').on(table.at),
  ],
);

export const reviews = pgTable(
  'reviews',
  {
    tenant: tenantOf(),
    id: text('id').$type<ReviewId>().notNull(),
    what: text('what').$type<ReviewKind>().notNull(),
    about: text('about').notNull(),
    agent: text('agent').$type<AgentName>(),
    /** Of broken glass: the assignment is gone once another takes its place. */
    role: text('role').$type<RoleName>(),
    openedBy: text('opened_by').$type<PersonName>().notNull(),
    reason: text('reason').notNull(),
    at: at('at').notNull(),
    from: at('from').notNull(),
    due: at('due').notNull(),
    notBy: text('not_by').array().$type<PersonName[]>().notNull(),
    doneBy: text('done_by').$type<PersonName>(),
    doneAt: at('done_at'),
    words: text('words'),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('reviews_open')
      .on(table.tenant, table.id)
      .where(sql`done_at is null`),
    check('reviews_by_another', sql`${table.doneBy} is null or not (${table.doneBy} = any(${table.notBy}))`),
    check(
      'reviews_done_whole',
      sql`(${table.doneBy} is null) = (${table.doneAt} is null) and (${table.doneBy} is null) = (${table.words} is null)`,
    ),
  ],
);

/** Circuit breakers that have tripped. One that blocks ends with its block. */
export const trips = pgTable(
  'trips',
  {
    tenant: tenantOf(),
    id: text('id').$type<TripId>().notNull(),
    agent: text('agent').$type<AgentName>().notNull(),
    task: text('task').$type<TaskName>().notNull(),
    breaker: text('breaker').notNull().default(''),
    signal: text('signal').$type<Signal>().notNull(),
    to: text('to').$type<Trip['to']>().notNull(),
    counts: json('counts').$type<Trip['counts']>().notNull(),
    from: at('from').notNull(),
    block: text('block').$type<BlockId>(),
    endedAt: at('ended_at'),
    endedBy: text('ended_by').$type<PersonName>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    // Two nodes that count at once trip it once.
    uniqueIndex('trips_standing')
      .on(table.tenant, table.agent, table.task, table.to)
      .where(sql`ended_at is null and block is null`),
    // Counting begins anew where one has ended, and a spike is counted over all tenants.
    index('trips_of').on(table.tenant, table.agent, table.task),
    index('trips_from').on(table.from),
  ],
);
