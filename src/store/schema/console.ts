/** Who is signed in at the console, and the keys with which people sign. */
import { sql } from 'drizzle-orm';
import { boolean, check, index, pgTable, text } from 'drizzle-orm/pg-core';
import type { OperatorName, PersonName } from '../../core/ids.ts';
import { at, number } from './columns.ts';
import { operators, persons } from './deployment.ts';

export const consoleSessions = pgTable(
  'console_sessions',
  {
    id: text('id').primaryKey(),
    person: text('person')
      .$type<PersonName>()
      .notNull()
      .references(() => persons.name),
    operator: text('operator')
      .$type<OperatorName>()
      .notNull()
      .references(() => operators.name),
    by: text('by').$type<'oidc' | 'passkey'>().notNull(),
    passkey: text('passkey').references(() => passkeys.id, { onDelete: 'cascade' }),
    signedInAt: at('signed_in_at').notNull(),
    provenAt: at('proven_at'),
    idleUntil: at('idle_until').notNull(),
    until: at('until').notNull(),
  },
  (table) => [
    index('console_sessions_of').on(table.person),
    check('console_sessions_by', sql`(${table.by} = 'passkey') = (${table.passkey} is not null)`),
  ],
);

/** Confirmed ones alone: one that nobody has confirmed yet is a change that waits. The database, too, wants two. */
export const passkeys = pgTable(
  'passkeys',
  {
    id: text('id').primaryKey(),
    person: text('person')
      .$type<PersonName>()
      .notNull()
      .references(() => persons.name),
    publicKey: text('public_key').notNull(),
    signCount: number('sign_count').notNull(),
    deviceBound: boolean('device_bound').notNull(),
    aaguid: text('aaguid').notNull(),
    label: text('label').notNull(),
    transports: text('transports').array().notNull(),
    enrolledAt: at('enrolled_at').notNull(),
    confirmedBy: text('confirmed_by').$type<PersonName>().notNull(),
    inSetup: boolean('in_setup').notNull(),
  },
  (table) => [
    index('passkeys_of').on(table.person),
    check('passkeys_take_two', sql`${table.inSetup} or ${table.confirmedBy} <> ${table.person}`),
  ],
);
