/**
 * Transactions: each enters one role, and names the tenants that it sees.
 */
import { sql } from 'drizzle-orm';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import type { DatabaseOptions } from './database.ts';
import { createLanes } from './lanes.ts';
import type { Lane } from './lanes.ts';
import { tenantSetting } from './roles.ts';
import type { Role } from './roles.ts';

/** Of the server, set in every transaction, since a pooler may not take them at the start of a session. */
const LIMITS = { statement_timeout: '10s', lock_timeout: '5s', idle_in_transaction_session_timeout: '5s' } as const;

export interface Entering {
  readonly role: Role;
  /** Those that row security lets it see; empty where the role sees what it may without. */
  readonly tenants: readonly string[];
}

/** The connection of a transaction, as drizzle speaks to it. */
export type Transaction = PostgresJsDatabase;

export interface Statement {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

export interface Row {
  readonly [column: string]: unknown;
}

export interface Link {
  /** One transaction over drizzle, step by step. */
  transaction<T>(entering: Entering, work: (tx: Transaction) => Promise<T>, access?: 'snapshot'): Promise<T>;
  /**
   * One transaction whose statements are all known beforehand: sent in one go, and answered together.
   * @param lock taken shared in a statement of its own, so that those after it see what was committed before it;
   * `null` takes none.
   */
  pipeline(
    entering: Entering,
    lock: number | null,
    statements: readonly Statement[],
  ): Promise<readonly (readonly Row[])[]>;
  close(): Promise<void>;
}

/** @param onLoss hears of a connection that could not even be closed. */
export function createLink(to: DatabaseOptions, connections: number, onLoss: (fault: unknown) => void): Link {
  const lanes = createLanes(to, connections, onLoss);
  return {
    transaction: (entering, work, access) => lanes.use((lane) => stepByStep(lane, entering, work, access)),
    pipeline: (entering, lock, statements) =>
      lanes.use(({ client }) =>
        pipelined(client, { role: entering.role, tenants: tenantSetting(entering.tenants), lock }, statements),
      ),
    close: lanes.close,
  };
}

const BEGIN = 'begin';
const BEGIN_SNAPSHOT = 'begin isolation level repeatable read read only';

async function stepByStep<T>(
  lane: Lane,
  entering: Entering,
  work: (tx: Transaction) => Promise<T>,
  access: 'snapshot' | undefined,
): Promise<T> {
  const { client, db } = lane;
  try {
    await begin(client, entering, access === 'snapshot' ? BEGIN_SNAPSHOT : BEGIN);
    const value = await work(db);
    // On another connection there would be nothing to commit, and no error.
    if (!lane.lost) await client.unsafe('commit');
    return value;
  } catch (error) {
    if (!lane.lost) await rollBack(lane);
    throw error;
  }
}

/** In one go: what it sets is known, and every transaction waits for it. */
async function begin(client: postgres.Sql, { role, tenants }: Entering, statement: string): Promise<void> {
  await together([
    client.unsafe<Row[]>(statement),
    client.unsafe<Row[]>(ENTER_STEPS_TEXT, [role, tenantSetting(tenants)], { prepare: true }),
  ]);
}

async function rollBack(lane: Lane): Promise<void> {
  try {
    await lane.client.unsafe('rollback');
  } catch {
    // What it was rolled back for is told; the connection is given up, and the server rolls back by that.
    lane.lost = true;
  }
}

/** Another role or other tenants, in the middle of a transaction. */
export function enter({ role, tenants }: Entering) {
  return sql`select set_config('role', ${role}, true), set_config('brevet.tenants', ${tenantSetting(tenants)}, true)`;
}

const ENTER_TEXT = `select set_config('role', $1, true), set_config('brevet.tenants', $2, true),
  set_config('statement_timeout', '${LIMITS.statement_timeout}', true),
  set_config('lock_timeout', '${LIMITS.lock_timeout}', true),
  set_config('idle_in_transaction_session_timeout', '${LIMITS.idle_in_transaction_session_timeout}', true)`;

/** What is prepared step by step is planned for its values: tables are walked by many ways. */
const ENTER_STEPS_TEXT = `${ENTER_TEXT}, set_config('plan_cache_mode', 'force_custom_plan', true)`;

/**
 * The statements of a pipeline run thousands of times over a few rows each: planned once, and never to walk a table that
 * was small when they were planned. No lock is taken where none is named: the function is strict.
 */
const ENTER_PIPELINE_TEXT = `${ENTER_TEXT},
  set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
  pg_advisory_xact_lock_shared($3)`;

/** Where one statement fails, those after it do too, and the COMMIT rolls back. */
async function pipelined(
  client: postgres.Sql,
  { role, tenants, lock }: { readonly role: Role; readonly tenants: string; readonly lock: number | null },
  statements: readonly Statement[],
): Promise<readonly (readonly Row[])[]> {
  const rows = await together([
    client.unsafe<Row[]>(BEGIN),
    client.unsafe<Row[]>(ENTER_PIPELINE_TEXT, [role, tenants, lock], { prepare: true }),
    ...statements.map(({ text, parameters }) => client.unsafe<Row[]>(text, [...parameters], { prepare: true })),
    client.unsafe<Row[]>('commit'),
  ]);
  return rows.slice(2, -1);
}

/** Statements sent in one go: the first failure is the answer, once all have ended. */
async function together(sent: readonly PromiseLike<readonly Row[]>[]): Promise<readonly (readonly Row[])[]> {
  const rows: (readonly Row[])[] = [];
  for (const answer of await Promise.allSettled(sent)) {
    if (answer.status === 'rejected') throw answer.reason;
    rows.push(answer.value);
  }
  return rows;
}
