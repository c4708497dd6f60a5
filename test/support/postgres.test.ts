/** What other tests stand on: databases from a template, a client's own server, its standby. */
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startStandby } from './standby.ts';
import { targetDatabase, testDatabase, withAdmin } from './postgres.ts';
import type { TargetDatabase } from './postgres.ts';

const databases = suite("a test's own database");

databases('is made for each that asks, also at once, and apart from the others', async () => {
  const made = await Promise.all([testDatabase(), testDatabase(), testDatabase({ migrated: false })]);
  assert.is(new Set(made.map(({ name }) => name)).size, 3);
  const logins = await Promise.all(
    made
      .flatMap(({ owner, serve, admin }) => [owner, serve, admin])
      .map((to) =>
        withAdmin(to, (sql) => sql<{ line: string }[]>`select current_user || ' ' || current_database() as line`),
      ),
  );
  assert.equal(
    logins.map(([row]) => row?.line),
    made.flatMap(({ name }) => [`brevet_owner ${name}`, `brevet ${name}`, `postgres ${name}`]),
  );
  await Promise.all(made.map(({ drop }) => drop()));
});

databases('is gone once dropped, whoever is in it', async () => {
  const { admin, drop } = await testDatabase({ migrated: false });
  const sql = postgres({ ...admin, max: 1 });
  await sql`select 1`;
  await drop();
  const error = await withAdmin(admin, (again) => again`select 1`).catch((caught: unknown) => caught);
  assert.is(error instanceof postgres.PostgresError && error.code, '3D000');
  await sql.end({ timeout: 0 });
});

databases.run();

const target = suite("a client's own server");

let primary: TargetDatabase;

target.before(async () => {
  primary = await targetDatabase();
});
target.after(() => primary.remove());

const whoAnswers = (to = primary.admin) =>
  withAdmin(
    to,
    async (sql) => (await sql<{ id: string }[]>`select system_identifier::text as id from pg_control_system()`)[0]?.id,
  );

for (const [what, act] of [
  ['restart', () => primary.restart()],
  [
    'stop and start',
    async () => {
      await primary.stop();
      await primary.start();
    },
  ],
  [
    'kill and start',
    async () => {
      await primary.kill();
      await primary.start();
    },
  ],
] as const) {
  target(`keeps its data and its port over ${what}`, async () => {
    const before = await whoAnswers();
    await act();
    assert.is(await whoAnswers(), before);
  });
}

target('has a hot standby that follows it and takes no writes', async () => {
  await withAdmin(primary.admin, (sql) => sql`create table before_backup as select 1 as a`);
  const standby = await startStandby(primary);
  await withAdmin(primary.admin, (sql) => sql`create table after_backup as select 2 as a`);
  await standby.caughtUp();
  const rows = await withAdmin(
    standby.admin,
    (sql) => sql<{ a: number }[]>`select a from before_backup union all table after_backup`,
  );
  assert.equal(
    rows.map(({ a }) => a),
    [1, 2],
  );
  const [seen] = await withAdmin(primary.admin, (sql) => sql`select count(*)::int as n from pg_stat_replication`);
  assert.is(seen?.['n'], 1);
  const error = await withAdmin(standby.admin, (sql) => sql`create table t ()`).catch((caught: unknown) => caught);
  assert.is(error instanceof postgres.PostgresError && error.code, '25006');
  await standby.remove();
});

target.run();
