/** What a client's own contact hears: of which tiers, at once or once a day. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Notice } from '../../src/core/channel.ts';
import type { AgentName, TaskName, TenantName } from '../../src/core/ids.ts';
import { NO_CONTEXT } from '../../src/core/registers.ts';
import { instant, toRfc3339 } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import { digestInWords, digestWork } from '../../src/approve/digest.ts';
import { watch } from '../../src/broker.ts';
import { must, PERMITTED, PUBLISHED, TERMS, testApp } from '../support/app.ts';
import { deciding } from '../support/deciding.ts';
import { HOSTILE, hides } from '../support/notices.ts';

const heard: Notice[] = [];
/** At the end of the port: what mail would be sent, and to whom. */
const mailbox = {
  name: 'mail',
  reaches: () => true,
  tell: async (notice: Notice) => void heard.push(notice),
} as const;
const app = await testApp({ channels: [mailbox] });

const wants = async (told: object | null): Promise<void> => {
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', { autonomy: 'autonomous', terms: TERMS, told }));
};
const ask = async (body: object): Promise<void> => {
  must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body }));
};
const pass = async (): Promise<void> => {
  await app.sql('update work set due = 0');
  await watch(app.deps);
};
const toClient = (): readonly Notice[] => heard.filter(({ audience }) => audience === 'client');
const waiting = () =>
  app.sql<{ id: string; what: { from: Instant; until: Instant } }>(
    `select id, what from work where what ->> 'task' = 'digest'`,
  );

const digests = suite('approve/digest');
digests.before.each(async () => {
  heard.splice(0);
  await app.sql('delete from work');
});

const CONTACT = { address: 'it@acme.example' };

digests('a contact who wants to hear at once hears of those tiers, and of no other', async () => {
  await wants({ tiers: [2], how: 'at_once', ...CONTACT });
  await ask(PERMITTED);
  await ask(PUBLISHED);
  await pass();
  assert.equal(
    toClient().map(({ subject, to }) => [subject, to.map(({ address }) => address)]),
    [['Done for you: kb.publish', ['it@acme.example']]],
  );
});

digests('a contact hears of what a person approved, and that one did', async () => {
  await wants({ tiers: [3], how: 'at_once', ...CONTACT });
  const { ask: propose, say, redeem } = await deciding(app, ['paula']);
  const asked = await propose();
  assert.is(await say('paula', asked), 'approved');
  await pass();
  assert.equal(toClient(), [], 'nothing was done yet');
  must(await redeem(asked));
  await pass();
  const [told] = toClient();
  assert.is(told?.subject, 'Done for you: firewall.change');
  assert.ok(told?.lines.some(({ text }) => text.includes('after a person at your provider agreed')));
});

digests('one who wants nothing hears nothing', async () => {
  await wants(null);
  await ask(PERMITTED);
  await pass();
  assert.equal(toClient(), []);
});

digests('one who wants it daily hears once, of all that was done in the day', async () => {
  await wants({ tiers: [1, 2], how: 'daily', ...CONTACT });
  await ask(PERMITTED);
  await ask(PERMITTED);
  await ask(PUBLISHED);
  const [work, ...more] = await waiting();
  assert.ok(work);
  assert.is(more.length, 0, 'one for the day');
  assert.ok(work.what.until > Date.now() && work.what.until - work.what.from === 86_400_000);
  await pass();
  const [digest, ...others] = toClient();
  assert.ok(digest);
  assert.is(others.length, 0);
  assert.match(digest.subject, /^Done for you by agents: \d+ in a day$/);
  const tasks = digest.lines.filter(({ text }) => text.includes(' by triage-bot'));
  assert.ok(tasks.length >= 3);
  assert.is(digest.link, null);
  assert.is((await waiting()).length, 0);
});

digests('one who wants no digest any more gets none', async () => {
  await wants({ tiers: [1], how: 'daily', ...CONTACT });
  await ask(PERMITTED);
  await wants({ tiers: [1], how: 'at_once', ...CONTACT });
  heard.splice(0);
  await pass();
  assert.equal(toClient(), []);
  assert.is((await waiting()).length, 0);
});

const REFUSED: readonly (readonly [what: string, told: object])[] = [
  ['no tier', { tiers: [], how: 'daily', ...CONTACT }],
  ['a tier that there is not', { tiers: [4], how: 'daily', ...CONTACT }],
  ['another way', { tiers: [1], how: 'hourly', ...CONTACT }],
  ['no address', { tiers: [1], how: 'daily', address: 'nobody' }],
  ['two addresses', { tiers: [1], how: 'daily', address: 'a@b.example, c@d.example' }],
];

for (const [what, told] of REFUSED) {
  digests(`refused: ${what}`, async () => {
    const answer = await app.operator('ada', 'PUT', '/api/tenants/acme/context', { told });
    assert.is(answer.body['code'], 'invalid_field', answer.text);
  });
}

digests('a context shows whom it tells', async () => {
  const told = { tiers: [2, 3], how: 'daily', ...CONTACT };
  await wants(told);
  assert.equal(must(await app.operator('ada', 'GET', '/api/tenants/acme/context')).body['told'], told);
});

const tenantIn = (timeZone: string) => ({
  name: 'acme' as TenantName,
  displayName: 'Acme',
  context: { ...NO_CONTEXT, timeZone },
});

const DAYS: readonly (readonly [zone: string, now: string, until: string])[] = [
  ['UTC', '2026-11-02T06:59:59Z', '2026-11-02T07:00:00.000Z'],
  ['UTC', '2026-11-02T07:00:00Z', '2026-11-03T07:00:00.000Z'],
  ['Europe/Zurich', '2026-11-02T05:00:00Z', '2026-11-02T06:00:00.000Z'],
  ['America/Chicago', '2026-11-02T09:00:00Z', '2026-11-02T13:00:00.000Z'],
  // Clocks go back in the night before.
  ['Europe/Zurich', '2026-10-24T12:00:00Z', '2026-10-25T06:00:00.000Z'],
];

for (const [zone, now, until] of DAYS) {
  digests(`a day that is asked about at ${now} in ${zone} ends at ${until}, by the client’s clock`, () => {
    const at = instant(Date.parse(now));
    const { id, due, what } = digestWork(tenantIn(zone), at);
    assert.ok(what.task === 'digest');
    assert.is(toRfc3339(what.until), until);
    assert.is(due - what.until, 300_000);
    assert.match(id, /^wrk_[0-9a-z]{26}$/);
    assert.is(digestWork(tenantIn(zone), instant(at + 1)).id === id, Date.parse(now) + 1 < what.until);
  });
}

digests('shows what an agent wrote as its own, bounded, and says what it left out', () => {
  const lease = {
    agent: 'net-bot' as AgentName,
    task: 'ticket.route' as TaskName,
    resource: HOSTILE.repeat(50),
    tier: 1,
    openedAt: instant(0),
    state: 'revoked',
    outcome: { outcome: 'succeeded', summary: HOSTILE, evidence: [] },
  } as const;
  const day = { from: instant(0), until: instant(86_400_000), address: 'it@acme.example', leases: [lease], count: 51 };
  const { lines } = digestInWords(day, { id: 'wrk_1', tenant: tenantIn('UTC'), at: instant(0) });
  assert.ok(lines.every(({ text, label }) => !hides(text) && !hides(label)));
  const theirs = lines.filter(({ text }) => text.includes('evil.example'));
  assert.ok(theirs.length === 1 && theirs.every(({ words }) => words === 'agent'));
  assert.ok(lines.some(({ text }) => text.endsWith('the agent says it succeeded')));
  assert.equal(lines.at(-1), { label: 'And', text: '50 more, which your provider can list', words: 'brevet' });
});

digests.after(() => app.close());
digests.run();
