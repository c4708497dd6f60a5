/** A broker whose policy has narrow budgets: who is over them is told when to come back, on every surface. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefusals } from '../../src/attribute/refusals.ts';
import { watch } from '../../src/broker.ts';
import { instant } from '../../src/core/time.ts';
import { ACCEPTED, ASKED, rulesOnDisk, clientForm, must, PERMITTED, REPORT, TERMS, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

/** By which the counts of refusals are ahead. */
let shift = 0;
const counting = (deps: TestNode['deps']) => ({
  ...deps,
  refusals: createRefusals(() => instant(deps.clock() + shift)),
});
const database = await clientDatabase();
const app = await testApp({ database, deps: counting });
const other = await app.node();
const files = await rulesOnDisk();

async function withBudgets(
  budgets: Readonly<Record<string, number>>,
  many = { most: 5, within_minutes: 10 },
): Promise<void> {
  const charter = { owner: 'security-lead', next_review: '2027-01-31', probation: 20 };
  const whole = JSON.stringify({ ...charter, budgets, many_tenants: many });
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files: { ...files, 'bundle.yaml': whole } }));
}

const requestsAt = (tenant: string): string => `/t/${tenant}/requests`;
const ask = (token: string, body: unknown, node: TestNode = app, headers: Record<string, string> = {}) =>
  node.call('POST', requestsAt('acme'), { token, body, headers });

async function askForToken(body: object, agent = 'triage-bot', assertion?: string): Promise<Answer> {
  const details = JSON.stringify([{ type: 'brevet_task', ...body }]);
  const form = clientForm(assertion ?? (await app.assertion(agent)), { authorization_details: details });
  return app.call('POST', '/t/acme/token', { form });
}

const count = async (table: string, where = 'true'): Promise<number> => {
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from ${table} where ${where}`);
  return Number(row?.n);
};

function isTooMany(answer: Answer, budget: string, atMost: number): void {
  assert.is(answer.status, 429, answer.text);
  assert.is(
    answer.body['code'] ?? answer.body['error'],
    'code' in answer.body ? 'too_many_requests' : 'temporarily_unavailable',
  );
  assert.is(answer.body['budget'], budget);
  const wait = Number(answer.headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= atMost, `after ${wait} s`);
}

const complete = async (token: string, answer: Answer): Promise<void> => {
  const { id } = answer.body['lease'] as { readonly id: string };
  must(await app.call('POST', `/t/acme/leases/${id}/complete`, { token, body: { outcome: 'succeeded' } }));
};

const limits = suite('budgets');

limits('of live leases: the one too many is told to come back, until one is completed', async () => {
  await withBudgets({ live_leases: 2 });
  const token = await app.session();
  const first = must(await ask(token, PERMITTED));
  must(await ask(token, PERMITTED, other));
  isTooMany(await ask(token, PERMITTED, other), 'live_leases', 300);
  isTooMany(await askForToken(PERMITTED), 'live_leases', 300);
  await complete(token, first);
  const again = must(await askForToken(PERMITTED));
  assert.type(again.body['access_token'], 'string');
  await withBudgets({});
});

limits('of live logins hold for logins alone', async () => {
  await withBudgets({ live_logins: 1 });
  const token = await app.session('report-bot');
  const first = must(await ask(token, REPORT));
  isTooMany(await ask(token, REPORT, other), 'live_logins', 300);
  must(await ask(await app.session(), PERMITTED));
  await complete(token, first);
  await complete(token, must(await ask(token, REPORT, other)));
});

limits('of open questions hold for what asks', async () => {
  const open = await count('approvals', `agent = 'triage-bot'`);
  await withBudgets({ open_approvals: open + 1 });
  const token = await app.session();
  assert.is((await ask(token, ASKED)).status, 202);
  isTooMany(await ask(token, ASKED, other), 'open_approvals', 4 * 3600);
  assert.is(await count('approvals', `agent = 'triage-bot'`), open + 1);
  assert.is((await ask(token, PERMITTED)).status, 201);
});

limits('of requests a minute are asked of each node, and of whoever has proven to be the agent', async () => {
  await withBudgets({ requests_per_minute: 3 });
  const node = await app.node();
  const token = await app.session();
  for (let time = 0; time < 3; time++) must(await ask(token, PERMITTED, node));
  const before = { requests: await count('requests'), leases: await count('leases') };
  for (let time = 0; time < 5; time++) isTooMany(await ask(token, PERMITTED, node), 'requests_per_minute', 20);
  assert.equal(
    { requests: await count('requests'), leases: await count('leases') },
    { ...before, requests: before.requests + 1 },
  );
  assert.is((await ask('no token', PERMITTED, node)).status, 401);
  must(await ask(token, PERMITTED, other));
  await withBudgets({});
});

limits('claim no idempotency key: the same may come again when there is room', async () => {
  await withBudgets({ live_leases: 1 });
  await app.sql(`update leases set state = 'revoking', revoking_at = 1 where state in ('opening', 'active')`);
  await app.sql(`update leases set state = 'revoked', death = '{"how":"expired"}' where state = 'revoking'`);
  const token = await app.session();
  const first = must(await ask(token, PERMITTED));
  const headers = { 'idempotency-key': randomUUID() };
  isTooMany(await ask(token, PERMITTED, app, headers), 'live_leases', 300);
  await complete(token, first);
  const given = must(await ask(token, PERMITTED, app, headers));
  const again = must(await ask(token, PERMITTED, other, headers));
  assert.is(again.body['request'], given.body['request'], 'full, and answered with what it was claimed for');
  await complete(token, given);
});

limits('that are full spend the assertion of who is told so', async () => {
  await withBudgets({ live_leases: 1 });
  const token = await app.session();
  const first = must(await ask(token, PERMITTED));
  const assertion = await app.assertion('triage-bot');
  isTooMany(await askForToken(PERMITTED, 'triage-bot', assertion), 'live_leases', 300);
  assert.is((await askForToken(PERMITTED, 'triage-bot', assertion)).body['error'], 'invalid_client');
  await complete(token, first);
});

limits('under a storm cost one entry and a count, whatever was asked and how', async () => {
  await withBudgets({ live_leases: 1 });
  const token = await app.session();
  const first = must(await ask(token, PERMITTED));
  const storm = () =>
    Promise.all([
      ...Array.from({ length: 40 }, (_, at) => ask(token, { ...PERMITTED, resource: `tickets/${at}` })),
      ...Array.from({ length: 10 }, () => askForToken(PERMITTED)),
    ]);
  // The first of its kind is in the ledger before the others come.
  await ask(token, PERMITTED);
  const before = { requests: await count('requests'), entries: await count('entries', `kind like 'request.%'`) };
  for (const answer of await storm()) isTooMany(answer, 'live_leases', 300);
  assert.equal({ requests: await count('requests'), entries: await count('entries', `kind like 'request.%'`) }, before);
  shift += 6_000;
  await watch(app.deps);
  const entries = await app.sql<{ text: string }>(
    `select text from entries where kind = 'request.forbidden_again' and text like '%budget:live_leases%'`,
  );
  const counts = entries.map(({ text }) => (JSON.parse(text) as { facts: Record<string, unknown> }).facts['count']);
  assert.ok(
    counts.includes(50) || counts.reduce<number>((sum, one) => sum + Number(one), 0) >= 50,
    JSON.stringify(counts),
  );
  const [whole] = await app.sql<{ text: string }>(
    `select text from entries where kind = 'request.forbidden' and text like '%budget:live_leases%' limit 1`,
  );
  assert.match(whole?.text ?? '', 'too_many_requests');
  await complete(token, first);
});

limits('give the last place to one of two nodes, whoever asks where', async () => {
  await withBudgets({ live_leases: 1 });
  const token = await app.session();
  for (let time = 0; time < 20; time++) {
    const answers = await Promise.all([app, other, app, other].map((node) => ask(token, PERMITTED, node)));
    assert.equal(answers.map(({ status }) => String(status)).toSorted(), ['201', '429', '429', '429']);
    const [given] = answers.filter(({ status }) => status === 201);
    if (given !== undefined) await complete(token, given);
  }
});

const CLIENTS = Array.from({ length: 6 }, (_, at) => `client-${at + 1}`);

async function enrolEverywhere(agent: string): Promise<void> {
  const put = async (path: string, body: unknown) => must(await app.operator('ada', 'PUT', path, body));
  for (const tenant of CLIENTS) {
    const pair = await generateKeyPair('ES256', { extractable: true });
    (app.keys as Record<string, unknown>)[`${agent}@${tenant}`] = {
      ...(await exportJWK(pair.privateKey)),
      alg: 'ES256',
    };
    await put(`/api/tenants/${tenant}`, { display_name: tenant, autonomy: 'autonomous', terms: TERMS });
    await put(`/api/tenants/${tenant}/targets/tickets`, {
      provider: 'jwt',
      config: { audience: `https://tickets.${tenant}.example`, checks: 'introspection' },
      environment: 'production',
    });
    await put(`/api/tenants/${tenant}/enrolments/${agent}`, { jwk: await exportJWK(pair.publicKey) });
    await put(`/api/tenants/${tenant}/acceptances/${agent}`, ACCEPTED);
    for (const body of [
      { tenant, holder: { agent }, role: 'triage' },
      { tenant, holder: { person: 'otto' }, role: 'overseer' },
      { tenant, holder: { person: 'paula' }, role: 'approver' },
    ]) {
      must(await app.operator('ada', 'POST', '/api/assignments', body));
    }
  }
}

const many = suite('one change at six clients in five minutes');

many('is one act: the sixth asks, and from then on all do, at every node', async () => {
  await withBudgets({});
  await enrolEverywhere('triage-bot');
  await app.sql('delete from spread');
  const tokens = new Map<string, string>();
  for (const tenant of CLIENTS) tokens.set(tenant, await app.session('triage-bot', tenant));
  const routeAt = (tenant: string, node: TestNode = app) =>
    node.call('POST', requestsAt(tenant), { token: tokens.get(tenant) ?? '', body: PERMITTED });
  for (const tenant of CLIENTS.slice(0, 5)) assert.is((await routeAt(tenant)).status, 201, tenant);
  const sixth = await routeAt('client-6');
  assert.is(sixth.status, 202, sixth.text);
  const { execution, approval } = sixth.body['decision'] as { execution: Record<string, unknown>; approval: object };
  assert.is(execution['tier'], 3);
  assert.equal(execution['raised'], [{ to: 3, because: 'many_tenants' }]);
  assert.match(JSON.stringify(approval), 'tier-three-asks');
  for (const node of [app, other]) assert.is((await routeAt('client-1', node)).status, 202);
  const categorize = {
    ...PERMITTED,
    resource: 'tickets/ACME-1',
    task: 'ticket.categorize',
    parameters: { category: 'access' },
  };
  const another = { token: tokens.get('client-6') ?? '', body: categorize };
  assert.is((await app.call('POST', requestsAt('client-6'), another)).status, 201, 'another task class is another act');
  const rows = await app.sql<{ place: string }>('select * from spread');
  for (const tenant of CLIENTS) assert.not.match(JSON.stringify(rows), tenant);
});

many('is one act on the OAuth surface, too, by one assertion', async () => {
  const details = JSON.stringify([{ type: 'brevet_task', ...PERMITTED }]);
  const form = clientForm(await app.assertion('triage-bot', 'client-2'), { authorization_details: details });
  const answer = await app.call('POST', '/t/client-2/token', { form });
  assert.is(answer.body['error'], 'authorization_pending', answer.text);
});

many('is what the bundle says it is', async () => {
  await withBudgets({}, { most: 6, within_minutes: 10 });
  const token = await app.session('triage-bot', 'client-1');
  assert.is((await app.call('POST', requestsAt('client-1'), { token, body: PERMITTED })).status, 201);
});

many('is over when its time is', async () => {
  await withBudgets({});
  await app.sql('update spread set at = at - 600001');
  const token = await app.session('triage-bot', 'client-6');
  assert.is((await app.call('POST', requestsAt('client-6'), { token, body: PERMITTED })).status, 201);
});

many.after(async () => {
  await app.close();
  await database.remove();
});
limits.run();
many.run();
