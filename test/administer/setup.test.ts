import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEMAND_KEY_USE, signDemand } from '../../src/core/local-token.ts';
import type { DemandFor } from '../../src/core/local-token.ts';
import type { OperatorName } from '../../src/core/ids.ts';
import { rulesOnDisk, bundleOnDisk, must, PUBLIC_URL, testApp } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { startOidc } from '../support/oidc.ts';

const CLIENT = 'brevet';
const oidc = await startOidc({
  ada: { claims: { sub: 'ada-at-idp' } },
  alan: { claims: { sub: 'alan-at-idp' } },
  otto: { claims: { sub: 'otto-at-idp' } },
});
const operators = { issuer: oidc.url, clientId: CLIENT, clientSecret: null };
const app = await testApp({ operators, world: false });
const other = await app.node({ operators });

const demandOf = (operator: string, jti: string = randomUUID(), key = app.keyring.derive(DEMAND_KEY_USE)) =>
  signDemand(key, { operator: operator as OperatorName, jti, audience: PUBLIC_URL }, app.deps.clock());
const demand = async (text: string, node = app as Pick<typeof app, 'call'>): Promise<Answer> =>
  node.call('POST', '/api/local-tokens', { body: { demand: text } });
const signedIn = async (
  client: string,
  method: string,
  path: string,
  body?: unknown,
  node = app as Pick<typeof app, 'call'>,
) => node.call(method, path, { token: await oidc.token(client, CLIENT), ...(body === undefined ? {} : { body }) });
const state = async (): Promise<unknown> =>
  (await app.sql<{ set_up: string }>('select set_up from deployment'))[0]?.set_up;
const kinds = async (): Promise<readonly string[]> =>
  (await app.sql<{ kind: string }>(`select kind from entries where tenant = '' order by at, id`)).map(
    ({ kind }) => kind,
  );

const setup = suite('set-up');

setup('has no default account', async () => {
  assert.is(await state(), 'empty');
  assert.is((await app.call('GET', '/api/people')).status, 401);
  assert.is((await signedIn('ada', 'GET', '/api/people')).status, 401);
  assert.is((await app.sql('select name from persons')).length, 0);
});

setup('does not begin by a demand that another key signed', async () => {
  const forged = await demandOf('eve', randomUUID(), new Uint8Array(32).fill(7));
  assert.is((await demand(forged)).status, 401);
  assert.is(await state(), 'empty');
});

setup('begins with one person, operator and administrator, also when two nodes are asked at once', async () => {
  const answers = await Promise.all([
    demand(await demandOf('ada')),
    demand(await demandOf('ada'), other),
    demand(await demandOf('mallory'), other),
  ]);
  const people = await app.sql<{ name: string }>('select name from persons');
  assert.is(people.length, 1);
  const [first] = people;
  assert.is(answers.filter(({ status }) => status === 201).length, first?.name === 'ada' ? 2 : 1);
  assert.is((await kinds()).filter((kind) => kind === 'setup.begun').length, 1);
  // Whoever was first is who it is; the rest of this file knows her as ada.
  assert.is(first?.name, 'ada');
});

setup('takes a demand once', async () => {
  const text = await demandOf('ada');
  const answers = await Promise.all([demand(text), demand(text, other), demand(text)]);
  assert.equal(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 401, 401],
  );
});

setup('gives no token for an operator who is not there', async () => {
  assert.is((await demand(await demandOf('eve'))).status, 401);
});

const FROM: readonly (readonly [
  where: string,
  from: string | null,
  headers: Record<string, string>,
  status: number,
])[] = [
  ['the machine itself', '127.0.0.1', {}, 200],
  ['the machine itself, by IPv6', '::1', {}, 200],
  ['the machine itself, mapped', '::ffff:127.0.0.1', {}, 200],
  ['a neighbour', '10.0.0.7', {}, 403],
  ['afar', '203.0.113.9', {}, 403],
  ['nowhere', null, {}, 403],
  ['a proxy', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, 403],
  ['another kind of proxy', '127.0.0.1', { forwarded: 'for=127.0.0.1' }, 403],
  ['a third', '127.0.0.1', { via: '1.1 proxy' }, 403],
  ['a fourth', '127.0.0.1', { 'x-real-ip': '127.0.0.1' }, 403],
];
for (const [where, from, headers, status] of FROM) {
  setup(`answers a local token from ${where} with ${status}`, async () => {
    const answer = await app.call('GET', '/api/people', { token: await app.localToken('ada'), from, headers });
    assert.is(answer.status, status, answer.text);
    if (status === 403) assert.is(answer.body['code'], 'local_token_refused');
  });
}

setup('lets a local token alone do what otherwise takes two', async () => {
  for (const name of ['alan', 'otto', 'olga'])
    must(await app.operator('ada', 'PUT', `/api/people/${name}`, { display_name: name }));
  for (const name of ['ada', 'alan', 'otto']) {
    const body = { person: name, issuer: oidc.url, subject: `${name}-at-idp` };
    must(await app.operator('ada', 'PUT', `/api/operators/${name}`, body));
  }
  must(await app.operator('ada', 'PUT', '/api/tenants/acme', { display_name: 'Acme', autonomy: 'autonomous' }));
  for (const [tenant, person, role] of [
    [null, 'alan', 'administrator'],
    ['acme', 'otto', 'overseer'],
  ] as const) {
    must(await app.operator('ada', 'POST', '/api/assignments', { tenant, holder: { person }, role }));
  }
  assert.is(await state(), 'lasts');
  const texts = await app.sql<{ text: string }>('select text from entries');
  assert.ok(texts.every(({ text }) => text.includes('"set_up":true') || text.includes('"policy.activated"')));
});

setup('takes no policy whose own cases fail, as nobody may propose one after it', async () => {
  const rule = '@id("nothing") @reason("A slip.") forbid (principal, action, resource);';
  const answer = await app.operator('ada', 'POST', '/api/policy/activate', {
    files: { ...(await bundleOnDisk()), 'rules/slip.cedar': rule },
  });
  assert.equal([answer.status, answer.body['code']], [400, 'invalid_policy'], answer.text);
  assert.ok((answer.body['cases'] as readonly unknown[]).length > 0);
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files: await bundleOnDisk() }));
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files: await rulesOnDisk() }));
});

setup('does not end by one administrator, however often, nor by somebody else', async () => {
  for (let time = 0; time < 3; time++)
    must(await signedIn('ada', 'GET', '/api/people', undefined, time % 2 === 0 ? app : other));
  must(await signedIn('otto', 'GET', '/t/acme/leases'));
  must(await app.operator('alan', 'GET', '/api/people'));
  assert.is(await state(), 'lasts');
  assert.is((await app.call('GET', '/readyz')).body['set_up'], true);
  assert.not.ok((await kinds()).includes('setup.ended'));
});

setup('ends with the second, for good and on every node', async () => {
  must(await signedIn('alan', 'GET', '/api/people', undefined, other));
  assert.is(await state(), 'ended');
  for (const node of [app, other]) assert.is((await node.call('GET', '/readyz')).body['set_up'], false);
  assert.is((await kinds()).filter((kind) => kind === 'setup.witnessed').length, 2);
  const [after] = await app.sql<{ text: string }>(`select text from entries order by at desc, id desc limit 1`);
  assert.ok(after);
});

const agent = {
  owner: 'olga',
  kind: 'service',
  purpose: 'tests',
  vendor: 'v',
  model: 'm',
  model_version: '1',
  autonomy: 'autonomous',
};
const TAKES_TWO: readonly (readonly [what: string, method: string, path: string, body: unknown])[] = [
  ['a new person', 'PUT', '/api/people/friend', { display_name: 'Friend' }],
  ['a link to a person', 'PUT', '/api/operators/second', { person: 'ada' }],
  ['approval', 'POST', '/api/assignments', { tenant: 'acme', holder: { person: 'olga' }, role: 'approver' }],
  ['oversight', 'POST', '/api/assignments', { tenant: 'acme', holder: { person: 'olga' }, role: 'overseer' }],
  ['administration', 'POST', '/api/assignments', { tenant: null, holder: { person: 'olga' }, role: 'administrator' }],
];
const TAKES_ONE: readonly (readonly [what: string, method: string, path: string, body?: unknown])[] = [
  ['an agent', 'PUT', '/api/agents/bot', agent],
  ['execution', 'POST', '/api/assignments', { tenant: 'acme', holder: { agent: 'bot' }, role: 'triage' }],
  ['a person taken away', 'DELETE', '/api/people/friendless'],
  ['a tenant', 'PUT', '/api/tenants/acme', { display_name: 'Acme & Co', autonomy: 'autonomous' }],
];
for (const way of ['with a local token', 'signed in'] as const) {
  const act = (method: string, path: string, body?: unknown) =>
    way === 'signed in' ? signedIn('ada', method, path, body) : app.operator('ada', method, path, body);
  for (const [what, method, path, body] of TAKES_TWO) {
    setup(`once over: ${what} takes two persons, ${way}`, async () => {
      const answer = await act(method, path, body);
      assert.is(answer.status, 403, answer.text);
      assert.is(answer.body['code'], 'takes_two_persons');
      assert.match(String(answer.body['hint']), 'POST /api/changes');
    });
  }
  setup(`once over: a policy takes two persons, ${way}`, async () => {
    const answer = await act('POST', '/api/policy/activate', { files: await rulesOnDisk() });
    assert.is(answer.body['code'], 'takes_two_persons', answer.text);
    assert.match(String(answer.body['hint']), 'POST /api/policy/propose');
  });
  for (const [what, method, path, body] of TAKES_ONE) {
    setup(`once over: ${what} takes one person, ${way}`, async () => {
      const answer = await act(method, path, body);
      assert.is.not(answer.body['code'], 'takes_two_persons');
      assert.ok([200, 404, 409].includes(answer.status), answer.text);
    });
  }
}

const recovering = async (operator: string, what: DemandFor = 'recovery'): Promise<Answer> => {
  const claims = { operator: operator as OperatorName, jti: randomUUID(), audience: PUBLIC_URL };
  const text = await signDemand(app.keyring.derive(DEMAND_KEY_USE), claims, app.deps.clock(), what);
  return other.call('POST', '/api/recoveries', { body: { demand: text } });
};

setup('is not recovered while two administer', async () => {
  const answer = await recovering('grace');
  assert.equal([answer.status, answer.body['code']], [409, 'nothing_to_recover']);
  assert.match(String(answer.body['detail']), 'ada and alan administer this deployment');
  assert.is(await state(), 'ended');
});

setup('does not come back by itself', async () => {
  const answer = must(await app.operator('ada', 'GET', '/api/assignments'));
  const items = answer.body['items'] as { id: string; holder: { name?: string; person?: string } }[];
  const alan = items.find((item) => JSON.stringify(item.holder).includes('alan'));
  must(await signedIn('ada', 'DELETE', `/api/assignments/${alan?.id}`));
  assert.is(await state(), 'ended');
  assert.is((await signedIn('alan', 'GET', '/api/people', undefined, other)).status, 403);
});

setup('is not recovered by a demand for a token, nor a token made of a recovery', async () => {
  assert.is((await recovering('alan', 'token')).status, 401);
  const claims = { operator: 'ada' as OperatorName, jti: randomUUID(), audience: PUBLIC_URL };
  const text = await signDemand(app.keyring.derive(DEMAND_KEY_USE), claims, app.deps.clock(), 'recovery');
  assert.is((await demand(text)).status, 401);
  assert.is(await state(), 'ended');
});

setup('is not recovered by one who is disabled', async () => {
  await app.sql(`update persons set active = false where name in ('alan', 'olga')`);
  await app.sql('update deployment set epoch = epoch + 1');
  for (const node of [app, other]) node.deps.store.forget(null);
  for (const name of ['alan', 'olga']) {
    assert.is((await recovering(name)).body['code'], 'name_retired', `${name}, with an operator or without`);
  }
  await app.sql(`update persons set active = true where name in ('alan', 'olga')`);
  await app.sql('update deployment set epoch = epoch + 1');
  for (const node of [app, other]) node.deps.store.forget(null);
});

setup('is recovered once where one is left: nothing is issued from then on, on any node', async () => {
  const answers = await Promise.all([recovering('alan'), recovering('alan')]);
  assert.equal(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  );
  assert.is(await state(), 'lasts');
  for (const node of [app, other]) {
    const { status, body } = await node.call('GET', '/readyz');
    assert.equal([status, body['set_up'], body['ready']], [503, true, false]);
    assert.match(String(body['stopped']), 'fewer than two administrators were left');
  }
  const told = await app.sql<{ text: string }>(`select text from entries where kind = 'setup.recovered'`);
  assert.is(told.length, 1);
  assert.match(told[0]?.text ?? '', '"accountable":"alan"');
});

setup('ends after a recovery as it did before, and then issues again', async () => {
  must(await signedIn('ada', 'GET', '/api/people'));
  assert.is(await state(), 'lasts');
  must(await signedIn('alan', 'GET', '/api/people', undefined, other));
  assert.is(await state(), 'ended');
  for (const node of [app, other]) {
    const { body } = await node.call('GET', '/readyz');
    assert.equal([body['set_up'], body['stopped']], [false, null]);
  }
});

setup.after(async () => {
  await app.close();
  await oidc.stop();
});
setup.run();
