/**
 * How the store reaches Postgres: options for postgres.js, and what its errors mean.
 */
import { DrizzleQueryError } from 'drizzle-orm';
import type postgres from 'postgres';
import type { Secret } from '../core/secret.ts';
import { StoreUnavailable } from '../core/store.ts';

/** By its parts, so that the password does not show on the way, or as a URL. */
export type DatabaseOptions =
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: () => string;
      readonly database: string;
    }
  | { readonly url: Secret };

const CONNECT_LIMIT_S = 5;
/** A database that comes back is found within this, instead of after a growing pause. */
const RECONNECT_PAUSE_S = 0.2;

export function clientOptions(to: DatabaseOptions): postgres.Options<Record<string, postgres.PostgresType>> {
  return {
    ...('url' in to ? partsOf(to.url.reveal()) : to),
    connect_timeout: CONNECT_LIMIT_S,
    backoff: () => RECONNECT_PAUSE_S,
    // What it would fetch is not needed, and where the connection is lost while it does, postgres.js 3.4.9 rejects a
    // promise that nobody has, which ends the process.
    fetch_types: false,
    onnotice: () => {},
  };
}

/** postgres.js does not read a URL whose host is a socket's folder; the WHATWG parser does, once it is decoded. */
function partsOf(text: string) {
  const url = new URL(text);
  const ssl = url.searchParams.get('sslmode');
  return {
    host: decodeURIComponent(url.searchParams.get('host') ?? url.hostname),
    port: Number(url.port || url.searchParams.get('port') || 5432),
    user: decodeURIComponent(url.username),
    password: () => decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(ssl === null || ssl === 'disable'
      ? {}
      : { ssl: ssl === 'verify-full' ? ('verify-full' as const) : ('require' as const) }),
  };
}

/** Longer than a connection may take; a first question is small. */
const FIRST_ANSWER_LIMIT_MS = 7_000;

/**
 * The answer to the first question on a connection. postgres.js 3.4.9 has a limit for connecting, but begins it anew, and
 * so for ever, where something takes connections and closes them.
 * @throws {StoreUnavailable} where there is none in time.
 */
export async function firstAnswer<T>(question: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new StoreUnavailable('the database does not answer (no connection in time)')),
    FIRST_ANSWER_LIMIT_MS,
  );
  try {
    return await Promise.race([question, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * SQLSTATEs after which the same statement may succeed later: connections (08), resources such as a full disk (53),
 * shutdowns (57P), what lies outside Postgres (58, which Hyperdrive answers too where it reaches none), a statement or
 * lock that took too long, a server that has become a standby, deadlocks.
 * @see https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
const PASSING = /^(?:08...|53...|58...|57P0[1-5]|57014|55P03|25006|25P0[34]|40001|40P01)$/;

/** Codes of postgres.js itself and of the sockets below it. */
const LOST =
  /^(?:CONNECTION_CLOSED|CONNECTION_ENDED|CONNECTION_DESTROYED|CONNECT_TIMEOUT|ECONN[A-Z]+|E(?:PIPE|NOENT|ACCES|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN))$/;

export function codeOf(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
}

/** Sockets of Workers have no codes, only these words. */
const LOST_ON_WORKERS = /^(?:connection attempt failed|network connection lost|proxy request failed)/i;

/** Whether nothing can be said of what was asked, and the same may be asked again later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StoreUnavailable) return true;
  const code = codeOf(error);
  if (code === null) return error instanceof Error && LOST_ON_WORKERS.test(error.message);
  return PASSING.test(code) || LOST.test(code);
}

/** The error as callers of the store see it. */
export function asStoreError(thrown: unknown): unknown {
  // drizzle's own says every parameter in its message, which would end in a log.
  const error = thrown instanceof DrizzleQueryError ? (thrown.cause ?? new Error('a query failed')) : thrown;
  if (error instanceof StoreUnavailable || !isPassing(error)) return error;
  return new StoreUnavailable(`the database does not answer (${codeOf(error) ?? 'no connection'})`, { cause: error });
}
