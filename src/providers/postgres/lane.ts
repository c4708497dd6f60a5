/**
 * One connection to one node, as the target's admin login, used by one call at a time and bounded in time.
 */
import postgres from 'postgres';
import type { Json } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Secret } from '../../core/secret.ts';
import { milliseconds } from '../../core/time.ts';
import type { Milliseconds } from '../../core/time.ts';
import type { PostgresConfig, PostgresNode } from './config.ts';
import { nodeName } from './config.ts';

/** A server that has not answered a new connection by then is not there. */
const CONNECT_SECONDS = 3;
/** The server's own bound on a statement; a batch of 64 logins at 4,096 rounds takes about 150 ms. */
const STATEMENT_MS = 4_000;
/** Ours, which holds when the network swallows answers: then the connection is thrown away. */
export const PATIENCE = milliseconds(5_000);
/** A holder that keeps a lock on its own role makes us wait no longer than this. */
export const HOLDER_LOCK_MS = 200;
/** A client's own defaults stop no kill. As text, since postgres.js sends neither a 0 nor a `false`. */
const AGAINST_DEFAULTS: Readonly<Record<string, string>> = {
  // No writes, as where a disk is full.
  default_transaction_read_only: 'off',
  // Ends what is idle, also the connection that is kept against full slots.
  idle_session_timeout: '0',
  // Commits wait for a standby, and that is away: no bound of the server's ends the wait, the login would stay, and each
  // try would leave one more connection waiting. Death is seen at every named node all the same.
  synchronous_commit: 'local',
};

/** The server answered with an error, by its SQLSTATE: nothing else of the answer is kept, since it may quote values. */
export class ServerRefusal extends ProviderUnavailable {
  readonly sqlstate: string;

  constructor(node: string, sqlstate: string) {
    super(`${node} answered ${sqlstate}`);
    this.sqlstate = sqlstate;
  }

  /** It has room and is up: what it refused is this statement. */
  override get answered(): boolean {
    return this.isCertain && !this.sqlstate.startsWith('53');
  }

  /** The statement was undone. Class 08 and 57 end a connection, perhaps after the commit. */
  get isCertain(): boolean {
    return !/^(?:08|57)/.test(this.sqlstate);
  }
}

export interface Lane {
  readonly node: PostgresNode;
  /** @throws {ProviderUnavailable} for whatever the server or the network did. */
  run<T>(call: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Resolves while the connection stands, or once it does. */
  ready(): Promise<void>;
  isBusy(): boolean;
  /** A call is under way, or its connection still stands. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface LaneOptions {
  /** Who logs in, where, and how the way there is protected. */
  readonly config: Pick<PostgresConfig, 'database' | 'admin' | 'tls' | 'ca'>;
  readonly password: Secret | null;
  readonly node: PostgresNode;
  /** Another database than the target's, for what a login left there. */
  readonly database?: string;
  /** Seconds without a call after which the connection is closed; the next call opens another. */
  readonly idle: number;
  /** How long a statement may wait for a lock. */
  readonly lockMs: number;
  readonly patience: Milliseconds;
}

export function openLane(options: LaneOptions): Lane {
  const name = nodeName(options.node);
  let client: postgres.Sql | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let calls = 0;
  let connected = false;
  let lose: () => void = () => {};
  let opened = 0;

  const open = (): postgres.Sql => {
    const mine = (opened += 1);
    return connect(options, () => {
      if (mine !== opened) return;
      connected = false;
      lose();
    });
  };
  const discard = async (): Promise<void> => {
    const ending = client;
    client = null;
    // What becomes of the old connection concerns no later call.
    opened += 1;
    connected = false;
    await ending?.end({ timeout: 0 });
  };
  const call = async <T>(ask: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    client ??= open();
    // postgres.js forgets a query that it takes between a connection's error and its end.
    const lost = new Promise<never>((_, reject) => {
      lose = () => reject(new ProviderUnavailable(`${name} closed the connection`));
    });
    try {
      const answer = await inTime(Promise.race([ask(client), lost]), options.patience, name);
      connected = true;
      return answer;
    } catch (fault) {
      if (!isOfStatement(fault)) await discard();
      throw unavailable(fault, name);
    } finally {
      calls -= 1;
    }
  };
  const run: Lane['run'] = (ask) => {
    calls += 1;
    const mine = turn.then(() => call(ask));
    const over = (): void => {};
    turn = mine.then(over, over);
    return mine;
  };
  return {
    node: options.node,
    run,
    ready: async () => {
      if (!connected) await run((sql) => sql`select 1`);
    },
    isBusy: () => calls > 0,
    isOpen: () => calls > 0 || connected,
    close: discard,
  };
}

/** The server refused a statement, and its connection stands: class 08, 28, 3D, 53 and 57 are of connections. */
const isOfStatement = (fault: unknown): boolean =>
  fault instanceof postgres.PostgresError && !/^(?:08|28|3D|53|57)/.test(fault.code);

function connect({ config, password, node, database, idle, lockMs }: LaneOptions, onclose: () => void): postgres.Sql {
  const { host, port } = node;
  return postgres({
    host,
    port,
    database: database ?? config.database,
    user: config.admin,
    password: () => password?.reveal() ?? '',
    // The name is given because Node would compare an address with `localhost`.
    ssl: config.tls === 'off' ? false : { host, rejectUnauthorized: true, ...(config.ca && { ca: config.ca }) },
    max: 1,
    idle_timeout: idle,
    connect_timeout: CONNECT_SECONDS,
    // Otherwise a kept connection would be closed after half an hour.
    max_lifetime: null,
    // Whoever calls waits between tries.
    backoff: () => 0,
    fetch_types: false,
    debug: false,
    onnotice: () => {},
    onclose,
    connection: {
      application_name: 'brevet',
      // Nothing that somebody put into a schema of the target is taken for a function or table of the server.
      search_path: 'pg_catalog, pg_temp',
      // Few statements, sent often: planned once, and never compiled.
      plan_cache_mode: 'force_generic_plan',
      jit: 'off',
      // Our programs are the same each time: to read each of their expressions once is enough.
      check_function_bodies: 'off',
      // A role that is set before it is given is noticed for each login: a fifth of what a mint is answered.
      client_min_messages: 'warning',
      statement_timeout: STATEMENT_MS,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: STATEMENT_MS,
      ...AGAINST_DEFAULTS,
    },
  });
}

async function inTime<T>(answer: Promise<T>, patience: Milliseconds, name: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ProviderUnavailable(`${name} did not answer in ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Errors of the driver carry the statement and its values: only the code goes on. */
function unavailable(fault: unknown, name: string): unknown {
  if (fault instanceof ProviderUnavailable) return fault;
  if (fault instanceof postgres.PostgresError) return new ServerRefusal(name, fault.code);
  const code = fault instanceof Error && 'code' in fault ? fault.code : undefined;
  return typeof code === 'string' ? new ProviderUnavailable(`${name} could not be asked: ${code}`) : fault;
}

/**
 * What a call sends in one go is answered whole before the call ends, also where one statement fails: postgres.js would
 * send what is left over the next connection, and take its failure for that of the next call.
 */
export async function answersTo<T extends readonly PromiseLike<unknown>[]>(
  queries: T,
): Promise<{ -readonly [Place in keyof T]: Awaited<T[Place]> }> {
  try {
    return await Promise.all(queries);
  } catch (fault) {
    // Where it is the connection's, that goes with all that was sent over it.
    if (isOfStatement(fault)) await Promise.allSettled(queries);
    throw fault;
  }
}

/**
 * Runs a program of ours, a `DO` block that reads `brevet.payload` and leaves `brevet.outcome`: values go as
 * parameters and are quoted by the server, in one round trip.
 */
export function perform<Outcome>(lane: Lane, program: string, payload: Json): Promise<Outcome> {
  return lane.run(async (sql) => {
    const [, , [row]] = await answersTo([
      sql`select set_config('brevet.payload', ${JSON.stringify(payload)}, false)`.execute(),
      sql.unsafe(program).execute(),
      sql<{ outcome: string }[]>`select current_setting('brevet.outcome') as outcome`.execute(),
    ]);
    if (row === undefined) throw new Error('a program left no outcome');
    return JSON.parse(row.outcome) as Outcome;
  });
}

/** The SQLSTATE with which our programs refuse to go on at another server than the one meant. */
const OTHER_SERVER = 'BV001';

const REFUSE = `RAISE EXCEPTION 'another server answers' USING ERRCODE = '${OTHER_SERVER}';`;

/** Begins every program that changes something; `payload` is then declared. */
export const AT_THE_RIGHT_SERVER = `
  IF (pg_control_system()).system_identifier::text <> payload ->> 'server' THEN
    ${REFUSE}
  END IF;`;

/**
 * The same where the statement before it has looked, and left an empty payload at another server. What it left is the
 * session's own, and a session has one server.
 */
export const AT_THE_SERVER_LOOKED_AT = `
  IF payload = '{}' THEN
    ${REFUSE}
  END IF;`;
