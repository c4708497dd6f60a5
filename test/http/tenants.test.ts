import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../src/core/ids.ts';
import { agentBody, ASKED, clientForm, must, PERMITTED, testApp } from '../support/app.ts';
import type { Answer, Sent } from '../support/app.ts';
import { random } from '../support/target.ts';

const app = await testApp();

/** An answer without what differs from call to call. */
const shape = ({ status, headers, body, text }: Answer) => {
  const { request_id: _, ...rest } = body;
  return {
    status,
    headers: Object.fromEntries([...headers].filter(([name]) => name !== 'x-request-id')),
    body: text.startsWith('{') ? rest : text,
  };
};

const acme = await app.session();
const made = must(await app.call('POST', '/t/acme/requests', { token: acme, body: PERMITTED }));
const asked = must(await app.call('POST', '/t/acme/requests', { token: acme, body: ASKED }));
const [lease, request] = [(made.body['lease'] as { id: string }).id, String(made.body['request'])];
const birch = await app.session('birch-bot', 'birch');
await app.call('POST', '/t/birch/requests', { token: birch, body: PERMITTED });
const cursor = async (path: string, token: string): Promise<string> => {
  for (let more = 0; more < 2; more++) await app.call('POST', '/t/acme/requests', { token: acme, body: PERMITTED });
  return String(must(await app.call('GET', `${path}?limit=1`, { token })).body['cursor']);
};

const nobodysLease = newId('lse', app.deps.clock(), random);
const nobodysRequest = newId('req', app.deps.clock(), random);

const wall = suite('another tenant’s');

/** What is asked for another tenant's thing, and for what does not exist. */
const ALIKE: readonly (readonly [what: string, method: string, theirs: string, nobodys: string, sent: Sent])[] = [
  ['lease', 'GET', `/t/birch/leases/${lease}`, `/t/birch/leases/${nobodysLease}`, { token: birch }],
  [
    'timeline',
    'GET',
    `/t/birch/leases/${lease}/timeline`,
    `/t/birch/leases/${nobodysLease}/timeline`,
    { token: birch },
  ],
  [
    'lease’s end',
    'POST',
    `/t/birch/leases/${lease}/complete`,
    `/t/birch/leases/${nobodysLease}/complete`,
    { token: birch, body: { outcome: 'succeeded' } },
  ],
  [
    'lease’s revocation',
    'POST',
    `/t/birch/leases/${lease}/revoke`,
    `/t/birch/leases/${nobodysLease}/revoke`,
    { token: birch, body: { reason: 'x' } },
  ],
  ['request', 'GET', `/t/birch/requests/${request}`, `/t/birch/requests/${nobodysRequest}`, { token: birch }],
  ['leases with a token of acme', 'GET', '/t/birch/leases', '/t/nowhere/leases', { token: acme }],
  [
    'request with a token of acme',
    'GET',
    `/t/birch/requests/${request}`,
    `/t/nowhere/requests/${request}`,
    { token: acme },
  ],
  ['task with a token of acme', 'POST', '/t/birch/requests', '/t/nowhere/requests', { token: acme, body: PERMITTED }],
  ['task without a token', 'POST', '/t/birch/requests', '/t/nowhere/requests', { body: PERMITTED }],
  ['token endpoint with no proof', 'POST', '/t/birch/token', '/t/nowhere/token', { form: clientForm('x') }],
  ['keys of a name that is none', 'GET', '/t/No%20Such/jwks', '/t/nowhere/jwks', {}],
];
for (const [what, method, theirs, nobodys, sent] of ALIKE) {
  wall(`${what} is what does not exist`, async () => {
    const answers = [await app.call(method, theirs, sent), await app.call(method, nobodys, sent)];
    assert.ok((answers[0]?.status ?? 0) >= 400);
    assert.equal(shape(answers[0] as Answer), shape(answers[1] as Answer));
    assert.not.match(answers[0]?.text ?? '', 'birch');
    assert.not.match(answers[0]?.text ?? '', lease);
  });
}

wall('assertion is nobody’s', async () => {
  const theirs = await app.call('POST', '/t/birch/token', { form: clientForm(await app.assertion('triage-bot')) });
  const nobodys = await app.call('POST', '/t/nowhere/token', { form: clientForm(await app.assertion('triage-bot')) });
  assert.is(theirs.status, 401);
  assert.equal(shape(theirs), shape(nobodys));
});

wall('lease of another agent of one tenant is not there either', async () => {
  const report = await app.session('report-bot');
  const theirs = await app.call('GET', `/t/acme/leases/${lease}`, { token: report });
  const nobodys = await app.call('GET', `/t/acme/leases/${nobodysLease}`, { token: report });
  assert.is(theirs.status, 404);
  assert.equal(shape(theirs), shape(nobodys));
  const request404 = await app.call('GET', `/t/acme/requests/${String(asked.body['request'])}`, { token: report });
  assert.is(request404.status, 404);
  const list = must(await app.call('GET', '/t/acme/leases', { token: report }));
  assert.equal(list.body['items'], []);
});

wall('idempotency key is no key here', async () => {
  const headers = { 'idempotency-key': 'the-same' };
  must(await app.call('POST', '/t/acme/requests', { token: acme, body: PERMITTED, headers }));
  const there = await app.call('POST', '/t/birch/requests', {
    token: birch,
    body: { ...PERMITTED, reason: 'another' },
    headers,
  });
  assert.is(there.status, 201);
});

wall('page is none of this list', async () => {
  const own = await cursor('/t/acme/leases', acme);
  assert.is((await app.call('GET', `/t/acme/leases?cursor=${own}`, { token: acme })).status, 200);
  const oversight = await app.localToken('otto');
  const theirs = await cursor('/t/acme/leases', oversight);
  const elsewhere: readonly (readonly [path: string, token: string, cursor: string])[] = [
    ['/t/birch/leases', birch, own],
    ['/t/birch/leases', oversight, theirs],
    ['/t/acme/leases', await app.session('report-bot'), own],
    ['/t/acme/leases', acme, theirs],
    ['/api/leases', oversight, theirs],
    ['/api/requests', oversight, theirs],
    ['/t/acme/leases', acme, 'nonsense'],
    ['/t/acme/leases', acme, ''],
    ['/t/acme/leases', acme, `${own}x`],
    ['/t/acme/leases', acme, `x${own}`],
    ['/t/acme/leases', acme, own.split('.')[0] ?? ''],
    ['/t/acme/leases', acme, `${'A'.repeat(300)}.${own.split('.')[1] ?? ''}`],
  ];
  for (const [path, token, given] of elsewhere) {
    const answer = await app.call('GET', `${path}?cursor=${given}`, { token });
    assert.is(answer.status, 400, `${path} ${given}`);
    assert.is(answer.body['code'], 'invalid_cursor');
  }
});

wall('operator who has nothing to do here is told of no tenant', async () => {
  const person = { display_name: 'Nina' };
  must(await app.operator('ada', 'PUT', '/api/people/nina', person));
  must(await app.operator('ada', 'PUT', '/api/operators/nina', { person: 'nina' }));
  must(
    await app.operator('ada', 'POST', '/api/assignments', {
      tenant: 'acme',
      holder: { person: 'nina' },
      role: 'overseer',
    }),
  );
  const token = await app.localToken('nina');
  assert.is((await app.call('GET', '/t/acme/leases', { token })).status, 200);
  for (const path of ['/leases', `/leases/${lease}`]) {
    const theirs = await app.call('GET', `/t/birch${path}`, { token });
    const nobodys = await app.call('GET', `/t/nowhere${path}`, { token });
    assert.is(theirs.status, 404);
    assert.equal(shape(theirs), shape(nobodys));
  }
  const across = must(await app.call('GET', '/api/leases?limit=200', { token }));
  const tenants = new Set((across.body['items'] as { tenant: string }[]).map(({ tenant }) => tenant));
  assert.equal(tenants, new Set(['acme']));
  const named = must(await app.call('GET', '/api/leases?tenant=birch', { token }));
  assert.equal(named.body['items'], []);
  const requests = must(await app.call('GET', '/api/requests?tenant=birch', { token }));
  assert.equal(requests.body['items'], []);
});

wall('administrator changes nothing above their tenant, nor at another', async () => {
  must(await app.operator('ada', 'PUT', '/api/people/mona', { display_name: 'Mona' }));
  must(await app.operator('ada', 'PUT', '/api/operators/mona', { person: 'mona' }));
  const held = { tenant: 'acme', holder: { person: 'mona' }, role: 'administrator' };
  must(await app.operator('ada', 'POST', '/api/assignments', held));
  const target = {
    provider: 'jwt',
    config: { audience: 'https://mona.example', checks: 'offline' },
    environment: 'test',
  };
  const asked: readonly (readonly [path: string, body: unknown, status: number])[] = [
    ['/api/people/olga', { display_name: 'Olga', active: false }, 403],
    ['/api/people/mole', { display_name: 'Mole' }, 403],
    ['/api/operators/otto', { person: 'mona' }, 403],
    ['/api/agents/triage-bot', agentBody({ owner: 'mona' }), 403],
    ['/api/issuers/mine', { url: 'https://mona.example', platform: 'generic' }, 403],
    ['/api/vendors/acme-models', { trains_on_client_data: false, retention_days: 0 }, 403],
    ['/api/tenants/acme', { display_name: 'Mine' }, 403],
    ['/api/tenants/birch', { display_name: 'Mine' }, 403],
    ['/api/tenants/birch/targets/mine', target, 404],
    ['/api/tenants/birch/enrolments/triage-bot', { issuer: 'mine', claims: { sub: 'mona' } }, 404],
    ['/api/tenants/birch/context', { autonomy: 'autonomous' }, 404],
  ];
  const before = await app.sql('select name, epoch from tenants order by 1');
  const above = await app.deps.store.deploymentEpoch();
  for (const [path, body, status] of asked) {
    const answer = await app.operator('mona', 'PUT', path, body);
    assert.is(answer.status, status, `${path}: ${answer.text}`);
  }
  for (const path of ['people/olga', 'operators/otto', 'agents/triage-bot', 'tenants/acme', 'tenants/birch']) {
    assert.is((await app.operator('mona', 'DELETE', `/api/${path}`)).status, 403, path);
  }
  assert.equal(await app.sql('select name, epoch from tenants order by 1'), before);
  assert.is(await app.deps.store.deploymentEpoch(), above);
  must(await app.operator('mona', 'PUT', '/api/tenants/acme/targets/mine', target));
});

wall('assignments are told to nobody who has nothing to do there', async () => {
  const token = await app.localToken('nina');
  const [row] = await app.sql<{ id: string }>(`select id from assignments where tenant = 'birch' limit 1`);
  const nobodys = newId('asg', app.deps.clock(), random);
  const given = (tenant: string) => ({ tenant, holder: { person: 'nina' }, role: 'administrator' });
  const asked: readonly (readonly [method: string, theirs: string, nobodys: string, bodies: readonly unknown[]])[] = [
    ['GET', '/api/assignments?tenant=birch', '/api/assignments?tenant=nowhere', []],
    ['POST', '/api/assignments', '/api/assignments', [given('birch'), given('nowhere')]],
    ['DELETE', `/api/assignments/${row?.id}`, `/api/assignments/${nobodys}`, []],
    ['DELETE', '/api/tenants/birch', '/api/tenants/nowhere', []],
  ];
  for (const [method, theirs, other, [one, two]] of asked) {
    for (const sent of [{ token }, {}]) {
      const there = await app.call(method, theirs, { ...sent, body: one });
      assert.ok(there.status >= 400);
      assert.equal(shape(there), shape(await app.call(method, other, { ...sent, body: two })), `${method} ${theirs}`);
    }
  }
});

wall('list is walked page by page, each lease once', async () => {
  const seen: string[] = [];
  for (let next: string | null = ''; next !== null;) {
    const page: Answer = must(
      await app.call('GET', `/t/acme/leases?limit=2${next === '' ? '' : `&cursor=${next}`}`, { token: acme }),
    );
    seen.push(...(page.body['items'] as { id: string }[]).map(({ id }) => id));
    next = page.body['cursor'] as string | null;
  }
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from leases where agent = 'triage-bot'`);
  assert.is(new Set(seen).size, Number(row?.n));
  assert.is(seen.length, Number(row?.n));
});

for (const query of [
  'limit=0',
  'limit=201',
  'limit=x',
  'limit=-1',
  'state=dead',
  'sate=active',
  'tenant=No%20One',
  'agent=%00',
]) {
  wall(`list with ${query} is malformed`, async () => {
    const answer = await app.call('GET', `/t/acme/leases?${query}`, { token: acme });
    assert.is(answer.status, 400, answer.text);
  });
}

wall.after(() => app.close());
wall.run();
