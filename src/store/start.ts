/**
 * What is looked at before anything is served: that the login can do no more than it should, that the lock and the
 * reads are what they seem through whatever stands between, and that the deployment key is the one that sealed.
 */
import { eq, isNull, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { Secret } from '../core/secret.ts';
import { WrongDeploymentKey } from '../core/seal.ts';
import type { Keyring, Purpose } from '../core/seal.ts';
import { StoreUnavailable } from '../core/store.ts';
import { asStoreError, clientOptions, firstAnswer } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import type { Link } from './link.ts';
import { MIGRATIONS } from './migrations.ts';
import { PROBE_LOCK, REGISTER_LOCK, ROLES } from './roles.ts';
import { deployment } from './schema/deployment.ts';

/** The database, or the login, is not one that Brevet may serve on; the message says what to change. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase';
}

/**
 * Looks over two connections, the most that a lock needs to be seen at work.
 *
 * @throws {UnfitDatabase}
 */
export async function checkDatabase(to: DatabaseOptions, node: string): Promise<void> {
  const one = postgres({ ...clientOptions(to), max: 1 });
  const other = postgres({ ...clientOptions(to), max: 1 });
  try {
    // The other one connects meanwhile.
    await firstAnswer(Promise.all([checkLogin(one), other`select`]));
    await probeLock(one, other);
    await probeReads(one, other, `probe ${node}`);
  } catch (error) {
    throw asStoreError(error);
  } finally {
    await Promise.all([one.end({ timeout: 1 }), other.end({ timeout: 1 })]);
  }
}

/** @throws {UnfitDatabase} naming everything that is wrong with the login. */
async function checkLogin(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<LoginRow[]>`
    select current_user as login, r.rolsuper as superuser, r.rolbypassrls as bypasses, r.rolcreaterole as makes_roles,
      r.rolcreatedb as makes_databases, r.rolreplication as replicates,
      exists (select from pg_database d where d.datname = current_database()
        and pg_has_role(r.oid, d.datdba, 'MEMBER')) as owns_database,
      exists (select from pg_class c where c.relnamespace = 'public'::regnamespace
        and pg_has_role(r.oid, c.relowner, 'MEMBER')) as owns_tables,
      r.rolinherit as inherits,
      coalesce((select json_agg(m.rolname order by m.rolname) from pg_roles m
        where pg_has_role(r.oid, m.oid, 'MEMBER') and m.oid <> r.oid), '[]') as reaches,
      coalesce((select json_agg(m.rolname) from pg_roles m
        where m.oid <> r.oid and pg_has_role(r.oid, m.oid, 'USAGE')), '[]') as inherited,
      coalesce((select json_agg(m.rolname order by m.rolname) from pg_roles m
        where m.oid <> r.oid and pg_has_role(r.oid, m.oid, 'MEMBER') and (m.rolsuper or m.rolbypassrls
          or m.rolcreaterole or m.rolcreatedb or m.rolreplication)), '[]') as mighty,
      coalesce((select json_agg(m.rolname order by m.rolname) from pg_roles m
        where pg_has_role(r.oid, m.oid, 'MEMBER') and (has_schema_privilege(m.oid, 'public', 'CREATE')
          or has_database_privilege(m.oid, current_database(), 'CREATE, TEMP'))), '[]') as makers,
      current_setting('server_encoding') as encoding
    from pg_roles r where r.rolname = current_user`;
  if (row === undefined) throw new UnfitDatabase('the login is not to be found in pg_roles');
  const problems = problemsOf(row);
  if (problems.length > 0) throw new UnfitDatabase(`${row.login} may not serve: ${problems.join('; ')}`);
}

interface LoginRow {
  readonly login: string;
  readonly superuser: boolean;
  readonly bypasses: boolean;
  readonly makes_roles: boolean;
  readonly makes_databases: boolean;
  readonly replicates: boolean;
  readonly owns_database: boolean;
  readonly owns_tables: boolean;
  readonly inherits: boolean;
  readonly reaches: readonly string[];
  readonly inherited: readonly string[];
  readonly mighty: readonly string[];
  /** Who could make a table or function that a statement of ours finds before the one that it means. */
  readonly makers: readonly string[];
  readonly encoding: string;
}

function problemsOf(row: LoginRow): string[] {
  // A superuser is a member of everything, and owner of it all: the rest would only repeat that.
  if (row.superuser) return ['it is a superuser: use a login of its own for Brevet'];
  const known: readonly string[] = Object.values(ROLES);
  const strange = row.reaches.filter((role) => !known.includes(role));
  const absent = known.filter((role) => !row.reaches.includes(role));
  const found: readonly (readonly [boolean, string])[] = [
    [row.bypasses, 'it bypasses row security: ALTER ROLE … NOBYPASSRLS'],
    [row.makes_roles, 'it can make roles: ALTER ROLE … NOCREATEROLE'],
    [row.makes_databases, 'it can make databases: ALTER ROLE … NOCREATEDB'],
    [row.replicates, 'it can replicate: ALTER ROLE … NOREPLICATION'],
    [row.owns_database || row.owns_tables, 'it owns the database or its tables: the owner migrates and never serves'],
    [
      row.inherits || row.inherited.length > 0,
      'it inherits the rights of its roles: ALTER ROLE … NOINHERIT, and grant each WITH INHERIT FALSE',
    ],
    [
      row.mighty.length > 0,
      `it can become ${row.mighty.join(', ')}, which can do more than work on tables: ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION`,
    ],
    [
      row.makers.length > 0,
      `${row.makers.join(', ')} can make tables: REVOKE ALL ON DATABASE … FROM PUBLIC, and REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
    ],
    [strange.length > 0, `it can become ${strange.join(', ')}: REVOKE … FROM ${row.login}`],
    [absent.length > 0, `it cannot become ${absent.join(', ')}: GRANT … TO ${row.login} WITH INHERIT FALSE, SET TRUE`],
    [row.encoding !== 'UTF8', `the database is encoded as ${row.encoding}: entries are UTF-8`],
  ];
  return found.filter(([is]) => is).map(([, what]) => what);
}

/**
 * That a transaction's lock keeps another connection out through the pooler in use. Postgres takes one lock for two
 * transactions of one session: so a shared session shows here too.
 */
async function probeLock(one: postgres.Sql, other: postgres.Sql): Promise<void> {
  await one.begin(async (holding) => {
    // Nodes that start at once wait for each other's probe.
    await holding`select set_config('lock_timeout', '10s', true), pg_advisory_xact_lock(${PROBE_LOCK})`;
    await other.begin(async (trying) => {
      const [row] = await trying<{ got: boolean }[]>`select pg_try_advisory_xact_lock_shared(${PROBE_LOCK}) as got`;
      if (row?.got !== false) {
        throw new UnfitDatabase(
          'a lock that one transaction holds does not keep another out: use a pooler that keeps a transaction on one server connection',
        );
      }
    });
  });
}

const PROBE_READS = 3;
/** What a probe leaves as its heartbeat when it is through: older than any, and free to be forgotten. */
export const PROBED = 1;

/** That a fresh write is read back: a cache between here and Postgres would answer with what was. */
async function probeReads(one: postgres.Sql, other: postgres.Sql, node: string): Promise<void> {
  const write = (value: number) =>
    one.begin(async (writing) => {
      await Promise.all([
        writing`select set_config('role', ${ROLES.work}, true)`,
        writing`insert into heartbeats (node, at) values (${node}, ${value}) on conflict (node) do update set at = excluded.at`,
      ]);
    });
  for (let round = 1; round <= PROBE_READS; round++) {
    await write(round - PROBE_READS);
    const at = await other.begin(async (reading) => {
      const [, [row]] = await Promise.all([
        reading`select set_config('role', ${ROLES.serve}, true)`,
        reading<{ at: string }[]>`select at from heartbeats where node = ${node}`,
      ]);
      return Number(row?.at);
    });
    if (at !== round - PROBE_READS) {
      throw new UnfitDatabase('a fresh write is not read back: turn off the caching of queries for this database');
    }
  }
  await write(PROBED);
}

const KEY_CHECK: Purpose = { tenant: '', use: 'key-check', subject: 'deployment' };
const KNOWN_VALUE = 'brevet';

/**
 * The first node seals a known value under its key; every other start must be able to open it.
 * @throws {WrongDeploymentKey}
 */
export async function checkKey(link: Link, keyring: Keyring): Promise<void> {
  const sealed = await keyring.seal(KEY_CHECK, new Secret(KNOWN_VALUE));
  const kept = await link.transaction({ role: ROLES.serve, tenants: [] }, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${REGISTER_LOCK})`);
    await tx.update(deployment).set({ keyCheck: sealed }).where(isNull(deployment.keyCheck));
    const [row] = await tx.select({ keyCheck: deployment.keyCheck }).from(deployment).where(eq(deployment.id, 1));
    return row?.keyCheck ?? null;
  });
  if (kept === null) throw new UnfitDatabase('the deployment has no row: run the migrations');
  const opened = await keyring.open(KEY_CHECK, kept).catch((cause: unknown) => {
    throw new WrongDeploymentKey(
      `this database was made with another deployment key (${kept.split('.')[0]}), and this one is ${keyring.keyId}: ` +
        'set BREVET_DEPLOYMENT_KEY or BREVET_DEPLOYMENT_KEY_FILE to the one it was made with',
      { cause },
    );
  });
  if (opened.reveal() !== KNOWN_VALUE) throw new WrongDeploymentKey('the sealed known value is another');
}

/** The id of the deployment key that a migrated database was made with; `null` where no node was started on it yet. */
export async function keyMadeWith(to: DatabaseOptions): Promise<string | null> {
  const sql = postgres({ ...clientOptions(to), max: 1 });
  try {
    const [, [row]] = await firstAnswer(
      sql.begin((tx) => [
        tx`select set_config('role', ${ROLES.serve}, true)`,
        tx<{ key_check: string | null }[]>`select key_check from deployment where id = 1`,
      ]),
    );
    return row?.key_check?.split('.')[0] ?? null;
  } catch (error) {
    throw asStoreError(error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Whether the database answers, and has the tables that this version expects. More of them, which a later version has
 * made while this one still serves beside it, leave those as they are: an upgrade goes node by node.
 */
export async function readiness(link: Link): Promise<{ readonly database: boolean; readonly migrations: boolean }> {
  try {
    const rows = await link.transaction({ role: ROLES.serve, tenants: [] }, (tx) =>
      tx.execute<{ readonly n: string }>(sql`select count(*) as n from drizzle.__drizzle_migrations`),
    );
    return { database: true, migrations: Number(rows[0]?.n) >= MIGRATIONS };
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { database: false, migrations: false };
  }
}
