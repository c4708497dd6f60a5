/**
 * The tables, as drizzle sees them: `npm run migrations:generate` makes migrations of what changes here. What drizzle
 * cannot say (roles and their grants, row security, triggers) stands in the migrations called walls.
 *
 * A row's fields bear the names of the type in `core/` that it holds. Instants are milliseconds, as they are there.
 * The deployment's own rows, in a table of tenants' rows, bear a tenant that no name can be: see {@link DEPLOYMENT}.
 */
import { sql } from 'drizzle-orm';
import { bigint, boolean, customType, text } from 'drizzle-orm/pg-core';
import type { TenantName } from '../../core/ids.ts';
import type { Instant } from '../../core/time.ts';

/** The `tenant` of the deployment's entries, one-use tokens and work. */
export const DEPLOYMENT = '';

/** The `tenant` of an assignment or membership that counts at every tenant. */
export const EVERYWHERE = '*';

export const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const at = (column: string) => bigint(column, { mode: 'number' }).$type<Instant>();

export const number = (column: string) => bigint(column, { mode: 'number' });

export const tenantOf = () => text('tenant').$type<TenantName>().notNull();

export const retired = () => boolean('retired').notNull().default(false);

/** The database's clock: see `brevet_now` in `drizzle/0000_clock.sql`. */
export const now = sql`brevet_now()`;
