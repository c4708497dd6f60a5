/**
 * A way to the database that never hangs: every piece of work has a deadline, and a connection that missed it is given
 * up for a new one. Each transaction enters one role, and names the tenants that it sees.
 */
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { StoreUnavailable } from '../core/store.ts';
import { asStoreError, clientOptions, isLost } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import { tenantSetting } from './roles.ts';
import type { Role } from './roles.ts';

/** Longer than any statement may take, so that the server's own limits speak first where it still answers. */
const DEADLINE_MS = 12_000;
/** Of the server, set in every transaction, since a pooler may not take them at the start of a session. */
const LIMITS = { statement_timeout: '10s', lock_timeout: '5s', idle_in_transaction_session_timeout: '5s' } as const;

export interface Entering {
  readonly role: Role;
  /** Those that row security lets it see; empty where the role sees what it may without. */
  readonly tenants: readonly string[];
}

/** What drizzle gives to a transaction. */
export type Transaction = Parameters<Parameters<PostgresJsDatabase['transaction']>[0]>[0];

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
   * One transaction whose statements are all known beforehand: sent in one go, committed, and answered together.
   * @param lock taken shared in a statement of its own, so that those after it see what was committed before it.
   */
  pipeline(entering: Entering, lock: number, statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>;
  close(): Promise<void>;
}

/** @param onLoss hears of a connection that could not even be closed. */
export function createLink(to: DatabaseOptions, connections: number, onLoss: (fault: unknown) => void): Link {
  const open = () => {
    const client = postgres({ ...clientOptions(to), max: connections, connection: { application_name: 'brevet' } });
    return { client, db: drizzle(client) };
  };
  type Open = ReturnType<typeof open>;
  let current = open();
  const inTime = async <T>(work: (on: Open) => Promise<T>): Promise<T> => {
    const on = current;
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      deadline.reject(new StoreUnavailable('the database did not answer in time'));
      if (current !== on) return;
      current = open();
      on.client.end({ timeout: 0 }).catch(onLoss);
    }, DEADLINE_MS);
    try {
      return await Promise.race([work(on), deadline.promise]);
    } catch (error) {
      throw asStoreError(error);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    transaction: (entering, work, access) =>
      inTime(({ db }) =>
        db.transaction(
          async (tx) => {
            await tx.execute(enter(entering));
            return work(tx);
          },
          access === 'snapshot' ? { isolationLevel: 'repeatable read', accessMode: 'read only' } : undefined,
        ),
      ),
    pipeline: (entering, lock, statements) =>
      inTime(({ client }) => pipelined(client, { ...ENTER_LOCKED(entering), lock }, statements)),
    close: () => current.client.end({ timeout: 1 }),
  };
}

export function enter({ role, tenants }: Entering) {
  return sql`select set_config('role', ${role}, true), set_config('brevet.tenants', ${tenantSetting(tenants)}, true),
    set_config('statement_timeout', ${LIMITS.statement_timeout}, true),
    set_config('lock_timeout', ${LIMITS.lock_timeout}, true),
    set_config('idle_in_transaction_session_timeout', ${LIMITS.idle_in_transaction_session_timeout}, true)`;
}

/**
 * Its statements run thousands of times over a few rows each: planned once, and never to walk a table that was small
 * when they were planned.
 */
const ENTER_TEXT = `select set_config('role', $1, true), set_config('brevet.tenants', $2, true),
  set_config('statement_timeout', '${LIMITS.statement_timeout}', true),
  set_config('lock_timeout', '${LIMITS.lock_timeout}', true),
  set_config('idle_in_transaction_session_timeout', '${LIMITS.idle_in_transaction_session_timeout}', true),
  set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
  pg_advisory_xact_lock_shared($3)`;

const ENTER_LOCKED = ({ role, tenants }: Entering) => ({ role, tenants: tenantSetting(tenants) });

/** Where one statement fails, those after it do too, and the COMMIT rolls back: the first failure is the answer. */
async function pipelined(
  client: postgres.Sql,
  { role, tenants, lock }: { readonly role: Role; readonly tenants: string; readonly lock: number },
  statements: readonly Statement[],
): Promise<readonly (readonly Row[])[]> {
  const on = await client.reserve();
  let lost = false;
  try {
    const answers = await Promise.allSettled([
      on.unsafe('begin'),
      on.unsafe(ENTER_TEXT, [role, tenants, lock], { prepare: true }),
      ...statements.map(({ text, parameters }) => on.unsafe<Row[]>(text, [...parameters], { prepare: true })),
      on.unsafe('commit'),
    ]);
    const failed = answers.find((answer) => answer.status === 'rejected');
    lost = answers.some((answer) => answer.status === 'rejected' && isLost(answer.reason));
    if (failed !== undefined) throw failed.reason;
    const rows = answers.map((answer) => (answer.status === 'fulfilled' ? (answer.value as readonly Row[]) : []));
    return rows.slice(2, -1);
  } finally {
    // A connection that was lost has left the pool by itself; given back, it would be taken for a living one.
    if (!lost) on.release();
  }
}
