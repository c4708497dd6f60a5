import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../src/core/ids.ts';
import { seconds } from '../../src/core/time.ts';
import { epochsOf, opening } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, BIRCH, testStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let test: TestStore;

const looks = suite('looks at what may be idle');
looks.before(async () => {
  test = await testStore();
});
looks.after(() => test.close());

const IDLE = { after: seconds(60), unused: seconds(60) };
const every = seconds(10);

/** @param due milliseconds of Unix time, a millisecond apart. */
async function watchedFrom(tenant: TenantName, count: number, due: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const life = opening({ epochs: await epochsOf(test.store, tenant), tenant, lease: { idle: IDLE } });
    assert.ok((await test.store.commit(life.change, life.entries)).ok);
    const { id } = life.change.lease;
    await withAdmin(test.database.admin, (sql) => sql`update leases set look_at = ${due + nth} where id = ${id}`);
  }
}

const take = async (limit: number) =>
  (await test.store.watched(limit, every)).map(({ tenant }) => String(tenant)).toSorted();

looks('take tenants in turn, however many of one are due, and however long', async () => {
  await watchedFrom(ACME, 8, 1_000);
  await watchedFrom(BIRCH, 2, 900_000);
  assert.equal(await take(4), [ACME, ACME, BIRCH, BIRCH]);
  assert.equal(await take(4), Array<string>(4).fill(ACME));
  assert.equal(await take(4), [ACME, ACME], 'the rest');
  assert.equal(await take(4), [], 'each is due again later');
});

looks('take the longest due of a tenant first', async () => {
  await watchedFrom(ACME, 1, 5_000);
  await watchedFrom(ACME, 1, 4_000);
  const [first] = await test.store.watched(1, every);
  const [second] = await test.store.watched(1, every);
  assert.ok(first !== undefined && second !== undefined);
  // Made later, and due longer.
  assert.ok(first.lease > second.lease);
});

looks.run();
