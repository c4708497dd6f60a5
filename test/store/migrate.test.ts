import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { migrate } from '../../src/store/migrate.ts';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { testDatabase, withAdmin } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

const migrations = suite('migrations');
migrations.before(async () => {
  database = await testDatabase({ migrated: false });
});
migrations.after(() => database.drop());

const applied = () =>
  withAdmin(database.admin, async (sql) => {
    const rows = await sql`select id, hash, created_at from drizzle.__drizzle_migrations order by id`;
    return rows.map((row) => row['hash'] as string);
  });

migrations('are applied once by nodes that start at once', async () => {
  await Promise.all([migrate(database.owner), migrate(database.owner), migrate(database.owner)]);
  assert.is((await applied()).length, MIGRATIONS);
});

migrations('change nothing when they are run again', async () => {
  const before = await applied();
  await migrate(database.owner);
  assert.equal(await applied(), before);
});

migrations('are as many as this version says', async () => {
  const journal = JSON.parse(await readFile('drizzle/meta/_journal.json', 'utf8')) as { entries: unknown[] };
  assert.is(journal.entries.length, MIGRATIONS);
});

migrations('are not for the login that serves', async () => {
  const refused = await migrate(database.serve).then(
    () => 'migrated',
    () => 'refused',
  );
  assert.is(refused, 'refused');
});

migrations.run();
