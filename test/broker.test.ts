import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leafHash } from '../src/core/entry.ts';
import {
  ahead,
  ASKED,
  rulesOnDisk,
  clientForm,
  FORBIDDEN,
  issuerOf,
  must,
  PERMITTED,
  PUBLISHED,
  testApp,
} from './support/app.ts';
import type { Answer, TestNode } from './support/app.ts';

const app = await testApp();
const other = await app.node();
const REQUESTS = '/t/acme/requests';

const ask = async (body: unknown, node: TestNode = app, headers: Record<string, string> = {}): Promise<Answer> =>
  node.call('POST', REQUESTS, { token: await app.session(), body, headers });

const count = async (table: string, where = 'true'): Promise<number> => {
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from ${table} where ${where}`);
  return Number(row?.n);
};
const statuses = (answers: readonly Answer[]): number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);
const part = (answer: Answer, name: string) => answer.body[name] as Record<string, unknown>;

const requests = suite('an access request');

requests('that a rule permits gets a credential and a receipt', async () => {
  const answer = await ask(PERMITTED);
  assert.is(answer.status, 201);
  assert.is(part(answer, 'decision')['effect'], 'permit');
  assert.match(String(part(answer, 'lease')['id']), /^lse_/);
  assert.type(part(answer, 'credential')['access_token'], 'string');
  const { entry, leaf_hash } = part(answer, 'receipt');
  const [kept] = await app.sql<{ kind: string; text: string; leaf: string }>(
    `select kind, text, encode(leaf, 'hex') as leaf from entries where id = '${String(entry)}'`,
  );
  assert.is(kept?.kind, 'lease.active');
  assert.is(kept?.leaf, leaf_hash);
  assert.is(leafHash(kept?.text ?? ''), leaf_hash);
  assert.is(answer.headers.get('cache-control'), 'no-store');
});

requests('that a human must see is recorded, and mints nothing', async () => {
  const leases = await count('leases');
  const answer = await ask(ASKED);
  assert.is(answer.status, 202);
  assert.is(part(answer, 'decision')['effect'], 'ask');
  assert.is(part(answer, 'approval')['state'], 'pending');
  assert.not.ok('credential' in answer.body);
  assert.is(await count('leases'), leases);
  const seen = await app.call('GET', `${REQUESTS}/${String(answer.body['request'])}`, { token: await app.session() });
  assert.is(seen.body['lease'], null);
  assert.is(part(seen, 'approval')['id'], part(answer, 'approval')['id']);
});

requests('that a rule forbids is told why and what to change, and the rule stays in the ledger', async () => {
  const answer = await ask(FORBIDDEN);
  assert.is(answer.status, 403);
  assert.is(answer.body['code'], 'forbidden_by_rule');
  assert.is(answer.headers.get('content-type'), 'application/problem+json');
  assert.match(String(answer.body['hint']), 'credentials');
  assert.not.match(answer.text, 'credentials-are-not-data');
  const [entry] = await app.sql<{ text: string }>(
    `select text from entries where request = '${String(answer.body['request'])}'`,
  );
  assert.match(entry?.text ?? '', 'credentials-are-not-data');
});

const REFUSED: readonly (readonly [what: string, change: Record<string, unknown>, status: number, code: string])[] = [
  ['a field that is not defined', { tasks: 'x' }, 400, 'unknown_field'],
  ['one that claims an approval', { approved: true }, 400, 'unknown_field'],
  ['a task of the wrong form', { task: 'Ticket Route' }, 400, 'invalid_field'],
  ['a task class of another role', { task: 'patch.routine' }, 403, 'no_role'],
  ['a task class that does not exist', { task: 'no.such' }, 403, 'no_role'],
  ['a role that it does not hold', { role: 'patching' }, 403, 'no_role'],
  ['a target that does not exist', { resource: 'nowhere' }, 403, 'target_unknown'],
  ['a resource that climbs', { resource: 'tickets/../other' }, 400, 'invalid_field'],
  ['parameters that do not fit', { parameters: { ticket: 'ACME-1' } }, 400, 'invalid_parameters'],
  [
    'more parameters than there are',
    { parameters: { ...PERMITTED.parameters, sudo: true } },
    400,
    'invalid_parameters',
  ],
  ['uses that nobody counts', { uses: 2 }, 403, 'uses_not_countable'],
  ['no reason', { reason: '' }, 400, 'invalid_field'],
  ['a reason that writes to terminals', { reason: '\u001b[2J' }, 400, 'invalid_field'],
  ['a lifetime below nothing', { ttl: 0 }, 400, 'invalid_field'],
];
for (const [what, change, status, code] of REFUSED) {
  requests(`with ${what} is refused with ${code}`, async () => {
    const leases = await count('leases');
    const answer = await ask({ ...PERMITTED, ...change });
    assert.is(answer.status, status, answer.text);
    assert.is(answer.body['code'], code);
    assert.is(await count('leases'), leases);
  });
}

requests('narrows what it asks too much of', async () => {
  const answer = await ask({ ...PERMITTED, ttl: 3600 });
  assert.is(answer.status, 201);
  const execution = part(answer, 'decision')['execution'] as { ttl: number; narrowed: { what: string }[] };
  assert.is(execution.ttl, 300);
  assert.equal(
    execution.narrowed.map(({ what }) => what),
    ['ttl'],
  );
});

requests('can raise its tier by what it says of itself, and never lower it', async () => {
  const raised = await ask({ ...PERMITTED, confidence: 0.2 });
  assert.is(raised.status, 202);
  const boasted = await ask({ ...ASKED, confidence: 1, environment: 'staging' });
  assert.is(boasted.status, 202);
});

requests('of tier 2 asks where nobody can be told', async () => {
  const answer = await ask(PUBLISHED);
  assert.is(answer.status, 202);
});

requests.run();

const twice = suite('the same request twice');

/** Each call has an id of its own. */
const withoutTrace = ({ body }: Answer) => ({ ...body, request_id: null });

twice('under one key gives the same result, without the secret', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await ask(PERMITTED, app, headers);
  const leases = await count('leases');
  const again = await ask(PERMITTED, other, headers);
  assert.is(first.status, 201);
  assert.is(again.status, 200);
  assert.is(again.body['request'], first.body['request']);
  assert.equal(again.body['lease'], first.body['lease']);
  assert.is(again.body['credential'], null);
  assert.equal(again.body['decision'], first.body['decision']);
  assert.is(await count('leases'), leases);
});

twice('under one key with another body is refused', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  must(await ask(PERMITTED, app, headers));
  const again = await ask({ ...PERMITTED, reason: 'Another one' }, app, headers);
  assert.is(again.status, 409);
  assert.is(again.body['code'], 'idempotency_mismatch');
});

twice('under one key at the same moment on two nodes makes one lease', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const leases = await count('leases');
  const answers = await Promise.all([app, other, app, other].map((node) => ask(PERMITTED, node, headers)));
  assert.equal(statuses(answers), [200, 200, 200, 201]);
  assert.is(await count('leases'), leases + 1);
});

twice('an ask is answered with the ask', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await ask(ASKED, app, headers);
  const again = await ask(ASKED, other, headers);
  assert.equal([again.status, withoutTrace(again)], [202, withoutTrace(first)]);
});

twice('a task’s token that people are asked about is pending again', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const token = async (node: TestNode) => {
    const details = { authorization_details: JSON.stringify([{ type: 'brevet_task', ...ASKED }]) };
    return node.call('POST', '/t/acme/token', {
      form: clientForm(await app.assertion('triage-bot'), details),
      headers,
    });
  };
  const first = await token(app);
  assert.is(first.body['error'], 'authorization_pending', first.text);
  assert.equal((await token(other)).body, first.body);
});

twice('a refusal is a refusal again', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const body = { ...FORBIDDEN, reason: randomUUID() };
  const [first, again] = [await ask(body, app, headers), await ask(body, other, headers)];
  assert.is(first.status, 403);
  assert.equal(withoutTrace(again), withoutTrace(first));
});

for (const key of ['', ' ', 'a b', 'x'.repeat(256), 'ключ']) {
  twice(`the key «${key.slice(0, 10)}» is refused`, async () => {
    const headers = new Headers({ 'idempotency-key': encodeURI(key) === key ? key : 'a\u00e9' });
    const answer = await ask(PERMITTED, app, Object.fromEntries(headers));
    assert.is(answer.status, 400);
    assert.is(answer.body['path'], 'idempotency-key');
  });
}

twice.run();

const races = suite('one-use assertions');

races('a jti that comes at once on two nodes counts once', async () => {
  for (let round = 0; round < 5; round++) {
    const assertion = await app.assertion('triage-bot');
    const answers = await Promise.all(
      [app, other, app, other, app, other].map((node) =>
        node.call('POST', '/t/acme/token', { form: clientForm(assertion) }),
      ),
    );
    assert.equal(statuses(answers), [200, 401, 401, 401, 401, 401]);
  }
});

races('a key is claimed by a refusal, also by one like those before', async () => {
  const token = await app.session();
  for (let time = 0; time < 3; time++) await app.call('POST', '/t/acme/requests', { token, body: FORBIDDEN });
  const headers = { 'idempotency-key': 'of-a-refusal' };
  const refused = await app.call('POST', '/t/acme/requests', { token, body: FORBIDDEN, headers });
  assert.is(refused.body['code'], 'forbidden_by_rule');
  const another = await other.call('POST', '/t/acme/requests', { token, body: PERMITTED, headers });
  assert.is(another.body['code'], 'idempotency_mismatch', another.text);
});

races('an assertion that comes again is written into the log', async () => {
  const assertion = await app.assertion('triage-bot');
  must(await app.call('POST', '/t/acme/token', { form: clientForm(assertion) }));
  const before = app.logged.length;
  await app.call('POST', '/t/acme/token', { form: clientForm(assertion) });
  assert.match(app.logged.slice(before).join('\n'), 'used before');
});

races('a jti is spent by a refusal, too', async () => {
  const assertion = await app.assertion('triage-bot');
  const details = JSON.stringify([{ type: 'brevet_task', ...FORBIDDEN }]);
  const form = clientForm(assertion, { authorization_details: details });
  assert.is((await app.call('POST', '/t/acme/token', { form })).body['error'], 'access_denied');
  const again = await other.call('POST', '/t/acme/token', { form: clientForm(assertion) });
  assert.is(again.body['error'], 'invalid_client');
});

races('the jti of one client is not the jti of another', async () => {
  const jti = randomUUID();
  for (const client of ['triage-bot', 'report-bot']) {
    must(await app.call('POST', '/t/acme/token', { form: clientForm(await app.assertion(client, 'acme', { jti })) }));
  }
});

races('an assertion is for this tenant’s issuer alone', async () => {
  for (const aud of [issuerOf('birch'), `${issuerOf('acme')}/token`, [issuerOf('acme'), issuerOf('birch')]]) {
    const form = clientForm(await app.assertion('triage-bot', 'acme', { aud }));
    const answer = await app.call('POST', '/t/acme/token', { form });
    assert.is(answer.status, 401);
    assert.is(answer.body['error'], 'invalid_client');
  }
});

races.run();

const watched = suite('expiry that is not watched');

for (const [since, what] of [
  [31_000, 'any more'],
  [null, 'yet'],
] as const) {
  watched(`${what} stops all issuing, and nothing else`, async () => {
    const late = await app.node({ deps: ahead(() => 0) });
    const sleepy = { ...late.deps.store, sinceBeat: async () => since as never };
    const node = await app.node({ deps: (deps) => ({ ...deps, store: sleepy }) });
    const answer = await ask(PERMITTED, node);
    assert.is(answer.status, 503);
    assert.is(answer.body['code'], 'sweeper_late');
    assert.is(answer.headers.get('retry-after'), '5');
    assert.is((await ask(ASKED, node)).status, 202);
    const ready = await node.call('GET', '/readyz');
    assert.is(ready.status, 503);
    assert.is(ready.body['sweeper'], false);
  });
}

watched.run();

const told = suite('a tier 2 act');

told('is permitted where people can be told, and tells them', async () => {
  const heard: unknown[] = [];
  const channel = {
    name: 'slack',
    reaches: () => true,
    tell: async (notice: unknown) => {
      heard.push(notice);
    },
  } as const;
  const node = await app.node({ channels: [channel] });
  const answer = await ask(PUBLISHED, node);
  assert.is(answer.status, 201, answer.text);
  const lease = String(part(answer, 'lease')['id']);
  assert.is(await count('work', `what ->> 'task' = 'notice' and what -> 'notice' ->> 'lease' = '${lease}'`), 1);
  const { watch } = await import('../src/broker.ts');
  await watch(node.deps);
  assert.is(heard.length, 1);
  assert.match(JSON.stringify(heard), lease);
  assert.match(JSON.stringify(heard), 'otto');
  assert.is(await count('work', `what ->> 'task' = 'notice'`), 0);
});

told('is told again until the far side has taken it', async () => {
  let tries = 0;
  const channel = {
    name: 'slack',
    reaches: () => true,
    tell: async () => {
      tries += 1;
      throw new Error('nobody is there');
    },
  } as const;
  const node = await app.node({ channels: [channel] });
  must(await ask(PUBLISHED, node));
  const { watch } = await import('../src/broker.ts');
  await watch(node.deps);
  assert.is(tries, 1);
  assert.is(await count('work', `what ->> 'task' = 'notice'`), 1);
  await app.sql(`delete from work where what ->> 'task' = 'notice'`);
});

told('is not the only thing told: so is a refusal under a data subject request', async () => {
  const heard: unknown[] = [];
  const channel = {
    name: 'slack',
    reaches: () => true,
    tell: async (notice: unknown) => void heard.push(notice),
  } as const;
  const node = await app.node({ channels: [channel] });
  const until = new Date(Date.now() + 600_000).toISOString();
  const body = { kind: 'data-subject-request', resource: 'tickets/DSR-1', until, reason: 'A person asked' };
  const set = must(await app.operator('ada', 'POST', '/api/tenants/acme/situations', body));
  const answer = await ask({ ...PERMITTED, resource: 'tickets/DSR-1' }, node);
  assert.is(answer.body['code'], 'forbidden_by_rule', answer.text);
  const { watch } = await import('../src/broker.ts');
  await watch(node.deps);
  assert.match(JSON.stringify(heard), 'was refused ticket.route');
  assert.match(JSON.stringify(heard), 'otto');
  const end = `/api/tenants/acme/situations/${String(set.body['id'])}/end`;
  must(await app.operator('ada', 'POST', end, { reason: 'Answered' }));
});

told.run();

const ledger = suite('a ledger that cannot be written');

ledger('issues nothing, asks nothing and refuses nothing in its stead', async () => {
  const before = { leases: await count('leases'), requests: await count('requests') };
  const token = await app.session();
  await app.sql('revoke insert on entries from brevet_serve');
  try {
    for (const body of [PERMITTED, ASKED, { ...FORBIDDEN, resource: 'passwords/never-before' }]) {
      const answer = await app.call('POST', REQUESTS, { token, body });
      assert.ok(answer.status >= 500, answer.text);
      assert.not.ok('credential' in answer.body);
    }
  } finally {
    await app.sql('grant insert on entries to brevet_serve');
  }
  assert.equal({ leases: await count('leases'), requests: await count('requests') }, before);
  assert.is((await ask(PERMITTED)).status, 201);
});

ledger('of another tenant harms nobody here', async () => {
  await app.sql(`create function refuse_birch() returns trigger language plpgsql as $$
    begin if new.tenant = 'birch' then raise exception 'no'; end if; return new; end $$`);
  await app.sql('create trigger refuse_birch before insert on entries for each row execute function refuse_birch()');
  try {
    const acme = await app.session();
    const birch = app.call('POST', '/t/birch/token', { form: clientForm(await app.assertion('birch-bot', 'birch')) });
    const here = Array.from({ length: 8 }, () => app.call('POST', REQUESTS, { token: acme, body: PERMITTED }));
    assert.ok((await birch).status >= 500);
    for (const answer of await Promise.all(here)) assert.is(answer.status, 201);
  } finally {
    await app.sql('drop trigger refuse_birch on entries');
  }
});

ledger.run();

const elsewhere = suite('a change through another node');

const agent = (more: Record<string, unknown>) => ({
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'tests',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
  ...more,
});

elsewhere('disables an agent at once, its session included', async () => {
  const token = await app.session();
  must(await other.call('POST', REQUESTS, { token, body: PERMITTED }));
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agent({ active: false })));
  const form = clientForm(await app.assertion('triage-bot'));
  const answers = [
    await other.call('POST', REQUESTS, { token, body: PERMITTED }),
    await other.call('GET', '/t/acme/leases', { token }),
    await other.call('POST', '/t/acme/token', { form }),
  ];
  assert.equal(
    answers.map(({ status }) => status),
    [401, 401, 401],
  );
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agent({})));
  assert.is((await other.call('POST', REQUESTS, { token, body: PERMITTED })).status, 201);
});

elsewhere('takes an agent’s owner away', async () => {
  const token = await app.session();
  must(await other.call('POST', REQUESTS, { token, body: PERMITTED }));
  const person = (active: boolean) => ({ display_name: 'olga', active });
  must(await app.operator('ada', 'PUT', '/api/people/olga', person(false)));
  const answer = await other.call('POST', REQUESTS, { token, body: PERMITTED });
  assert.is(answer.status, 403, answer.text);
  assert.is(answer.body['code'], 'owner_gone');
  must(await app.operator('ada', 'PUT', '/api/people/olga', person(true)));
  must(await app.operator('ada', 'PUT', '/api/operators/dana', { person: 'dana' }));
  for (const orphan of ['triage-bot', 'report-bot', 'birch-bot']) {
    must(await app.operator('dana', 'POST', `/api/agents/${orphan}/accept`, {}));
  }
  assert.is((await other.call('POST', REQUESTS, { token, body: PERMITTED })).status, 201);
});

elsewhere('ends an assignment', async () => {
  const token = await app.session();
  must(await other.call('POST', REQUESTS, { token, body: PERMITTED }));
  const { body } = must(await app.operator('ada', 'GET', '/api/assignments?tenant=acme'));
  const items = body['items'] as { id: string; role: string }[];
  const triage = items.find(({ role }) => role === 'triage');
  must(await app.operator('ada', 'DELETE', `/api/assignments/${triage?.id}`));
  const answer = await other.call('POST', REQUESTS, { token, body: PERMITTED });
  assert.is(answer.status, 403);
  assert.is(answer.body['code'], 'no_role');
  const again = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' };
  must(await app.operator('ada', 'POST', '/api/assignments', again));
});

elsewhere('tightens the policy', async () => {
  const token = await app.session();
  must(await other.call('POST', REQUESTS, { token, body: PERMITTED }));
  const files = await rulesOnDisk();
  const rule = '@id("nothing-for-now") @reason("A drill.") forbid (principal, action, resource);';
  const tighter = { ...files, 'rules/drill.cedar': rule };
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files: tighter }));
  const answer = await other.call('POST', REQUESTS, { token, body: PERMITTED });
  assert.is(answer.status, 403);
  assert.is(answer.body['code'], 'forbidden_by_rule');
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files }));
  assert.is((await other.call('POST', REQUESTS, { token, body: PERMITTED })).status, 201);
});

elsewhere('leaves a tenant without anybody who oversees it', async () => {
  const token = await app.session();
  const { body } = must(await app.operator('ada', 'GET', '/api/assignments?tenant=acme'));
  const items = body['items'] as { id: string; role: string }[];
  const overseer = items.find(({ role }) => role === 'overseer');
  must(await app.operator('ada', 'DELETE', `/api/assignments/${overseer?.id}`));
  for (const node of [app, other]) {
    const answer = await node.call('POST', REQUESTS, { token, body: { ...PERMITTED, reason: randomUUID() } });
    assert.is(answer.status, 403);
    assert.is(answer.body['code'], 'nobody_oversees');
  }
  const again = { tenant: 'acme', holder: { person: 'otto' }, role: 'overseer' };
  must(await app.operator('ada', 'POST', '/api/assignments', again));
  assert.is((await other.call('POST', REQUESTS, { token, body: PERMITTED })).status, 201);
});

elsewhere.after(() => app.close());
elsewhere.run();
