/** A change made for one state of an item is made on no other, also when two nodes are told to at once. */
import { exportJWK, generateKeyPair } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ACCEPTED, agentBody, must, TERMS, testApp, VENDOR } from '../support/app.ts';
import type { Answer, TestApp, TestNode } from '../support/app.ts';

let app: TestApp;
let other: TestNode;
let token: string;

const conditions = suite('conditions of a change');
conditions.before(async () => {
  app = await testApp();
  other = await app.node();
  token = await app.localToken('ada');
});
conditions.after(() => app.close());

const put = (node: TestNode, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  node.call('PUT', path, { token, body, headers });
const tagOf = async (path: string): Promise<string> =>
  must(await app.call('GET', path, { token })).headers.get('etag') ?? 'none';

const target = (environment: string) => ({
  provider: 'jwt',
  config: { audience: 'https://chat.acme.example', checks: 'introspection' },
  environment,
});
const reasonsIn = (values: readonly object[] = []): unknown[] =>
  (values as { name: string; value: unknown }[]).filter(({ name }) => name === 'reason').map(({ value }) => value);

const RACES = 12;
const KEYS = await Promise.all(
  Array.from({ length: 3 * RACES }, async () => exportJWK((await generateKeyPair('EdDSA')).publicKey)),
);

/** Each register's item: where it is, and bodies that differ. */
const ITEMS: readonly (readonly [what: string, path: string, body: (at: number) => object])[] = [
  ['a person', '/api/people/zoe', (at) => ({ display_name: `zoe ${at}` })],
  ['an operator', '/api/operators/zoe', (at) => ({ person: 'dana', issuer: 'https://id.example', subject: `${at}` })],
  ['an agent', '/api/agents/zoe-bot', (at) => agentBody({ purpose: `purpose ${at}` })],
  ['an issuer', '/api/issuers/ci', (at) => ({ url: 'https://ci.example', platform: 'generic', max_age: 600 + at })],
  ['a vendor', '/api/vendors/zoe-ai', (at) => ({ ...VENDOR, retention_days: at })],
  ['a tenant', '/api/tenants/cedar', (at) => ({ display_name: `cedar ${at}` })],
  ['a target', '/api/tenants/acme/targets/chat', (at) => target(`production ${at}`)],
  ['an enrolment', '/api/tenants/acme/enrolments/birch-bot', (at) => ({ jwk: KEYS[at] })],
];

/** Both nodes at once: the one that was too late is told so, or to look again. */
async function race(sent: (node: TestNode, at: number) => Promise<Answer>): Promise<void> {
  const answers = await Promise.all([sent(app, 1), sent(other, 2)]);
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  assert.is(statuses[0], 200, answers.map(({ text }) => text).join());
  assert.ok([412, 503].includes(Number(statuses[1])), String(statuses[1]));
}

for (const [what, path, body] of ITEMS) {
  conditions(`${what} is made once, and changed from the state that was read`, async () => {
    await race((node, at) => put(node, path, body(at), { 'if-none-match': '*' }));
    assert.is((await put(app, path, body(0), { 'if-none-match': '*' })).body['code'], 'precondition_failed');
    const first = await tagOf(path);
    must(await put(app, path, body(0), { 'if-match': first }));
    assert.is.not(await tagOf(path), first);
    const late = await put(other, path, body(1), { 'if-match': first });
    assert.equal([late.status, late.body['code']], [412, 'precondition_failed']);
    for (let turn = 0; turn < RACES; turn++) {
      const tag = await tagOf(path);
      await race((node, at) => put(node, path, body(3 * turn + at), { 'if-match': tag }));
    }
    assert.is((await app.call('DELETE', path, { token, headers: { 'if-match': first } })).status, 412);
    const tag = await tagOf(path);
    must(await app.call('DELETE', path, { token, headers: { 'if-match': `"of-another", ${tag}` } }));
    assert.is((await put(app, path, body(0), { 'if-match': tag })).status, 412);
  });
}

/** What is there already, and was put by the world. */
const CHANGED: readonly (readonly [what: string, path: string, body: (at: number) => object])[] = [
  ['an acceptance', '/api/tenants/acme/acceptances/triage-bot', (at) => ({ ...ACCEPTED, reason: `because ${at}` })],
  [
    'a context',
    '/api/tenants/acme/context',
    (at) => ({ autonomy: 'autonomous', terms: { ...TERMS, retention_days: at } }),
  ],
];

for (const [what, path, body] of CHANGED) {
  conditions(`${what} is changed from the state that was read`, async () => {
    const first = await tagOf(path);
    must(await put(app, path, body(1), { 'if-match': first }));
    assert.is((await put(other, path, body(2), { 'if-match': first })).body['code'], 'precondition_failed');
    const tag = await tagOf(path);
    await race((node, at) => put(node, path, body(10 + at), { 'if-match': tag }));
  });
}

conditions('an acceptance says why of its own, whatever the header says beside it', async () => {
  const path = '/api/tenants/birch/acceptances/birch-bot';
  const done = must(await put(app, path, ACCEPTED, { 'brevet-reason': 'another' }));
  const { entry } = done.body['receipt'] as { entry: string };
  const [written] = await app.sql<{ values: object[] }>(`select values from entry_values where entry = '${entry}'`);
  assert.equal(reasonsIn(written?.values), [ACCEPTED.reason]);
  const ended = await app.call('DELETE', path, { token, headers: { 'brevet-reason': 'over' } });
  const after = (must(ended).body['receipt'] as { entry: string }).entry;
  const [last] = await app.sql<{ values: object[] }>(`select values from entry_values where entry = '${after}'`);
  assert.equal(reasonsIn(last?.values), ['over']);
});

conditions('an assignment is ended as it was seen', async () => {
  const { body } = must(await app.call('GET', '/api/assignments?tenant=acme', { token }));
  const [first] = body['items'] as { id: string }[];
  const path = `/api/assignments/${first?.id}`;
  assert.is((await app.call('DELETE', path, { token, headers: { 'if-match': '"of-another"' } })).status, 412);
  must(await app.call('DELETE', path, { token, headers: { 'if-match': await tagOf(path) } }));
  assert.is((await app.call('GET', path, { token })).status, 404);
});

const BAD: readonly (readonly [header: string, value: string])[] = [
  ['if-match', 'unquoted'],
  ['if-match', ''],
  ['if-none-match', '"a-tag"'],
  ['brevet-reason', '%'],
  ['brevet-reason', 'x'.repeat(1001)],
  ['brevet-reason', '%00'],
];
for (const [header, value] of BAD) {
  conditions(`refuses ${header}: ${value.slice(0, 10)}`, async () => {
    const answer = await put(app, '/api/people/dana', { display_name: 'dana' }, { [header]: value });
    assert.equal([answer.status, answer.body['path']], [400, header]);
  });
}

conditions('a weak tag is none, and a reason stands beside the leaf', async () => {
  const path = '/api/people/dana';
  const body = { display_name: 'Dana' };
  assert.is((await put(app, path, body, { 'if-match': `W/${await tagOf(path)}` })).status, 412);
  const reason = 'sie heißt so';
  const done = must(await put(app, path, body, { 'brevet-reason': encodeURIComponent(reason) }));
  const { entry } = done.body['receipt'] as { entry: string };
  const [written] = await app.sql<{ text: string; values: { name: string; value: unknown }[] }>(
    `select text, values from entries join entry_values v on v.entry = id where id = '${entry}'`,
  );
  assert.not.ok(written?.text.includes('heißt'));
  assert.is(written?.values.find(({ name }) => name === 'reason')?.value, reason);
});

conditions.run();
