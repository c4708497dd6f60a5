/** Telling through real hosts: the next channel where one fails, in order, and asking where nobody could be told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { slackChannel } from '../../src/channels/slack.ts';
import { webhookChannel } from '../../src/channels/webhook.ts';
import type { NewWork } from '../../src/core/change.ts';
import type { AgentName, ApprovalId, PersonName, TaskName, TenantName } from '../../src/core/ids.ts';
import type { NoticeFacts } from '../../src/core/notice.ts';
import { Secret } from '../../src/core/secret.ts';
import { instant } from '../../src/core/time.ts';
import { noticeWork } from '../../src/approve/tell.ts';
import { watch } from '../../src/broker.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { ahead, PUBLISHED, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { deciding } from '../support/deciding.ts';
import { fails, startReceiver, takes } from '../support/receiver.ts';

const [slack, hook] = [await startReceiver(), await startReceiver()];
const request = guardedRequest({ privateHosts: ['127.0.0.1'] });
const SECRET = new Secret(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
const channels = [
  slackChannel(new Secret(slack.url), request),
  webhookChannel({ url: new Secret(hook.url), secret: SECRET, request, clock: () => instant(Date.now()) }),
];
const app = await testApp({ channels });
const ACME = 'acme' as TenantName;
const MINUTES = 60_000;

const facts = (kind: 'asked' | 'expired', approval: string): NoticeFacts => {
  const ask = {
    agent: 'triage-bot' as AgentName,
    task: 'firewall.change' as TaskName,
    tier: 3,
    resource: 'tickets',
    reason: 'Telnet is open',
  };
  const of = { approval: approval as ApprovalId, ask, tell: ['paula' as PersonName] };
  return kind === 'asked'
    ? { kind, step: 'account-engineer', until: instant(Date.now() + 900_000), ...of }
    : { kind, ...of };
};

/** As a commit enqueues it. */
async function enqueue(work: readonly NewWork[]): Promise<void> {
  for (const { id, due, what } of work) {
    const text = JSON.stringify(what).replaceAll("'", "''");
    await app.sql(`insert into work (id, tenant, what, due) values ('${id}', 'acme', '${text}', ${due})`);
  }
}

const pass = async (node: TestNode = app): Promise<void> => {
  await app.sql('update work set due = 0');
  await watch(node.deps);
};
const waiting = async (): Promise<number> => {
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from work where what ->> 'task' = 'notice'`);
  return Number(row?.n);
};
const entries = async (kind: string): Promise<readonly Record<string, unknown>[]> => {
  const rows = await app.sql<{ text: string }>(`select text from entries where kind = '${kind}' order by at, id`);
  return rows.map(({ text }) => (JSON.parse(text) as { facts: Record<string, unknown> }).facts);
};
const publish = async (node: TestNode = app): Promise<Answer> =>
  node.call('POST', '/t/acme/requests', { token: await app.session(), body: PUBLISHED });
const stateOf = async (name: string) => (await app.deps.store.channels()).find((one) => one.name === name);

const telling = suite('approve/tell');
telling.before.each(async () => {
  [slack.answer, hook.answer] = [takes, takes];
  slack.received.splice(0);
  hook.received.splice(0);
  await app.sql('delete from work');
});

telling('goes through the first channel that takes it, and through no other', async () => {
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_first')));
  await pass();
  assert.equal([slack.received.length, hook.received.length, await waiting()], [1, 0, 0]);
  const [told] = (await entries('notice.told')).slice(-1);
  assert.equal(told, {
    notice: 'asked',
    channel: 'slack',
    audience: 'team',
    attempt: 1,
    about: 'apr_first',
  });
});

telling('goes through the next where one fails, and that is seen', async () => {
  slack.answer = fails;
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_next')));
  await pass();
  assert.equal([slack.received.length, hook.received.length, await waiting()], [1, 1, 0]);
  const failing = await stateOf('slack');
  assert.ok(failing);
  assert.is(failing.why, 'answered 503');
  assert.ok(failing.failingSince !== null && failing.toldAt !== null);
  assert.equal([(await stateOf('webhook'))?.failingSince, (await stateOf('webhook'))?.why], [null, null]);
  slack.answer = takes;
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_again')));
  await pass();
  assert.equal([(await stateOf('slack'))?.failingSince, (await stateOf('slack'))?.why], [null, null]);
});

telling('logs what waits by its kind, and nothing of what it says', async () => {
  [slack.answer, hook.answer] = [fails, fails];
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_logged')));
  const from = app.logged.length;
  await pass();
  const lines = app.logged.slice(from).filter((line) => line.includes('work.deferred'));
  assert.is(lines.length, 1);
  assert.match(lines[0] ?? '', /"task":"notice","tenant":"acme","notice":"asked"/);
  assert.not.match(lines[0] ?? '', /Telnet is open|paula/);
});

telling('keeps saying since when a channel fails', async () => {
  slack.answer = fails;
  const since = async () => {
    await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_since')));
    await pass();
    return (await stateOf('slack'))?.failingSince;
  };
  assert.is(await since(), await since());
});

telling('asks nobody any more for what was decided while no channel took it', async () => {
  [slack.answer, hook.answer] = [fails, fails];
  const { ask, say } = await deciding(app, ['paula']);
  const asked = await ask();
  await pass();
  assert.is(await waiting(), 1);
  assert.is(await say('paula', asked), 'approved');
  [slack.answer, hook.answer] = [takes, takes];
  slack.received.splice(0);
  await pass();
  await pass();
  const subjects = slack.received.map(({ body }) => (JSON.parse(body) as { text: string }).text);
  assert.equal([subjects.length, await waiting()], [1, 0]);
  assert.match(subjects[0] ?? '', 'was approved');
});

telling('is tried until one takes it, in order for one thing', async () => {
  [slack.answer, hook.answer] = [fails, fails];
  const order = (nth: number) => ({ order: { of: 'apr_order', nth } });
  await enqueue(noticeWork(app.deps, ACME, facts('expired', 'apr_order'), order(2)));
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_order'), order(1)));
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_other'), { order: { of: 'apr_other', nth: 5 } }));
  await pass();
  assert.equal([slack.received.length, await waiting()], [2, 3], 'the second of the one waits for its first');
  slack.answer = takes;
  slack.received.splice(0);
  await pass();
  await pass();
  const subjects = slack.received.map(({ body }) => (JSON.parse(body) as { text: string }).text);
  const mine = subjects.filter((text) => !text.includes('other'));
  assert.is(await waiting(), 0);
  assert.match(mine.at(-1) ?? '', 'was not answered in time');
  assert.is(subjects.length, 3);
});

telling('past its time asks at that client until somebody can be told', async () => {
  const later = await app.node({ channels, deps: ahead(() => 16 * MINUTES) });
  assert.is((await publish()).status, 201);
  [slack.answer, hook.answer] = [fails, fails];
  await pass();
  assert.is((await publish()).status, 201, 'it is not late yet');
  await pass(later);
  const asked = await publish();
  assert.is(asked.status, 202, asked.text);
  const { execution } = asked.body['decision'] as { execution: { raised: object[] } };
  assert.equal(execution.raised, [{ to: 3, because: 'notices_late' }]);
  const late = await entries('notice.late');
  assert.equal(
    late.map(({ task }) => task),
    ['kb.publish'],
  );
  await pass(later);
  assert.is((await entries('notice.late')).length, 1, 'once');
  hook.answer = takes;
  await pass(later);
  assert.is(await waiting(), 0);
  assert.equal(await entries('notice.caught_up'), [{ task: 'kb.publish' }]);
  assert.is((await publish()).status, 201);
});

telling('asks for that task class and at that client alone', async () => {
  await app.sql(`insert into late_notices values ('birch', 'kb.publish', 1), ('acme', 'ticket.close', 1)`);
  await app.sql(`update tenants set epoch = epoch + 1`);
  assert.is((await publish()).status, 201);
  await app.sql('delete from late_notices');
});

telling('says nothing twice to the ledger, whoever of two attempts is late', async () => {
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_twice')));
  const [claimed] = await app.deps.store.claim(1, 1, 60 as never);
  assert.ok(claimed);
  const before = (await entries('notice.told')).length;
  const fence = { work: claimed.work, attempt: claimed.attempt - 1 };
  const { makeEntry } = await import('../../src/core/entry.ts');
  const entry = makeEntry(
    {
      tenant: ACME,
      kind: 'notice.told',
      at: instant(Date.now()),
      actor: { kind: 'broker', name: 'a' },
      accountable: null,
      inSetup: false,
      facts: {},
    },
    app.deps.random,
  );
  const done = await app.deps.store.commit({ kind: 'notice.told', tenant: ACME, fence }, [entry]);
  assert.equal(done, { ok: false, error: { unmet: 'fenced' } });
  assert.is((await entries('notice.told')).length, before);
  assert.is(await waiting(), 1);
});

telling('drops what an older version enqueued in a form that is no more', async () => {
  await app.sql(`insert into work (id, tenant, what, due) values ('wrk_old', 'acme',
    '{"task":"notice","tenant":"acme","notice":{"agent":"x"},"lease":null}', 0)`);
  await pass();
  assert.equal([await waiting(), slack.received.length], [0, 0]);
});

telling('keeps no more of an agent’s words than it shows', () => {
  const long = facts('asked', 'apr_long');
  assert.ok('ask' in long);
  const words = 'x'.repeat(100_000);
  const [work] = noticeWork(app.deps, ACME, { ...long, ask: { ...long.ask, reason: words, resource: words } });
  assert.ok(JSON.stringify(work).length < 2_000);
});

telling('is no work where there is no channel', async () => {
  const silent = await app.node();
  assert.equal(noticeWork(silent.deps, ACME, facts('asked', 'apr_silent')), []);
});

telling('shows no webhook’s URL, in a log, an entry or a row', async () => {
  slack.answer = fails;
  await enqueue(noticeWork(app.deps, ACME, facts('asked', 'apr_secret')));
  hook.answer = fails;
  await pass();
  const rows = await app.sql(`select (select json_agg(e) from entries e) as e, (select json_agg(w) from work w) as w,
    (select json_agg(c) from channels c) as c`);
  assert.not.match(`${JSON.stringify(rows)} ${app.logged.join(' ')}`, 's3cr3t-path');
});

telling.after(async () => {
  await app.close();
  await Promise.all([slack.stop(), hook.stop()]);
});
telling.run();
