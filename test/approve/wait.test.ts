/** What people answer is waited for as long as the caller says, and no longer than it is worth. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseId } from '../../src/core/ids.ts';
import type { TenantName } from '../../src/core/ids.ts';
import type { KeptRequest } from '../../src/core/store/requests.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { waitForAnswer } from '../../src/approve/wait.ts';
import { ASKED, must, PERMITTED, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const app = await testApp();

/** A node for which time passes in its pauses alone; what happens in each is the test's. */
let passed = 0;
let meanwhile: (pauses: number) => Promise<unknown> = async () => undefined;
const pauses: number[] = [];
const node: TestNode = await app.node({
  deps: (deps) => {
    const now = deps.clock();
    return {
      ...deps,
      clock: () => instant(now + passed),
      pause: async (ms) => {
        passed += ms;
        await meanwhile(pauses.push(ms));
      },
    };
  },
});

const token = await app.session();
const asked = async (body: unknown): Promise<string> =>
  String(must(await app.call('POST', '/t/acme/requests', { token, body })).body['request']);
const look = (request: string, query = ''): Promise<Answer> =>
  node.call('GET', `/t/acme/requests/${request}${query}`, { token });
const stateOf = (answer: Answer) => (answer.body['approval'] as Record<string, unknown> | null)?.['state'];
const answer = (request: string) =>
  app.sql(
    `update approvals set state = 'approved', votes = '[{}]', redeem_by = brevet_now() + 3600000, version = version + 1 where request = '${request}' returning id`,
  );

const wait = suite('waiting for an answer');

wait.before.each(() => {
  passed = 0;
  pauses.length = 0;
  meanwhile = async () => undefined;
});

wait('looks again until the time that the caller gives has passed', async () => {
  const request = await asked(ASKED);
  assert.is(stateOf(await look(request)), 'pending');
  assert.equal(pauses, []);
  assert.is(stateOf(await look(request, '?wait=3')), 'pending');
  assert.equal(pauses, [1000, 1000, 1000]);
});

wait('tells what people said as soon as it is seen', async () => {
  const request = await asked(ASKED);
  meanwhile = async (count) => (count === 2 ? answer(request) : undefined);
  assert.is(stateOf(await look(request, '?wait=30')), 'approved');
  assert.is(pauses.length, 2);
  assert.is(stateOf(await look(request, '?wait=30')), 'approved');
  assert.is(pauses.length, 2);
});

wait('has nothing to wait for where nobody is asked', async () => {
  const request = await asked(PERMITTED);
  assert.is((await look(request, '?wait=30')).status, 200);
  assert.equal(pauses, []);
});

wait('ends when the answer could only come too late', async () => {
  const request = await asked(ASKED);
  await app.sql(
    `update approvals set expires_at = ${node.deps.clock() + 1500}, version = version + 1 where request = '${request}'`,
  );
  assert.is(stateOf(await look(request, '?wait=30')), 'expired');
  assert.equal(pauses, [1000, 500]);
});

wait('ends when the caller has gone', async () => {
  const id = parseId('req', await asked(ASKED));
  const kept = id.ok ? await node.deps.store.request('acme' as TenantName, id.value) : null;
  const gone = new AbortController();
  meanwhile = async () => gone.abort();
  await waitForAnswer(node.deps, kept as KeptRequest, seconds(30), gone.signal);
  assert.equal(pauses, [1000]);
});

for (const bad of ['31', '-1', '1.5', 'soon', '', '1000', '1e1']) {
  wait(`refuses wait=${bad}`, async () => {
    const refused = await look(await asked(PERMITTED), `?wait=${bad}`);
    assert.is(refused.status, 400, refused.text);
    assert.is(refused.body['path'], 'wait');
    assert.match(String(refused.body['detail']), '0 to 30 whole seconds');
  });
}

wait.after(() => app.close());
wait.run();
