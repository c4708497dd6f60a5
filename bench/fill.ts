/**
 * Fills a broker's database behind its back, as no API would let anyone: copies of what it holds already, so that each
 * row has the size of a real one.
 */
import postgres from 'postgres';
import type { Sql } from 'postgres';
import type { Purpose, SealedSecret } from '../src/core/seal.ts';
import { DATABASE } from '../src/embedded/provision.ts';
import { embeddedAt } from '../src/embedded/server.ts';
import type { BrevetServer } from './servers.ts';
import { AGENT, keyringOf, TENANT } from './world.ts';

/** Tenants with all that one has: agent, roles, overseer, target and keys. */
export const fillTenants = (broker: BrevetServer, count: number): Promise<void> =>
  asSuperuser(broker, [
    copies('tenants', count - 1, { name: NAME }),
    copies('signing_keys', count - 1, { tenant: NAME, kid: `kid || '-' || n` }),
    copies('target_audiences', count - 1, { tenant: NAME, audience: `audience || '/' || n` }),
    copies('targets', count - 1, { tenant: NAME, audience: `audience || '/' || n` }),
    copies('target_versions', count - 1, { tenant: NAME }),
    copies('enrolments', count - 1, { tenant: NAME, thumbprint: `thumbprint || '-' || n` }),
    copies('acceptances', count - 1, { tenant: NAME }),
    copies('memberships', count - 1, { tenant: NAME }),
    copies('assignments', count - 1, { tenant: NAME, id: `overlay(id placing lpad(n::text, 8, '0') from 15)` }),
  ]);

/** All of the measured tenant's own. One lease in a hundred lives, for another hour. */
export const fillLedger = (
  broker: BrevetServer,
  { leases, entries }: { readonly leases: number; readonly entries: number },
): Promise<void> =>
  asSuperuser(broker, [
    copies('requests', leases, { id: FRESH_ID }, 1),
    copies(
      'leases',
      leases,
      {
        id: FRESH_ID,
        state: `case when n % 100 = 0 then 'active' else 'revoked' end`,
        death: `case when n % 100 = 0 then null else '{"how":"expired"}'::json end`,
        expires_at: 'expires_at + 3600000',
      },
      1,
    ),
    copies('entries', entries, { id: FRESH_ID, request: FRESH_REQUEST, lease: FRESH_LEASE }, 1),
    copies('entry_values', entries, { entry: FRESH_ENTRY }, 1),
  ]);

/** Copies of a live token of the measured tenant's, which die with a commit of their own. */
export const fillLive = (broker: BrevetServer, leases: number): Promise<void> =>
  asSuperuser(broker, [
    async (columns) => {
      const copy = await copies('leases', leases, { id: OTHER_ID, expires_at: 'brevet_now() + 3600000' }, 1)(columns);
      return copy.replace('limit 1', "and provider = 'jwt' and state = 'active' limit 1");
    },
  ]);

/** As if so many asked the same person, who is asked once already: each waits for another day. */
export const fillAsks = (broker: BrevetServer, count: number): Promise<void> =>
  asSuperuser(broker, [
    () => Promise.resolve(`delete from asks where approval in (select id from approvals where id like 'apr^_000%' escape '^')`),
    () => Promise.resolve(`delete from approvals where id like 'apr^_000%' escape '^'`),
    () => Promise.resolve(`delete from requests where id like 'req^_000%' escape '^'`),
    copies('requests', count, { id: FRESH_ID }, 1),
    copies(
      'approvals',
      count,
      {
        id: FRESH_ID,
        request: FRESH_REQUEST,
        expires_at: 'expires_at + 86400000',
        step_ends_at: 'step_ends_at + 86400000',
      },
      1,
    ),
    copies('asks', count, { approval: fresh('approval'), due: 'due + 86400000 + n' }, 1),
  ]);

/** Somebody who is signed in at the console, by a cookie of which the database has the hash. */
export const fillSessions = (broker: BrevetServer, person: string, ids: readonly string[]): Promise<void> =>
  withDatabase(broker, async (sql) => {
    await sql`insert into console_sessions (id, person, operator, by, passkey, signed_in_at, proven_at, idle_until, until)
      select id, ${person}, ${person}, 'oidc', null, brevet_now(), brevet_now(), brevet_now() + 3600000, brevet_now() + 3600000
      from unnest(${ids as string[]}::text[]) as given (id)`;
  });

/** Lifted, so that the next round begins as the first did. */
export const liftAll = (broker: BrevetServer): Promise<void> =>
  withDatabase(broker, async (sql) => {
    await sql`update blocks set lifted_at = brevet_now()`;
    await sql`update deployment set epoch = epoch + 1`;
    await sql`update tenants set epoch = epoch + 1`;
  });

const NAME = `'client-' || n`;
/** Older than what it is a copy of, in the order of its number: as ids are that were made over the months before. */
const fresh = (id: string): string => `overlay(${id} placing '00' || lpad(n::text, 8, '0') from 5)`;
const FRESH_ID = fresh('id');
/** Never that of another round. */
const OTHER_ID = `'lse_0' || lpad((extract(epoch from clock_timestamp())::bigint % 100000000)::text, 8, '0') || lpad(n::text, 17, '0')`;
const FRESH_REQUEST = fresh('request');
const FRESH_LEASE = fresh('lease');
const FRESH_ENTRY = fresh('entry');

type Changed = Readonly<Record<string, string>>;
type Statement = (columns: (table: string) => Promise<readonly string[]>) => Promise<string>;

/** @param of how many of the measured tenant's rows to copy; all of them, where nothing is said. */
const copies =
  (table: string, count: number, changed: Changed, of?: number): Statement =>
  async (columns) => {
    const names = (await columns(table)).map((name) => `"${name}"`);
    const values = names.map((name) => changed[name.slice(1, -1)] ?? name);
    const own = table === 'tenants' ? 'name' : 'tenant';
    const limit = of === undefined ? '' : `limit ${of}`;
    return `insert into ${table} (${names.join(', ')}) select ${values.join(', ')}
      from (select * from ${table} where ${own} = '${TENANT}' ${limit}) t, generate_series(1, ${count}) n`;
  };

/** For each of the copied tenants: what is sealed for another does not open, and nothing could be signed with it. */
export const sealKeys = (broker: BrevetServer): Promise<void> =>
  withDatabase(broker, async (sql) => {
    const keyring = await keyringOf(broker);
    const purpose = (tenant: string, subject: string): Purpose => ({ tenant, use: 'signing-key', subject });
    const keys = await sql<SealedKey[]>`select kid, private_jwk as sealed from signing_keys where tenant = ${TENANT}`;
    for (const { kid, sealed } of keys) {
      const secret = await keyring.open(purpose(TENANT, kid), sealed);
      const copied = await sql<{ tenant: string; kid: string }[]>`
        select tenant, kid from signing_keys where kid like ${`${kid}-%`}`;
      const fresh = await Promise.all(copied.map((one) => keyring.seal(purpose(one.tenant, one.kid), secret)));
      await sql`update signing_keys k set private_jwk = f.sealed
        from unnest(${copied.map(({ tenant }) => tenant)}::text[], ${fresh}::text[]) f (tenant, sealed)
        where k.tenant = f.tenant and k.kid like ${`${kid}-%`}`;
    }
  });

interface SealedKey {
  readonly kid: string;
  readonly sealed: SealedSecret;
}

const asSuperuser = (broker: BrevetServer, statements: readonly Statement[]): Promise<void> =>
  withDatabase(broker, async (sql) => {
    const columns = async (table: string): Promise<readonly string[]> => {
      const rows = await sql<{ name: string }[]>`
        select attname as name from pg_attribute
        where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`;
      return rows.map(({ name }) => name);
    };
    // No trigger and no foreign key is asked about rows that are copies of good ones.
    await sql`set session_replication_role = replica`;
    for (const statement of statements) await sql.unsafe(await statement(columns));
    await sql`vacuum analyze`;
    await sql`checkpoint`;
    const [known] = await sql`select 1 from enrolments where tenant = ${TENANT} and agent = ${AGENT}`;
    if (known === undefined) throw new Error('the measured tenant is not what it was');
  });

async function withDatabase(broker: BrevetServer, use: (sql: Sql) => Promise<void>): Promise<void> {
  const server = await embeddedAt(broker.dataDir);
  const sql = postgres({ ...server.connection(DATABASE), max: 1, onnotice: () => undefined });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
