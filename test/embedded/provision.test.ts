import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../src/embedded/connection.ts';
import { scramVerifier } from '../../src/embedded/password.ts';
import { databaseStatements, provision, roleStatements } from '../../src/embedded/provision.ts';
import type { Provisioned } from '../../src/embedded/provision.ts';
import { startEmbedded } from '../../src/embedded/server.ts';
import type { RunningServer } from '../../src/embedded/server.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { withAdmin } from '../support/postgres.ts';

const provisioned = suite('provision');

let server: RunningServer;
let made: Provisioned;

provisioned.before(async () => {
  server = await startEmbedded({ dataDir: await temporaryFolder('provision'), note: 'provision.test.ts' });
  made = await provision(server);
  await withAdmin(made.owner, (sql) => sql`create table kept (a int)`);
});
provisioned.after(() => server.stop());

async function codeOf(to: Connection, statement: string): Promise<string> {
  return withAdmin(to, async (sql) => {
    try {
      await sql.unsafe(statement);
      return 'done';
    } catch (error) {
      return error instanceof postgres.PostgresError ? error.code : String(error);
    }
  });
}

provisioned('is the same when done again', async () => {
  const again = await provision(server);
  assert.equal([again.owner.password(), again.serve.password()], [made.owner.password(), made.serve.password()]);
  assert.is(await codeOf(made.owner, 'select * from kept'), 'done');
});

provisioned('keeps each password in a file of its own, of mode 0600', async () => {
  const files = (await readdir(server.home)).filter((name) => name.endsWith('.password')).toSorted();
  assert.equal(files, ['brevet.password', 'brevet_owner.password', 'superuser.password']);
  const modes = await Promise.all(files.map(async (name) => (await stat(join(server.home, name))).mode & 0o777));
  assert.equal(modes, [0o600, 0o600, 0o600]);
});

provisioned('gives no role more than it needs', async () => {
  const rows = await withAdmin(
    server.connection('postgres'),
    (sql) => sql<{ line: string }[]>`
    select concat_ws(' ', rolname, case when rolcanlogin then 'login' end, case when rolinherit then 'inherit' end,
      case when rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls then 'too much' end) as line
    from pg_roles where rolname like 'brevet%' order by 1`,
  );
  const lines = ['brevet login', 'brevet_list', 'brevet_owner login', 'brevet_serve', 'brevet_work'];
  assert.equal(
    rows.map(({ line }) => line),
    lines,
  );
});

const NO = '42501';
const STATEMENTS: readonly (readonly [who: 'owner' | 'serve', statement: string, answer: string])[] = [
  ['owner', 'create schema s', 'done'],
  ['owner', 'create role r', NO],
  ['owner', 'set role brevet_serve', NO],
  ['owner', `copy (select 1) to program 'true'`, NO],
  ['serve', 'set role brevet_serve', 'done'],
  ['serve', 'set role brevet_work', 'done'],
  ['serve', 'set role brevet_list', 'done'],
  ['serve', 'set role brevet_owner', NO],
  ['serve', 'set role postgres', NO],
  ['serve', 'select * from kept', NO],
  ['serve', 'create table t (a int)', NO],
  ['serve', 'create temporary table t (a int)', NO],
  ['serve', 'create schema t', NO],
  ['serve', 'set role brevet_serve; create temporary table t (a int)', NO],
  ['serve', 'grant brevet_serve to brevet_owner', NO],
];
for (const [who, statement, answer] of STATEMENTS) {
  provisioned(`${who}: ${statement}: ${answer}`, async () => {
    assert.is(await codeOf(made[who], statement), answer);
  });
}

for (const database of ['postgres', 'template1']) {
  provisioned(`neither login enters ${database}`, async () => {
    for (const { user, password } of [made.owner, made.serve]) {
      const to = server.connection(database, { user, password });
      const error = await withAdmin(to, (sql) => sql`select 1`).catch((caught: unknown) => caught);
      assert.is(error instanceof postgres.PostgresError && error.code, NO);
    }
  });
}

provisioned('is done by an administrator of another Postgres with the same statements', async () => {
  const passwords = { owner: scramVerifier('o'), login: scramVerifier('l') };
  const admin = server.connection('postgres', { user: 'dba', password: () => 'dba' });
  const superuser = server.connection('postgres');
  assert.is(await codeOf(superuser, 'drop database brevet with (force)'), 'done');
  assert.is(await codeOf(superuser, 'drop role brevet, brevet_owner, brevet_serve, brevet_work, brevet_list'), 'done');
  assert.is(await codeOf(superuser, `create role dba login createrole createdb password 'dba'`), 'done');
  assert.is(await codeOf(superuser, 'grant connect on database postgres to dba'), 'done');
  // Twice: an administrator may run them again after an upgrade.
  for (let run = 0; run < 2; run++) assert.is(await codeOf(admin, roleStatements(passwords)), 'done');
  assert.is(await codeOf(admin, 'grant brevet_owner to dba'), 'done');
  assert.is(await codeOf(admin, 'create database brevet owner brevet_owner'), 'done');
  assert.is(await codeOf(admin, databaseStatements('brevet')), 'done');
  const login = server.connection('brevet', { user: 'brevet', password: () => 'l' });
  assert.is(await codeOf(login, 'set role brevet_serve'), 'done');
  assert.is(await codeOf(login, 'create temporary table t (a int)'), NO);
});

provisioned.run();

const verifier = suite('a SCRAM verifier');

verifier('is in the form that Postgres stores, with a salt of its own', () => {
  const [one, two] = [scramVerifier('pencil'), scramVerifier('pencil')];
  assert.match(one, /^SCRAM-SHA-256\$4096:[\w+/]{22}==\$[\w+/]{43}=:[\w+/]{43}=$/);
  assert.is.not(one, two);
});

verifier.run();
