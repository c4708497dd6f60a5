/**
 * Brings the tables to what this version of Brevet expects. Run by the owner, who never serves.
 *
 * @node-only it reads the migrations from `drizzle/`.
 */
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { clientOptions, codeOf, firstAnswer } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import { MIGRATION_LOCK } from './roles.ts';

const MIGRATIONS = { migrationsFolder: fileURLToPath(new URL('../../drizzle', import.meta.url)) };

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
    if (await firstAnswer(isCurrent(sql))) return;
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await applyMigrations(drizzle(sql), MIGRATIONS);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** @see https://www.postgresql.org/docs/18/errcodes-appendix.html undefined_table, also where its schema is not there */
const NO_TABLE = '42P01';

/** Whether the last migration was applied, which is most starts: drizzle asks for no more, over some statements more. */
async function isCurrent(sql: postgres.Sql): Promise<boolean> {
  const last = readMigrationFiles(MIGRATIONS).at(-1);
  if (last === undefined) return true;
  try {
    const [row] = await sql<{ at: string | null }[]>`select max(created_at) as at from drizzle.__drizzle_migrations`;
    return Number(row?.at) >= last.folderMillis;
  } catch (error) {
    if (codeOf(error) === NO_TABLE) return false;
    throw error;
  }
}
