import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKeyring, WrongDeploymentKey } from '../../src/core/seal.ts';
import { connectionUrl } from '../../src/embedded/connection.ts';
import type { Connection } from '../../src/embedded/connection.ts';
import { Secret } from '../../src/core/secret.ts';
import { openStore } from '../../src/store/open.ts';
import { checkDatabase, keyMadeWith, UnfitDatabase } from '../../src/store/start.ts';
import { testDatabase, withAdmin } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { random, silent, testStore } from '../support/store.ts';

let database: TestDatabase;

const start = suite('start');
start.before(async () => {
  database = await testDatabase();
});
start.after(() => database.drop());

const GROUPS = 'brevet_serve, brevet_work, brevet_list';

/** A login of its own, since roles belong to the whole server; the tries of one file do not meet another's. */
async function loginWith(
  attributes: string,
  grants: readonly string[],
): Promise<Connection & { drop(): Promise<void> }> {
  const user = `brevet_try_${database.name.slice(-8)}`;
  const password = 'only for this test';
  await withAdmin(database.admin, async (sql) => {
    await sql.unsafe(`drop role if exists ${user}`);
    await sql.unsafe(`create role ${user} login ${attributes} password '${password}'`);
    await sql.unsafe(`grant connect on database ${database.name} to ${user}`);
    for (const grant of grants) await sql.unsafe(grant.replaceAll('$', user).replace('@', database.name));
  });
  const drop = () =>
    withAdmin(database.admin, async (sql) => {
      await sql.unsafe(`reassign owned by ${user} to brevet_owner; drop owned by ${user}; drop role ${user}`);
      await sql.unsafe(`drop role if exists ${user}_mighty`);
    });
  return { ...database.serve, user, password: () => password, drop };
}

const GOOD = `grant ${GROUPS} to $ with inherit false, set true`;

const LOGINS: readonly (readonly [name: string, attributes: string, grants: readonly string[], says: RegExp | null])[] =
  [
    ['one as it should be', 'noinherit', [GOOD], null],
    ['a superuser', 'superuser', [GOOD], /superuser/],
    ['one that bypasses row security', 'noinherit bypassrls', [GOOD], /bypasses row security/],
    ['one that makes roles', 'noinherit createrole', [GOOD], /can make roles/],
    ['one that makes databases', 'noinherit createdb', [GOOD], /can make databases/],
    ['one that replicates', 'noinherit replication', [GOOD], /can replicate/],
    ['one that inherits', 'inherit', [GOOD], /inherits/],
    ['one that inherits by a grant', 'noinherit', [`grant ${GROUPS} to $ with inherit true, set true`], /inherits/],
    ['one that owns the database', 'noinherit', [GOOD, 'alter database @ owner to $'], /owns the database/],
    [
      'one that owns a table',
      'noinherit',
      [GOOD, 'create table public.$_own ()', 'alter table public.$_own owner to $'],
      /owns the database or its tables/,
    ],
    ['one that can become the owner', 'noinherit', [GOOD, 'grant brevet_owner to $'], /owns the database/],
    ['one that reaches more', 'noinherit', [GOOD, 'grant pg_read_all_data to $'], /can become pg_read_all_data/],
    [
      'one whose role bypasses row security',
      'noinherit',
      [GOOD, 'create role $_mighty nologin bypassrls', 'grant $_mighty to $ with inherit false'],
      /can become brevet_try_\w+_mighty, which can do more/,
    ],
    ['one that reaches less', 'noinherit', ['grant brevet_serve to $ with inherit false'], /cannot become brevet_/],
  ];

for (const [name, attributes, grants, says] of LOGINS) {
  start(`${says === null ? 'takes' : 'refuses'} ${name}`, async () => {
    const login = await loginWith(attributes, grants);
    try {
      const refusal = await checkDatabase(login, 'one').catch((fault: unknown) => fault);
      if (says === null) assert.is(refusal, undefined);
      else {
        assert.instance(refusal, UnfitDatabase);
        assert.match(String(refusal), says);
      }
    } finally {
      await login.drop();
    }
  });
}

/** A statement of Brevet's would find what was made so before what it means. */
for (const [right, whose, says] of [
  ['temporary on database @', 'brevet_serve', /: brevet_serve can make tables/],
  ['create on schema public', 'public', /: brevet, brevet_list, brevet_serve, brevet_work can make tables/],
] as const) {
  start(`refuses a login where ${whose} has ${right}`, async () => {
    const on = right.replace('@', database.name);
    await withAdmin(database.admin, (sql) => sql.unsafe(`grant ${on} to ${whose}`));
    const refusal = await checkDatabase(database.serve, 'one').catch((fault: unknown) => fault);
    await withAdmin(database.admin, (sql) => sql.unsafe(`revoke ${on} from ${whose}`));
    assert.match(String(refusal), says);
  });
}

start('refuses the owner', async () => {
  const refusal = await openStore({ database: database.owner, node: 'n', log: silent, mode: 'node' }).catch(
    (fault: unknown) => fault,
  );
  assert.match(String(refusal), /owns the database/);
});

start('probes the lock and the reads on a plain connection, also two nodes at once', async () => {
  await Promise.all([checkDatabase(database.serve, 'one'), checkDatabase(database.serve, 'two')]);
});

/** Stands for a pooler that gives two transactions one session, of which each then has the other's locks. */
start('refuses a way there on which a lock keeps nobody out', async () => {
  const login = await loginWith('noinherit', [
    GOOD,
    'create schema $_lax',
    `create function $_lax.pg_try_advisory_xact_lock_shared(bigint) returns boolean language sql as 'select true'`,
    'grant usage on schema $_lax to $',
    'alter role $ set search_path to $_lax, pg_catalog, public',
  ]);
  const refusal = await checkDatabase(login, 'one').catch((fault: unknown) => fault);
  await login.drop();
  assert.instance(refusal, UnfitDatabase);
  assert.match(String(refusal), /does not keep another out/);
});

/** Stands for a cache that answers with what was. */
start('refuses a way there on which a fresh write is not read back', async () => {
  await withAdmin(database.admin, async (sql) => {
    await sql`create function keep_old() returns trigger language plpgsql as 'begin return old; end'`;
    await sql`create trigger keep_old before update on heartbeats for each row execute function keep_old()`;
  });
  const refusal = await checkDatabase(database.serve, 'cached').catch((fault: unknown) => fault);
  await withAdmin(database.admin, (sql) => sql`drop function keep_old cascade`);
  assert.instance(refusal, UnfitDatabase);
  assert.match(String(refusal), /fresh write is not read back/);
});

start('refuses a database whose texts are not UTF-8', async () => {
  const name = `${database.name}_ascii`;
  await withAdmin(database.admin, (sql) =>
    sql.unsafe(`create database ${name} template template0 encoding 'SQL_ASCII' locale 'C'`),
  );
  const refusal = await checkDatabase({ ...database.serve, database: name }, 'one').catch((fault: unknown) => fault);
  await withAdmin(database.admin, (sql) => sql.unsafe(`drop database ${name}`));
  assert.match(String(refusal), /is encoded as SQL_ASCII/);
});

start('reads a URL, also one that names a socket', async () => {
  const url = connectionUrl(database.serve);
  await checkDatabase({ url: new Secret(url) }, 'one');
  const socket = encodeURIComponent(database.serve.host);
  await checkDatabase({ url: new Secret(`${url.replace(socket, 'localhost')}?host=${socket}`) }, 'one');
});

start('refuses another deployment key before anything is served, and takes the same again', async () => {
  const test = await testStore({ world: false });
  try {
    const other = await createKeyring(random(32), random);
    const refusal = await test.open({ keyring: other }).catch((fault: unknown) => fault);
    assert.instance(refusal, WrongDeploymentKey);
    assert.match(String(refusal), /BREVET_DEPLOYMENT_KEY/);
    await test.open();
  } finally {
    await test.close();
  }
});

start('knows the id of the key that a database was made with, and of none before that', async () => {
  assert.is(await keyMadeWith(database.serve), null);
  const keyring = await createKeyring(random(32), random);
  const store = await openStore({ database: database.serve, keyring, node: 'n', log: silent, mode: 'node' });
  await store.close();
  assert.is(await keyMadeWith(database.serve), keyring.keyId);
});

start(
  'says that it is not ready where migrations are missing, and is where a later version has made more',
  async () => {
    const test = await testStore({ world: false });
    try {
      assert.equal(await test.store.ready(), { database: true, migrations: true });
      await withAdmin(test.database.admin, async (sql) => {
        await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)`;
      });
      assert.equal(await test.store.ready(), { database: true, migrations: true });
      await withAdmin(test.database.admin, async (sql) => {
        await sql`delete from drizzle.__drizzle_migrations where hash = 'later'`;
        await sql`delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)`;
      });
      assert.equal(await test.store.ready(), { database: true, migrations: false });
    } finally {
      await test.close();
    }
  },
);

start.run();
