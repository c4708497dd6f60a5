/**
 * The connection to Postgres: how it is opened, entered as one of its roles, and what its faults mean.
 */
import postgres from 'postgres';
import type { Secret } from '../core/secret.ts';
import { StoreUnavailable } from '../core/store.ts';

/** As postgres.js takes them, or a URL of a configured database. */
export type DatabaseOptions =
  | { readonly url: Secret }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: () => string;
      readonly database: string;
    };

export type Sql = postgres.Sql<{ bigint: number }>;
export type Transaction = postgres.TransactionSql<{ bigint: number }>;

/** The login sees nothing itself; it is one of these in each transaction. */
export type Role = 'brevet_serve' | 'brevet_work' | 'brevet_list';

/** A statement of ours takes milliseconds: one that takes seconds is stuck, and its caller should know. */
const LIMITS = {
  statement_timeout: 10_000,
  lock_timeout: 5_000,
  idle_in_transaction_session_timeout: 15_000,
} as const;
const CONNECT_TIMEOUT_S = 5;

export interface ConnectOptions {
  readonly max: number;
  /** Seconds after which an idle connection is closed; on Workers none outlives its request. */
  readonly idle?: number;
}

export function connect(to: DatabaseOptions, { max, idle }: ConnectOptions): Sql {
  const options = {
    max,
    connect_timeout: CONNECT_TIMEOUT_S,
    connection: { application_name: 'brevet', ...LIMITS },
    ...(idle === undefined ? {} : { idle_timeout: idle }),
    onnotice: () => undefined,
    // A reconnect at once: callers get their refusal, and the next one may find the database back.
    backoff: () => 0.1,
    transform: { column: { from: postgres.toCamel } },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  };
  return 'url' in to ? postgres(to.url.reveal(), options) : postgres({ ...to, ...options });
}

/** Names the tenants whose rows are seen, as an array literal. Their names hold nothing that needs quoting. */
export const naming = (tenants: Iterable<string>): string =>
  `{${[...new Set(tenants)].map((tenant) => (tenant === '' ? '""' : tenant)).join(',')}}`;

/** A transaction in one role, naming its tenants. Whatever says that the database is away becomes `StoreUnavailable`. */
export async function inRole<T>(
  sql: Sql,
  role: Role,
  tenants: Iterable<string>,
  act: (tx: Transaction) => Promise<T>,
  mode = '',
): Promise<T> {
  return guarded(async () => {
    const result = await sql.begin(mode, async (tx) => {
      await tx`select set_config('role', ${role}, true), set_config('brevet.tenants', ${naming(tenants)}, true)`;
      return { value: await act(tx) };
    });
    return result.value;
  });
}

/** @see https://www.postgresql.org/docs/18/errcodes-appendix.html */
const AWAY = /^(?:08|57P|53[0-9]|57014|55P03|25P03|3D000|28)/;
const AWAY_CODES = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

export const codeOf = (fault: unknown): string =>
  typeof fault === 'object' && fault !== null && 'code' in fault ? String(fault.code) : '';

export const isAway = (fault: unknown): boolean => AWAY.test(codeOf(fault)) || AWAY_CODES.has(codeOf(fault));

export async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (fault) {
    // The code alone: a message may repeat what was bound.
    if (isAway(fault)) throw new StoreUnavailable(`the database is away: ${codeOf(fault)}`);
    throw fault;
  }
}
