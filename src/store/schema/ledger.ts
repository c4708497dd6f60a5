/** The ledger: entries, and what stands beside their leaves. It is only ever added to. */
import { sql } from 'drizzle-orm';
import { index, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { EntryValue } from '../../core/entry.ts';
import type { EntryId, LeaseId, RequestId } from '../../core/ids.ts';
import { bytes, at, tenantOf } from './columns.ts';

export const entries = pgTable(
  'entries',
  {
    tenant: tenantOf(),
    id: text('id').$type<EntryId>().notNull(),
    kind: text('kind').notNull(),
    at: at('at').notNull(),
    request: text('request').$type<RequestId>(),
    lease: text('lease').$type<LeaseId>(),
    text: text('text').notNull(),
    leaf: bytes('leaf').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('entries_request')
      .on(table.tenant, table.request)
      .where(sql`request is not null`),
    index('entries_lease')
      .on(table.tenant, table.lease)
      .where(sql`lease is not null`),
    index('entries_refused_again')
      .on(table.at)
      .where(sql`kind = 'request.forbidden_again'`),
  ],
);

/** What stands beside an entry's leaf: a row for each entry that has any. */
export const entryValues = pgTable(
  'entry_values',
  {
    tenant: tenantOf(),
    entry: text('entry').$type<EntryId>().notNull(),
    values: json('values').$type<readonly EntryValue[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.entry] })],
);
