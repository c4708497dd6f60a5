/** Verdicts: by a person who oversees, in no conflict, on what is over; apart from what the agent says of its own work. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LeaseId, TenantName } from '../../src/core/ids.ts';
import { giveVerdict } from '../../src/oversee/verdicts.ts';
import { administered } from '../support/administrators.ts';
import { agentBody, must, PERMITTED } from '../support/app.ts';
import { callerOf, deciding, part } from '../support/deciding.ts';
import { byTwo, oversees } from '../support/oversight.ts';

const world = await administered();
const { app, as, close } = world;
const ACME = 'acme' as TenantName;

const verdicts = suite('verdicts');
verdicts.after(close);

async function lease(): Promise<string> {
  const body = { token: await app.session('triage-bot'), body: PERMITTED };
  return (must(await app.call('POST', '/t/acme/requests', body)).body['lease'] as { id: string }).id;
}

async function finished(): Promise<string> {
  const id = await lease();
  const body = { outcome: 'succeeded', summary: 'done' };
  must(await app.call('POST', `/t/acme/leases/${id}/complete`, { token: await app.session('triage-bot'), body }));
  return id;
}

const GOOD = { verdict: 'false_positive', reference: 'INC-7' };
const judge = (id: string, who = 'otto', body: object = GOOD, tenant = 'acme') =>
  as(who, 'POST', `/t/${tenant}/leases/${id}/verdict`, body);

verdicts('stand beside the outcome, are only added to, and are in the story of their lease', async () => {
  const id = await finished();
  const given = must(await judge(id));
  assert.equal([given.status, given.body['verdict'], given.body['by']], [201, 'false_positive', 'otto']);
  must(await judge(id, 'otto', { verdict: 'caused_incident', reference: 'INC-8' }));
  const seen = must(await as('otto', 'GET', `/t/acme/leases/${id}`)).body;
  assert.is(seen['outcome'], 'succeeded', 'the agent’s own, as it was');
  const all = seen['verdicts'] as { verdict: string }[];
  assert.equal(
    all.map(({ verdict }) => verdict),
    ['false_positive', 'caused_incident'],
  );
  const { steps } = must(await as('otto', 'GET', `/t/acme/leases/${id}/timeline`)).body as {
    steps: { kind: string }[];
  };
  assert.is(steps.filter(({ kind }) => kind === 'lease.judged').length, 2);
  const own = must(await app.call('GET', `/t/acme/leases/${id}`, { token: await app.session('triage-bot') })).body;
  assert.not('verdicts' in own);
});

for (const [who, body, code] of [
  ['ada', GOOD, 'function_needed'],
  ['otto', { ...GOOD, verdict: 'fine' }, 'invalid_field'],
  ['otto', { verdict: 'correct' }, 'invalid_field'],
  ['otto', { ...GOOD, outcome: 'failed' }, 'unknown_field'],
] as const) {
  verdicts(`are refused to ${who} with ${JSON.stringify(body)}: ${code}`, async () => {
    const id = await finished();
    assert.is((await judge(id, who, body)).body['code'], code);
    assert.equal(must(await as('otto', 'GET', `/t/acme/leases/${id}`)).body['verdicts'], []);
  });
}

verdicts('are not for a local token, nor for the agent', async () => {
  const id = await finished();
  const local = await app.operator('otto', 'POST', `/t/acme/leases/${id}/verdict`, GOOD);
  assert.is(local.body['code'], 'local_token_refused');
  const token = await app.session('triage-bot');
  const own = await app.call('POST', `/t/acme/leases/${id}/verdict`, { token, body: GOOD });
  assert.is(own.body['code'], 'unauthenticated');
});

verdicts('come once it is over', async () => {
  const id = await lease();
  assert.equal([(await judge(id)).status, (await judge(id)).body['code']], [409, 'not_finished']);
});

verdicts('do not tell whether a lease is at another tenant', async () => {
  const id = await finished();
  const elsewhere = await judge(id, 'otto', GOOD, 'birch');
  const nowhere = await judge(
    id.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    'otto',
    GOOD,
    'birch',
  );
  assert.equal([elsewhere.status, elsewhere.body['code']], [404, 'not_found']);
  assert.equal(elsewhere.body['detail'], nowhere.body['detail']);
});

verdicts('are refused to who approved it, though they oversee there since', async () => {
  const { ask, say, redeem } = await deciding(app, ['paula']);
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  const id = String(part(must(await redeem(waiting)), 'lease')['id']);
  const body = { outcome: 'succeeded', summary: 'done' };
  must(await app.call('POST', `/t/acme/leases/${id}/complete`, { token: await app.session('triage-bot'), body }));
  await becomes('paula', 'overseer');
  const byPaula = async (of: string): Promise<string> => {
    const [at, lease] = [await app.deps.store.snapshot(ACME), await app.deps.store.lease(ACME, of as LeaseId)];
    if (at === null || lease === null) throw new Error('there is none');
    const given = await giveVerdict(app.deps, callerOf('paula'), { at, lease }, { body: GOOD, claim: null });
    return given.ok ? given.value.verdict.verdict : given.error.code;
  };
  assert.is(await byPaula(id), 'in_conflict');
  assert.is(await byPaula(await finished()), 'false_positive');
  must(await judge(id, 'otto'));
});

async function becomes(person: string, role: string): Promise<void> {
  const { items } = must(await as('ada', 'GET', '/api/assignments?tenant=acme')).body;
  const held = (items as { id: string; holder: { person?: string } }[]).find(({ holder }) => holder.person === person);
  must(await as('ada', 'DELETE', `/api/assignments/${String(held?.id)}`));
  await oversees(world, person, role);
  await byTwo(world, { act: 'operator.put', name: person, body: { person } });
  app.deps.store.forget(ACME);
}

verdicts('are refused to its owner, to who owned it of late, and to its deputy', async () => {
  const id = await finished();
  for (const [owner, deputy] of [
    ['otto', 'dana'],
    ['olga', 'dana'],
    ['olga', 'otto'],
  ]) {
    must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ owner, deputy })));
    const refused = await judge(id);
    assert.equal([refused.status, refused.body['code']], [403, 'in_conflict'], `${owner} ${deputy}`);
  }
  assert.equal(must(await as('otto', 'GET', `/t/acme/leases/${id}`)).body['verdicts'], []);
});

verdicts.run();
