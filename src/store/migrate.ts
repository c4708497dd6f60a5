/**
 * Brings the tables to what this version of Brevet expects. Run by the owner, who never serves.
 *
 * @node-only it reads the migrations from `drizzle/`.
 */
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { clientOptions } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import { MIGRATION_LOCK } from './roles.ts';

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Applies what has not been applied, whole or not at all; a second run changes nothing. Nodes that start together wait
 * for one another.
 *
 * @param owner the login that owns the database.
 */
export async function migrate(owner: DatabaseOptions): Promise<void> {
  // A change of the tables may take long, and must not be cut off.
  const sql = postgres({ ...clientOptions(owner), max: 1, connection: { application_name: 'brevet migrate' } });
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await applyMigrations(drizzle(sql), { migrationsFolder: FOLDER });
  } finally {
    await sql.end({ timeout: 1 });
  }
}
