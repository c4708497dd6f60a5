/** Reviews: opened by oversight, done in words by another, who had no part in what they are about. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { administered } from '../support/administrators.ts';
import { agentBody, must, PERMITTED } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { tessOversees } from '../support/oversight.ts';

const world = await administered();
const { app, as, close } = world;
await tessOversees(world);

const reviews = suite('reviews');
reviews.after(close);

const lease = async (agent = 'triage-bot', tenant = 'acme'): Promise<string> => {
  const asked = { token: await app.session(agent, tenant), body: PERMITTED };
  return (must(await app.call('POST', `/t/${tenant}/requests`, asked)).body['lease'] as { id: string }).id;
};
const open = (body: object, who = 'otto'): Promise<Answer> =>
  as(who, 'POST', '/api/reviews', { tenant: 'acme', reason: 'An odd hour', ...body });
const done = (id: unknown, who: string, words = 'It was asked for'): Promise<Answer> =>
  as(who, 'POST', `/api/reviews/${String(id)}/done`, { words });

reviews('are done by another than who opened them, in words, once', async () => {
  const id = await lease();
  const review = must(await open({ lease: id })).body;
  assert.equal([review['what'], review['about'], review['not_by']], ['lease', id, ['otto']]);
  assert.is((await done(review['id'], 'otto')).body['code'], 'in_conflict');
  assert.is((await done(review['id'], 'tess', '')).body['code'], 'invalid_field');
  must(await done(review['id'], 'tess'));
  assert.equal([(await done(review['id'], 'tess')).status], [409]);
  const seen = must(await as('otto', 'GET', `/api/reviews/${String(review['id'])}`)).body;
  assert.equal([seen['done_by'], seen['words']], ['tess', 'It was asked for']);
  const { steps } = must(await as('otto', 'GET', `/t/acme/leases/${id}/timeline`)).body as {
    steps: { kind: string }[];
  };
  assert.ok(steps.some(({ kind }) => kind === 'review.opened'));
});

reviews('are not done by who answers for the agent', async () => {
  const review = must(await open({ lease: await lease() })).body;
  must(await as('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'tess' })));
  assert.is((await done(review['id'], 'tess')).body['code'], 'in_conflict');
  must(await as('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
  must(await done(review['id'], 'tess'));
});

reviews('of broken glass are not done by who had a part in any of what it gave, however much that was', async () => {
  const id = await lease();
  await app.sql(`
    insert into leases select (jsonb_populate_record(l, jsonb_build_object('id',
      'lse_' || substr(id, 5, 10) || lpad(n::text, 16, '0'), 'role', 'emergency', 'request', 'req_' || n,
      'mark', 'brevet_' || n, 'owner', case when n = 1 then 'tess' else owner end))).*
    from leases l, generate_series(1, 120) n where id = '${id}'`);
  const review = `rev_${'0'.repeat(26)}`;
  await app.sql(`
    insert into reviews (tenant, id, what, about, agent, role, opened_by, reason, at, "from", due, not_by)
    values ('acme', '${review}', 'break_glass', 'asn_0', 'triage-bot', 'emergency', 'ada', 'r', 1, brevet_now(), 9e14, '{ada}')`);
  assert.is((await done(review, 'tess')).body['code'], 'in_conflict');
  must(await done(review, 'otto'));
});

reviews('are oversight’s alone, and each one’s own tenants’', async () => {
  const review = must(await open({ tenant: 'birch', lease: await lease('birch-bot', 'birch') })).body;
  for (const who of ['tess', 'ada']) {
    assert.is((await as(who, 'GET', `/api/reviews/${String(review['id'])}`)).status, 404);
    assert.is((await done(review['id'], who)).status, 404);
    const { items } = must(await as(who, 'GET', '/api/reviews')).body as { items: { tenant: string }[] };
    assert.not(items.some(({ tenant }) => tenant === 'birch'));
  }
  assert.is((await open({ lease: await lease() }, 'ada')).status, 404);
  assert.is((await open({ lease: 'lse_x' })).body['path'], 'lease');
  assert.is((await open({ lease: await lease(), due: '2026-01-01T00:00:00Z' })).body['path'], 'due');
  const local = { tenant: 'acme', lease: await lease(), reason: 'r' };
  assert.is((await app.operator('otto', 'POST', '/api/reviews', local)).body['code'], 'local_token_refused');
});

reviews.run();
