import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../src/core/lease.ts';
import type { TenantName } from '../../src/core/ids.ts';
import { createLink } from '../../src/store/link.ts';
import type { Link } from '../../src/store/link.ts';
import { createReader } from '../../src/store/read-together.ts';
import { REGISTER_LOCK, ROLES } from '../../src/store/roles.ts';
import { leases } from '../../src/store/schema/requests.ts';
import { withAdmin } from '../support/postgres.ts';
import { epochsOf, opening, send } from '../support/lives.ts';
import { ACME, BIRCH, testStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let test: TestStore;
let link: Link;
/** How many transactions were sent. */
let sent = 0;

const together = suite('read together');
together.before(async () => {
  test = await testStore();
  link = createLink(test.database.serve, 2, () => {});
});
together.after(async () => {
  await link.close();
  await test.close();
});

const reader = (batchLimit: number) => {
  sent = 0;
  const counting: Link = {
    ...link,
    pipeline: (...asked) => {
      sent += 1;
      return link.pipeline(...asked);
    },
  };
  return createReader(counting, { inFlight: 1, batchLimit });
};

async function openLease(tenant: TenantName): Promise<Lease> {
  const life = opening({ epochs: await epochsOf(test.store, tenant), tenant });
  assert.ok((await send(test.store, life)).ok);
  const [row] = await link.transaction({ role: ROLES.serve, tenants: [tenant] }, (tx) => tx.select().from(leases));
  if (row === undefined) throw new Error('a lease was not written');
  return row;
}

together('answers each of a crowd with its own, in one transaction, as drizzle would read it', async () => {
  const [acme, birch] = [await openLease(ACME), await openLease(BIRCH)];
  const epochs = await epochsOf(test.store, BIRCH);
  const { lease, epochs: epochsNow } = reader(16);
  const answers = await Promise.all([
    lease(ACME, acme.id),
    lease(BIRCH, birch.id),
    lease(ACME, birch.id),
    epochsNow(BIRCH),
    epochsNow('nobody' as TenantName),
    lease(ACME, acme.id),
  ]);
  assert.equal(answers, [acme, birch, null, epochs, null, acme]);
  assert.is(sent, 1);
});

together('answers nobody from before they asked', async () => {
  const { epochs } = reader(16);
  const before = epochs(ACME);
  const [tenant] = (await test.store.tenants()).filter(({ name }) => name === ACME);
  if (tenant === undefined) throw new Error('the world has no tenants');
  await test.change({ kind: 'tenant.put', tenant, keys: [] });
  const raised = await epochsOf(test.store, ACME);
  assert.equal(await epochs(ACME), raised);
  assert.ok(((await before)?.tenant ?? 0) <= raised.tenant);
});

together('reads one at a time where nothing may be shared', async () => {
  const { epochs } = reader(1);
  await Promise.all([epochs(ACME), epochs(ACME), epochs(BIRCH)]);
  assert.is(sent, 3);
});

together('waits for no change of who may do what', async () => {
  const { epochs } = reader(16);
  await withAdmin(test.database.admin, async (admin) => {
    await admin`select pg_advisory_lock(${REGISTER_LOCK})`;
    assert.ok(await epochs(ACME));
  });
});

together('fails all that it was reading with the database, and reads again', async () => {
  const { epochs } = reader(16);
  const bad = await Promise.allSettled([epochs('a b' as TenantName), epochs(ACME)]);
  assert.equal(
    bad.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.ok(await epochs(ACME));
});

together.run();
