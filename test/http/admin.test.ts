/** What operators POST to create can be sent again under its key, and is done once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rulesOnDisk, must, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const app = await testApp();
const other = await app.node();
const files = await rulesOnDisk();

const keyed = async (path: string, body: unknown, key: string, node: TestNode = app): Promise<Answer> =>
  node.call('POST', path, { token: await app.localToken('ada'), body, headers: { 'idempotency-key': key } });

const [{ n: entriesAtFirst } = { n: '0' }] = await app.sql<{ n: string }>('select count(*) as n from entries');
const entries = async (): Promise<number> => {
  const [row] = await app.sql<{ n: string }>('select count(*) as n from entries');
  return Number(row?.n) - Number(entriesAtFirst);
};

const assignment = (more: object = {}) => ({
  tenant: 'acme',
  holder: { agent: 'birch-bot' },
  role: 'reporting',
  reviewer: 'olga',
  ...more,
});

const CREATING: readonly (readonly [path: string, body: object, another: object])[] = [
  ['/api/assignments', assignment(), assignment({ role: 'triage' })],
  [
    '/api/assignments',
    { tenant: null, holder: { person: 'dana' }, role: 'administrator' },
    { tenant: null, holder: { person: 'olga' }, role: 'administrator' },
  ],
  ['/api/policy/activate', { files }, { files: { ...files, 'rules/more.cedar': '' } }],
];

const reading = suite('what administration reads');

for (const path of [
  '/api/people',
  '/api/agents/triage-bot',
  '/api/tenants',
  '/api/tenants/acme',
  '/api/tenants/acme/targets',
  '/api/tenants/acme/enrolments/triage-bot',
]) {
  reading(`is shown at ${path} to nobody who oversees`, async () => {
    must(await app.operator('ada', 'GET', path));
    assert.is((await app.operator('otto', 'GET', path)).body['code'], 'function_needed');
  });
}

reading.run();

const creating = suite('what operators create');

for (const [index, [path, body, another]] of CREATING.entries()) {
  creating(`by POST ${path} (${index}) is done once under one key`, async () => {
    const before = await entries();
    const first = must(await keyed(path, body, `key-${index}`));
    assert.is(await entries(), before + 1);
    const again = must(await keyed(path, body, `key-${index}`, other));
    assert.equal(again.body, first.body);
    const refused = await keyed(path, another, `key-${index}`);
    assert.is(refused.status, 409, refused.text);
    assert.is(refused.body['code'], 'idempotency_mismatch');
    assert.is(await entries(), before + 1);
    const anew = must(await keyed(path, body, `another-${index}`));
    assert.not.equal(anew.body, first.body);
    assert.is(await entries(), before + 2);
  });
}

creating('by POST /api/assignments is told by its id, by which it is ended', async () => {
  const { body } = must(await keyed('/api/assignments', assignment({ role: 'patching' }), 'told'));
  const path = `/api/assignments/${String(body['assignment'])}`;
  const found = must(await app.operator('ada', 'GET', path));
  assert.is(found.body['role'], 'patching');
  must(await app.operator('ada', 'DELETE', path));
});

creating('at two nodes at once is done once', async () => {
  const before = await entries();
  const nodes = [app, other, app, other, app, other];
  const answers = await Promise.all(
    nodes.map((node) => keyed('/api/assignments', assignment({ role: 'documentation' }), 'raced', node)),
  );
  for (const { status, text } of answers) assert.is(status, 200, text);
  assert.is(new Set(answers.map(({ text }) => text)).size, 1);
  assert.is(await entries(), before + 1);
});

creating('leaves no claim where it was refused', async () => {
  const stranger = assignment({ holder: { agent: 'not-yet' } });
  assert.is((await keyed('/api/assignments', stranger, 'refused')).status, 404);
  must(await keyed('/api/assignments', assignment(), 'refused'));
});

creating('is of the operator and the place where it has effect', async () => {
  const first = must(await keyed('/api/assignments', assignment(), 'mine'));
  const there = must(await keyed('/api/assignments', assignment({ tenant: 'birch', role: 'network' }), 'mine'));
  assert.not.equal(there.body, first.body);
  must(await app.operator('ada', 'PUT', '/api/operators/dana', { person: 'dana' }));
  const token = await app.localToken('dana');
  const headers = { 'idempotency-key': 'mine' };
  const hers = must(await app.call('POST', '/api/assignments', { token, body: assignment(), headers }));
  assert.not.equal(hers.body, first.body);
});

creating('is refused under a key of another form', async () => {
  const refused = await keyed('/api/assignments', assignment(), 'k'.repeat(256));
  assert.is(refused.status, 400);
  assert.is(refused.body['path'], 'idempotency-key');
});

creating.after(() => app.close());
creating.run();
