import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../src/core/ids.ts';
import { seconds } from '../../src/core/time.ts';
import { passTime } from '../../src/approve/pass-time.ts';
import { ahead, testApp } from '../support/app.ts';
import { deciding } from '../support/deciding.ts';
import type { Waiting } from '../support/deciding.ts';

const app = await testApp();
const { ask, say, stateOf, redeem } = await deciding(app);
const later = await app.node({ deps: ahead(() => 20 * 60_000) });

/** Its work, claimed as a sweeper would. */
async function claimed({ approval }: Waiting) {
  await app.sql(`update work set due = 0 where what->>'approval' = '${approval}'`);
  const work = await app.deps.store.claim(100, 10, seconds(60));
  const found = work.filter(({ what }) => what.task === 'approval' && what.approval === approval);
  const [piece] = found;
  if (piece?.what.task !== 'approval') throw new Error('nothing watches over its time');
  return { what: piece.what, fence: { work: piece.work, attempt: piece.attempt } };
}

const kindsOf = async ({ request }: Waiting) =>
  (await app.sql<{ kind: string }>(`select kind from entries where request = '${request}' order by at, id`)).map(
    ({ kind }) => kind,
  );

const time = suite('what time does to an approval');

time('is to ask the next, in a step that is told, and once, whoever looks', async () => {
  const waiting = await ask();
  const { what, fence } = await claimed(waiting);
  const passed = await Promise.all([passTime(later.deps, what, fence), passTime(later.deps, what, fence)]);
  // One that looked after the other had written found a step whose time has not come.
  assert.ok(passed.some(({ dead }) => dead));
  const kept = await app.deps.store.approval('acme' as TenantName, waiting.approval);
  assert.is(kept?.step, 1);
  assert.equal((await kindsOf(waiting)).filter((kind) => kind === 'approval.escalated').length, 1);
  const next = await app.sql(`select id from work where what->>'approval' = '${waiting.approval}'`);
  assert.is(next.length, 1, 'the end of that step is watched over');
});

time('is nothing at the hand of an attempt that another has taken over from', async () => {
  const waiting = await ask();
  const before = await claimed(waiting);
  await app.sql('update work set held_until = 0');
  const { what, fence } = await claimed(waiting);
  assert.ok((await passTime(later.deps, what, before.fence)).dead);
  assert.is((await app.deps.store.approval('acme' as TenantName, waiting.approval))?.step, 0);
  assert.ok((await passTime(later.deps, what, fence)).dead);
  assert.is((await app.deps.store.approval('acme' as TenantName, waiting.approval))?.step, 1);
});

time('is nothing before a step is over', async () => {
  const waiting = await ask();
  const { what, fence } = await claimed(waiting);
  const passed = await passTime(app.deps, what, fence);
  assert.not.ok(passed.dead);
  assert.is((await stateOf(waiting))['state'], 'pending');
});

time('is to end it unanswered, and what is said after that is not heard', async () => {
  const waiting = await ask();
  await app.sql(`update approvals set expires_at = 1, version = version + 1 where id = '${waiting.approval}'`);
  assert.is(await say('paula', waiting), 'approval_over');
  const { what, fence } = await claimed(waiting);
  assert.ok((await passTime(app.deps, what, fence)).dead);
  assert.is((await stateOf(waiting))['state'], 'expired');
  assert.ok((await kindsOf(waiting)).includes('approval.expired'));
  const [asks] = await app.sql<{ n: string }>(`select count(*) as n from asks where approval = '${waiting.approval}'`);
  assert.is(Number(asks?.n), 0);
});

time('is to end a yes that nobody came for', async () => {
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  await app.sql(`update approvals set redeem_by = 1, version = version + 1 where id = '${waiting.approval}'`);
  assert.is((await redeem(waiting)).body['code'], 'approval_over');
  const { what, fence } = await claimed(waiting);
  await passTime(app.deps, what, fence);
  const kept = await app.deps.store.approval('acme' as TenantName, waiting.approval);
  assert.is(kept?.state, 'expired');
});

time.after(() => app.close());
time.run();
