import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { agentBody, must, PERMITTED, testApp } from '../support/app.ts';

const app = await testApp();

const PATH = '/api/tenants/acme/acceptances/triage-bot';
const GOOD = { model_version: '3.1', tasks: ['ticket.route'], reason: 'A quiet year' };

const ask = async () =>
  app.call('POST', '/t/acme/requests', { token: await app.session('triage-bot'), body: PERMITTED });
const statusOf = async () => (await ask()).status;

const acceptances = suite('http/acceptances');

const REFUSED: readonly (readonly [what: string, path: string, body: object, status: number, code: string])[] = [
  ['a version that is not registered', PATH, { ...GOOD, model_version: '4' }, 409, 'version_conflict'],
  ['a task class that is not there', PATH, { ...GOOD, tasks: ['ticket.burn'] }, 404, 'not_found'],
  ['no task class', PATH, { ...GOOD, tasks: [] }, 400, 'invalid_field'],
  ['no reason', PATH, { ...GOOD, reason: '' }, 400, 'invalid_field'],
  ['an author of one’s own choice', PATH, { ...GOOD, authors: ['ada', 'olga'] }, 400, 'unknown_field'],
  ['an agent that is not enrolled here', PATH.replace('triage-bot', 'birch-bot'), GOOD, 404, 'not_found'],
  ['a tenant that is not there', PATH.replace('acme', 'nowhere'), GOOD, 404, 'not_found'],
];

for (const [what, path, body, status, code] of REFUSED) {
  acceptances(`refuse ${what}`, async () => {
    const answer = await app.operator('ada', 'PUT', path, body);
    assert.equal([answer.status, answer.body['code']], [status, code]);
  });
}

acceptances('are no business of oversight', async () => {
  assert.is((await app.operator('otto', 'PUT', PATH, GOOD)).status, 403);
  assert.is((await app.operator('otto', 'DELETE', PATH)).status, 403);
});

acceptances('say who answered, for what, and that it was in set-up', async () => {
  must(await app.operator('ada', 'PUT', PATH, { ...GOOD, tasks: ['ticket.route', 'kb.draft', 'ticket.route'] }));
  const shown = must(await app.operator('ada', 'GET', PATH)).body;
  assert.equal(shown, {
    tenant: 'acme',
    agent: 'triage-bot',
    model: 'planner',
    tasks: ['kb.draft', 'ticket.route'],
    reason: 'A quiet year',
    authors: ['ada'],
    model_version: '3.1',
    in_setup: true,
  });
  const list = must(await app.operator('ada', 'GET', '/api/tenants/acme/acceptances'));
  assert.equal((list.body['items'] as { agent: string }[]).map(({ agent }) => agent).toSorted(), [
    'report-bot',
    'triage-bot',
  ]);
});

acceptances('lift the probation of what they name, until the model is another', async () => {
  must(await app.operator('ada', 'PUT', PATH, { ...GOOD, tasks: ['kb.draft'] }));
  assert.is(await statusOf(), 202);
  must(await app.operator('ada', 'PUT', PATH, GOOD));
  assert.is(await statusOf(), 201);
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ model_version: '3.2' })));
  assert.is(await statusOf(), 202);
  must(await app.operator('ada', 'PUT', PATH, { ...GOOD, model_version: '3.2' }));
  assert.is(await statusOf(), 201);
});

acceptances('end what was issued without a probation when they are taken back', async () => {
  const made = must(await ask());
  const { id } = made.body['lease'] as { id: string };
  must(await app.operator('ada', 'DELETE', PATH));
  assert.is(await statusOf(), 202);
  await app.sql(`update work set due = 0 where what ->> 'task' = 'cascade'`);
  await sweep(app.deps);
  const lease = must(await app.call('GET', `/t/acme/leases/${id}`, { token: await app.session('triage-bot') }));
  assert.is(lease.body['state'], 'revoked');
  assert.is((await app.operator('ada', 'GET', PATH)).status, 404);
  assert.is((await app.operator('ada', 'DELETE', PATH)).status, 404);
});

acceptances.after(() => app.close());
acceptances.run();
