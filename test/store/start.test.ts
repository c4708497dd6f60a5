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
    for (const grant of grants) await sql.unsafe(grant.replaceAll('$', user));
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
    ['one that inherits', 'inherit', [GOOD], /inherits/],
    ['one that inherits by a grant', 'noinherit', [`grant ${GROUPS} to $ with inherit true, set true`], /inherits/],
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
