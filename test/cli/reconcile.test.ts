/** What a hunt found, as people and programs are told it. What a real broker finds: `test/acceptance/runbooks.test.ts`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeBroker, problem } from '../client/fake-broker.ts';
import type { FakeBroker } from '../client/fake-broker.ts';
import { residentBrevet } from './resident.ts';

let broker: FakeBroker;

const hunts = suite('brevet reconcile');

hunts.before.each(async () => {
  broker = await fakeBroker();
});
hunts.after.each(() => broker.stop());

const run = (...args: readonly string[]) =>
  residentBrevet(['reconcile', ...args], { env: { BREVET_URL: broker.url, BREVET_OPERATOR_TOKEN: 'given' } });

const MARK = 'brevet_01jq0000000000000000000000';
const KILLED = { tenant: 'acme', target: 'shop-db', mark: MARK, lease: null, evidence: { by: 'role catalog' } };
const ALIVE = { ...KILLED, lease: 'revoked', evidence: null };
const SILENT = { tenant: 'birch', target: 'crm', why: 'db.birch:5432 could not be asked: ECONNREFUSED' };

const TOLD: readonly (readonly [what: string, hunt: object, status: number, told: readonly RegExp[]])[] = [
  ['nothing', { targets: 2, orphans: [], unasked: [] }, 0, [/^2 targets asked, 0 orphans\n$/]],
  [
    'one that was killed',
    { targets: 1, orphans: [KILLED], unasked: [] },
    0,
    [/^1 target asked, 1 orphan$/m, new RegExp(`^acme +shop-db +${MARK} +none +by role catalog$`, 'm')],
  ],
  [
    'one that is still there',
    { targets: 1, orphans: [ALIVE], unasked: [] },
    1,
    [new RegExp(`^acme +shop-db +${MARK} +revoked +still there$`, 'm')],
  ],
  [
    'a target that does not answer',
    { targets: 2, orphans: [], unasked: [SILENT] },
    1,
    [
      /^1 target asked, 0 orphans$/m,
      /^birch\/crm is NOT looked through: db\.birch:5432 could not be asked: ECONNREFUSED$/m,
    ],
  ],
];

for (const [what, hunt, status, told] of TOLD) {
  hunts(`tells of ${what}, and ends with ${status}`, async () => {
    broker.answering('/api/reconcile', () => ({ status: 200, body: hunt }));
    const ended = await run();
    assert.is(ended.status, status, ended.err);
    for (const line of told) assert.match(ended.out, line);
    assert.equal(JSON.parse((await run('--json')).out), hunt);
  });
}

hunts('asks at the tenants that it is told', async () => {
  broker.answering('/api/reconcile', () => ({ status: 200, body: { targets: 0, orphans: [], unasked: [] } }));
  await run('--tenant', 'acme,birch');
  await run();
  assert.equal(
    broker.arrived.map(({ body }) => JSON.parse(body) as unknown),
    [{ tenants: ['acme', 'birch'] }, {}],
  );
});

hunts('is refused who does not oversee', async () => {
  broker.failing('/api/reconcile', problem(403, 'function_needed'));
  const { status, out, err } = await run();
  assert.equal([status, out], [3, '']);
  assert.match(err, 'function_needed');
});

hunts.run();
