/** Breaking the glass: by two, or by one for containment and a quarter of an hour; heard of at once, ended by itself, looked at. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import type { Notice } from '../../src/core/channel.ts';
import { administered } from '../support/administrators.ts';
import { must } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { activate, byTwo, withMoreRoles } from '../support/oversight.ts';

const world = await administered();
const { app, node, as, close } = world;
const told: Notice[] = [];
const here = await node({
  channels: [{ name: 'webhook', reaches: () => true, tell: async (notice) => void told.push(notice) }],
});
await activate(world, await withMoreRoles());

const glass = suite('break glass');
glass.after(close);

const inMinutes = (minutes: number): string => new Date(app.deps.clock() + minutes * 60_000).toISOString();
const BODY = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'emergency' };
const WHY = { 'brevet-reason': encodeURIComponent('Ransomware at the front desk') };

const give = async (body: object, headers: Record<string, string> = WHY, who = 'ada'): Promise<Answer> =>
  here.call('POST', '/api/assignments', { token: await world.token(who), body: { ...BODY, ...body }, headers });
const reviewsOf = async (who = 'otto') =>
  must(await as(who, 'GET', '/api/reviews?open=true')).body['items'] as Record<string, unknown>[];
const isolate = async (): Promise<unknown> => {
  const body = {
    task: 'endpoint.isolate',
    resource: 'tickets',
    parameters: { endpoint: 'front-desk', severity: 'critical' },
    reason: 'It encrypts files',
    trigger: { kind: 'alert', reference: 'A-1' },
  };
  const asked = await here.call('POST', '/t/acme/requests', { token: await app.session('triage-bot'), body });
  return asked.body['code'] ?? 'decided';
};
const over = async (): Promise<void> => {
  await app.sql(`update assignments set until = 1 where role like 'emergency%'`);
  await app.sql(`update reviews set done_by = 'x', done_at = 1, words = 'w' where done_at is null`);
  for (const { deps } of [app, here]) deps.store.forget('acme' as never);
};
glass.after.each(over);

for (const [what, body, headers, code] of [
  ['no reason', { until: inMinutes(10) }, {}, 'invalid_field'],
  ['no end', {}, WHY, 'invalid_field'],
  ['an end that is far', { until: inMinutes(300) }, WHY, 'invalid_field'],
  ['more than a quarter of an hour, by one', { until: inMinutes(20) }, WHY, 'takes_two_persons'],
  ['more than containment, by one', { role: 'emergency-network', until: inMinutes(10) }, WHY, 'takes_two_persons'],
] as const) {
  glass(`is refused with ${what}`, async () => {
    assert.is((await give(body, headers)).body['code'], code);
    assert.is(await isolate(), 'no_role');
    assert.equal(await reviewsOf(), []);
  });
}

glass('by one is for containment, heard of by the others at once, and over by itself', async () => {
  told.length = 0;
  assert.is(await isolate(), 'no_role');
  must(await give({ until: inMinutes(10) }));
  assert.is.not(await isolate(), 'no_role');
  await watch(here.deps);
  const heard = told.find(({ facts }) => facts['kind'] === 'glass_broken');
  assert.is(heard?.subject, 'The glass was broken at acme: triage-bot has emergency');
  assert.equal(heard?.facts['tell'], ['alan', 'anna', 'otto', 'tess']);
  assert.is(heard?.facts['reason'], 'Ransomware at the front desk');
  await app.sql(`update assignments set until = brevet_now() - 1 where role = 'emergency'`);
  here.deps.store.forget('acme' as never);
  assert.is(await isolate(), 'no_role');
});

glass('by one is not renewed by the same before somebody has looked', async () => {
  must(await give({ until: inMinutes(10) }));
  assert.is((await give({ until: inMinutes(12) })).body['code'], 'takes_two_persons');
  must(await give({ until: inMinutes(12) }, WHY, 'alan'));
});

glass('stays on the list until another has looked, and not before it is over', async () => {
  must(await give({ until: inMinutes(10) }));
  const [review] = await reviewsOf();
  assert.equal([review?.['what'], review?.['opened_by'], review?.['not_by']], ['break_glass', 'ada', ['ada']]);
  const done = (who = 'otto') =>
    as(who, 'POST', `/api/reviews/${String(review?.['id'])}/done`, { words: 'One endpoint, rightly' });
  assert.is((await done()).body['code'], 'review_over', 'it goes on');
  await app.sql(`update reviews set "from" = 1`);
  assert.is((await done('ada')).status, 404, 'it is oversight’s');
  must(await done());
  assert.is((await done()).body['code'], 'review_over');
  assert.equal(await reviewsOf(), []);
  const [kept] = must(await as('otto', 'GET', '/api/reviews')).body['items'] as Record<string, unknown>[];
  assert.equal([kept?.['done_by'], kept?.['words']], ['otto', 'One endpoint, rightly']);
});

glass('by two is for anything that the role carries, and both had a hand in it', async () => {
  const body = { ...BODY, role: 'emergency-network', until: inMinutes(60) };
  await byTwo(world, { act: 'assignment.put', body });
  const [review] = await reviewsOf();
  assert.equal(review?.['not_by'], ['ada', 'alan']);
  assert.is(review?.['reason'], 'For a test');
});

glass.run();
