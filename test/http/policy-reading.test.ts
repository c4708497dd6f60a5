/** Explaining and summing up, at a broker: for whom, of what, and with nothing written. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must, testApp } from '../support/app.ts';
import type { Answer } from '../support/app.ts';

const app = await testApp();

const ROUTE = { task: 'ticket.route', resource: 'tickets/AB-1', parameters: { ticket: 'AB-1', queue: 'network' } };
const READ = { ...ROUTE, resource: 'passwords/AB-1' };

const ask = async (body: object, agent = 'triage-bot', tenant = 'acme'): Promise<Answer> =>
  app.call('POST', `/t/${tenant}/requests`, {
    token: await app.session(agent, tenant),
    body: { reason: 'A test', ...body },
  });

const explain = (operator: string, request: unknown): Promise<Answer> =>
  app.operator(operator, 'GET', `/api/policy/explain?request=${String(request)}`);

const suppose = (operator: string, body: object): Promise<Answer> =>
  app.operator(operator, 'POST', '/api/policy/explain', body);

const lead = ({ body }: Answer) =>
  body['lead'] as {
    approval: { effect: string; rules: string[] };
    roles: { rules: { rule: string; decided: boolean }[] }[];
  };

const rowsIn = async (table: string): Promise<number> => {
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from ${table}`);
  return Number(row?.n);
};

const explaining = suite('/api/policy/explain');

explaining('of a request that was refused says which rule, and how it was recorded', async () => {
  const refused = await ask(READ);
  assert.is(refused.status, 403, refused.text);
  const found = must(await explain('otto', refused.body['request']));
  const recorded = found.body['recorded'] as { effect: string; same_policy: boolean };
  assert.equal([recorded.effect, recorded.same_policy], ['forbid', true]);
  assert.equal(lead(found).approval.rules, ['credentials-are-not-data']);
  const agent = JSON.stringify(found.body['agent']);
  assert.not.match(agent, 'credentials-are-not-data');
  assert.match(agent, 'Name another target, such as');
});

explaining('of one that was asked says that another policy was active then', async () => {
  const refused = await ask({ ...READ, resource: 'passwords/AB-2' });
  await app.sql(`update requests set policy = repeat('0', 64) where id = '${String(refused.body['request'])}'`);
  const { body } = must(await explain('ada', refused.body['request']));
  assert.is((body['recorded'] as { same_policy: boolean }).same_policy, false);
});

explaining('of one that nobody made decides, writes nothing and issues nothing', async () => {
  const counted = ['requests', 'leases', 'approvals', 'work'];
  const before = await Promise.all(counted.map(rowsIn));
  await app.localToken('otto');
  const entries = await rowsIn('entries');
  const found = must(await suppose('otto', { tenant: 'acme', agent: 'triage-bot', ...ROUTE }));
  assert.is(lead(found).approval.effect, 'permit');
  assert.equal(await Promise.all(counted.map(rowsIn)), before);
  assert.is(await rowsIn('entries'), entries);
});

explaining('takes only what a request may hold', async () => {
  const { status, body } = await suppose('otto', { tenant: 'acme', agent: 'triage-bot', ...ROUTE, approved: true });
  assert.equal([status, body['code']], [400, 'unknown_field']);
});

explaining(
  'is for oversight and administration where it has effect, and of another tenant there is nothing',
  async () => {
    const refused = await ask(READ, 'birch-bot', 'birch').catch(() => null);
    void refused;
    const there = await ask(ROUTE);
    must(await app.operator('ada', 'PUT', '/api/people/nils', { display_name: 'Nils' }));
    must(await app.operator('ada', 'PUT', '/api/operators/nils', { person: 'nils' }));
    must(
      await app.operator('ada', 'POST', '/api/assignments', {
        tenant: 'birch',
        holder: { person: 'nils' },
        role: 'overseer',
      }),
    );
    const never = await explain('nils', 'req_01jq0000000000000000000000');
    const mine = await explain('nils', there.body['request']);
    for (const found of [never, mine]) assert.equal([found.status, found.body['code']], [404, 'not_found']);
    assert.is(mine.body['detail'], never.body['detail']);
    const other = await suppose('nils', { tenant: 'acme', agent: 'triage-bot', ...ROUTE });
    const none = await suppose('nils', { tenant: 'nowhere', agent: 'triage-bot', ...ROUTE });
    assert.equal([other.status, other.body['detail']], [none.status, none.body['detail']]);
    assert.is((await suppose('otto', { tenant: 'acme', agent: 'birch-bot', ...ROUTE })).status, 404);
    assert.is((await app.call('GET', '/api/policy/explain?request=req_01jq0000000000000000000000')).status, 401);
  },
);

explaining('is refused to approval', async () => {
  must(await app.operator('ada', 'PUT', '/api/operators/paula', { person: 'paula' }));
  const { status, body } = await suppose('paula', { tenant: 'acme', agent: 'triage-bot', ...ROUTE });
  assert.equal([status, body['code']], [403, 'function_needed']);
});

explaining.run();

const summing = suite('/api/policy/summary');

summing('is one page of a client, by those who are enrolled there', async () => {
  const { body } = must(await app.operator('otto', 'GET', '/api/policy/summary?tenant=acme'));
  const roles = body['roles'] as { role: string; agents: string[]; tasks: { task: string; way: string }[] }[];
  assert.equal(roles.map(({ role }) => role).toSorted(), ['documentation', 'network', 'triage']);
  const network = roles.find(({ role }) => role === 'network');
  assert.equal(
    [network?.agents, network?.tasks.map(({ task, way }) => `${task} ${way}`)],
    [['triage-bot'], ['firewall.change asks']],
  );
});

summing('of a tenant where one has no part is not there', async () => {
  assert.is((await app.operator('nils', 'GET', '/api/policy/summary?tenant=acme')).status, 404);
  assert.is((await app.operator('nils', 'GET', '/api/policy/summary')).status, 404);
});

summing.after(() => app.close());
summing.run();
