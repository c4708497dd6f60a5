/** What a target holds of Brevet's making that no lease knows, or that one calls dead, is killed and written down. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../src/core/ids.ts';
import type { TenantName } from '../../src/core/ids.ts';
import { markOf } from '../../src/core/lease.ts';
import type { Provider } from '../../src/core/provider.ts';
import { huntByTheClock, huntOrphans } from '../../src/revoke/orphans.ts';
import { must, REPORT, testApp } from '../support/app.ts';
import { withAdmin } from '../support/postgres.ts';
import { ADMIN, clientDatabase, processClock, random } from '../support/target.ts';

const client = await clientDatabase();
/** What a listing waits for. */
let holding: Promise<void> | null = null;
/** A fault of ours, at one target. */
const around = (provider: Provider): Provider =>
  provider.where === 'local'
    ? provider
    : {
        ...provider,
        list: async (target) => {
          if (target.version.name === 'far-db') throw new Error('a fault');
          await holding;
          return provider.list(target);
        },
      };
const app = await testApp({ database: client, around });
const other = await app.node();

const orphans = suite('revoke/orphans');

interface Orphan {
  readonly mark: string;
  readonly lease: string | null;
  readonly evidence: object | null;
}

async function reconcile(body: object = {}, who = 'otto') {
  return app.operator(who, 'POST', '/api/reconcile', body);
}
const found = async (body: object = {}): Promise<readonly Orphan[]> =>
  must(await reconcile(body)).body['orphans'] as Orphan[];

const login = async (): Promise<string> => {
  const token = await app.session('report-bot');
  const { lease } = must(await app.call('POST', '/t/acme/requests', { token, body: REPORT })).body as {
    lease: { id: string };
  };
  return lease.id;
};
const markIn = async (lease: string): Promise<string> =>
  (await app.sql<{ mark: string }>(`select mark from leases where id = '${lease}'`))[0]?.mark ?? '';

/** As Brevet's admin login makes it. */
async function made(mark: string): Promise<void> {
  await withAdmin(client.superuser, async (sql) => {
    await sql.unsafe(`CREATE ROLE ${mark} LOGIN`);
    await sql.unsafe(`GRANT ${mark} TO ${ADMIN} WITH ADMIN OPTION`);
  });
}
const isThere = async (mark: string): Promise<boolean> => {
  const rows = await withAdmin(client.superuser, (sql) => sql`select 1 from pg_roles where rolname = ${mark}`);
  return rows.length > 0;
};
const told = async (mark: string) =>
  app.sql<{ tenant: string }>(
    `select tenant from entries where kind = 'orphan.killed' and text like '%"mark":"${mark}"%'`,
  );

orphans('leave what lives alone', async () => {
  const lease = await login();
  assert.equal(await found(), []);
  assert.is(await isThere(await markIn(lease)), true);
});

orphans('are what no lease knows', async () => {
  const mark = markOf(newId('lse', processClock(), random));
  await made(mark);
  const [orphan, ...others] = await found();
  assert.equal([orphan?.mark, orphan?.lease, others], [mark, null, []]);
  assert.ok(orphan?.evidence !== null);
  assert.is(await isThere(mark), false);
  assert.equal(
    (await told(mark)).map(({ tenant }) => tenant),
    ['acme'],
  );
  assert.equal(await found(), [], 'once');
});

orphans('are what a lease calls dead', async () => {
  const lease = await login();
  const mark = await markIn(lease);
  must(await app.operator('otto', 'POST', `/t/acme/leases/${lease}/revoke`, { reason: 'done' }));
  assert.is(await isThere(mark), false);
  await made(mark);
  assert.equal(
    (await found()).map(({ mark: of, lease: was }) => [of, was]),
    [[mark, 'revoked']],
  );
  assert.is(await isThere(mark), false);
});

orphans('are looked for where their hunter oversees', async () => {
  assert.is((await reconcile({}, 'ada')).body['code'], 'function_needed');
  assert.is((await reconcile({ tenants: ['elsewhere'] })).status, 404);
  assert.is((await reconcile({ tenant: 'acme' })).body['code'], 'unknown_field');
  assert.equal(must(await reconcile({ tenants: ['birch'] })).body, { targets: 0, orphans: [], unasked: [] });
});

orphans('are hunted by one node at a time, by the clock', async () => {
  const mark = markOf(newId('lse', processClock(), random));
  await made(mark);
  const hunts = await Promise.all([app, other, app].map(({ deps }) => huntByTheClock(deps)));
  assert.is(hunts.filter((hunt) => hunt !== null).length, 1);
  assert.is(await isThere(mark), false);
  assert.is(await huntByTheClock(other.deps), null);
});

orphans('are not hunted while another hunt is under way, whoever has it done', async () => {
  const mark = markOf(newId('lse', processClock(), random));
  await made(mark);
  const held = Promise.withResolvers<void>();
  holding = held.promise;
  await app.sql(`update turns set held_until = 0 where name = 'orphans'`);
  const first = huntByTheClock(app.deps);
  while (
    (await app.sql(`select 1 from turns where name = 'orphans hunted' and held_until > brevet_now()`)).length === 0
  );
  // Its ten minutes are over, and it still runs.
  await app.sql(`update turns set held_until = 0 where name = 'orphans'`);
  assert.is(await huntByTheClock(other.deps), null);
  const refused = await reconcile();
  assert.equal([refused.status, refused.body['code']], [409, 'under_way']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  held.resolve();
  holding = null;
  assert.equal(
    (await first)?.orphans.map((one) => one.mark),
    [mark],
  );
  assert.is((await told(mark)).length, 1);
  assert.is((await reconcile()).status, 200);
  assert.is((await huntByTheClock(other.deps))?.orphans.length, 0, 'and none of the clock’s was left out for it');
});

orphans('are left to the other hunt by one that lost its turn', async () => {
  const { store } = app.deps;
  const turns = { ...store.turns, extend: () => Promise.resolve(false) };
  const deps = { ...app.deps, store: { ...store, turns } };
  const hunt = await huntOrphans(deps, ['acme' as TenantName], { kind: 'broker', name: 'n' });
  assert.equal(
    hunt?.unasked.map(({ target }) => target),
    ['shop-db'],
  );
});

orphans('are hunted at every tenant without a word to what is kept of those who ask', async () => {
  const { store } = app.deps;
  const names = (await store.tenants()).map(({ name }) => name);
  const kept = await Promise.all(names.map((name) => store.snapshot(name)));
  let read = 0;
  const snapshot: typeof store.snapshot = (name) => {
    read += 1;
    return store.snapshot(name);
  };
  const hunt = await huntOrphans({ ...app.deps, store: { ...store, snapshot } }, names, { kind: 'broker', name: 'n' });
  assert.equal([hunt?.targets, hunt?.unasked, read], [1, [], 0]);
  const after = await Promise.all(names.map((name) => store.snapshot(name)));
  assert.ok(after.every((one, n) => one === kept[n]));
});

orphans('are looked for with the secret that opens their target now, whichever node was told it', async () => {
  assert.equal(await found(), []);
  await withAdmin(client.superuser, (sql) => sql.unsafe(`ALTER ROLE ${ADMIN} PASSWORD 'another'`));
  await client.restart();
  const body = { provider: 'postgres', config: client.config, environment: 'production', secret: 'another' };
  const token = await app.localToken('ada');
  must(await other.call('PUT', '/api/tenants/acme/targets/shop-db', { token, body }));
  assert.equal(must(await reconcile()).body, { targets: 1, orphans: [], unasked: [] });
});

orphans('are found at the others where one target cannot even be opened', async () => {
  const mark = markOf(newId('lse', processClock(), random));
  await made(mark);
  const config = { ...client.config, database: 'elsewhere' };
  const target = {
    provider: 'postgres',
    config,
    secret: Buffer.from(random(16)).toString('hex'),
    environment: 'production',
  };
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/far-db', target));
  const { orphans: killed, unasked } = must(await reconcile()).body as {
    orphans: Orphan[];
    unasked: { target: string }[];
  };
  assert.equal([killed.map((one) => one.mark), unasked.map(({ target: of }) => of)], [[mark], ['far-db']]);
  must(await app.operator('ada', 'DELETE', '/api/tenants/acme/targets/far-db'));
});

orphans('of a target that does not answer are told to be unknown', async () => {
  await client.stop();
  const { unasked } = must(await reconcile()).body as { unasked: { tenant: string; target: string; why: string }[] };
  assert.equal(
    unasked.map(({ tenant, target }) => [tenant, target]),
    [['acme', 'shop-db']],
  );
  await client.start();
});

orphans.after(async () => {
  await app.close();
  await client.remove();
});
orphans.run();
