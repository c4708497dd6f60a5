/**
 * What oversight takes back, and what it looks at, in a real browser: the click to which a notice leads, and the agent
 * that does what is ordered; broken glass, which ends by itself and stands on the list until somebody else has looked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import type { AgentLease } from '../../src/client/lease.ts';
import { BrevetRefused } from '../../src/client/error.ts';
import { fleet } from '../support/browser/fleet.ts';
import { look } from '../support/browser/look.ts';
import { activate, edited, startingBundle } from '../support/browser/policy.ts';
import { addPerson, confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';
import { startReceiver } from '../support/receiver.ts';

const receiver = await startReceiver();
const world = await startConsole({
  BREVET_WEBHOOK_URL: receiver.url,
  BREVET_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
});
const { ada, place } = world;
const agents = await fleet(world);
await addPerson(world, 'vera', 'Vera Figner');
await addPerson(world, 'dana', 'Dana Scully');
// dana is the deputy of every agent there, and oversees acme too.
for (const person of ['vera', 'dana']) await ada.assign({ tenant: 'acme', holder: { person }, role: 'overseer' });
await ada.put('/api/tenants/acme/acceptances/triage-bot', {
  model_version: '3.1',
  tasks: ['ticket.route', 'endpoint.isolate'],
  reason: 'They have worked with it for a year',
});
const bundle = edited(await startingBundle(), 'roles.yaml', [
  [
    'roles/emergency',
    {
      description: 'Cuts endpoints off in an emergency.',
      function: 'execution',
      break_glass: true,
      tasks: ['endpoint.isolate'],
      tenants: 'all',
      owner: 'security-lead',
      next_review: '2027-01-31',
    },
  ],
]);
await activate(world, {
  ...bundle,
  'rules/emergency.cedar': `@id("emergency-isolates-endpoints")
@reason("In an emergency an endpoint is cut off by whoever is there.")
permit (principal == Role::"emergency", action == Action::"perform", resource == Task::"endpoint.isolate");
`,
});

const clean = async (page: Page, name: string) => assert.equal(await look(page, name), []);
const main = (page: Page): Promise<string> => page.getByRole('main').innerText();
const [otto, vera, dana, paula, alan] = [
  await world.visitor(),
  await world.visitor(),
  await world.visitor(),
  await world.visitor(),
  await world.visitor(),
];
for (const [page, name] of [
  [otto, 'otto'],
  [vera, 'vera'],
  [dana, 'dana'],
  [paula, 'paula'],
  [alan, 'alan'],
] as const) {
  await signIn(page, name);
}
await enrol(paula, 'paula');
await confirmAll(alan);

interface Told {
  readonly type: string;
  readonly data: { readonly link: string | null; readonly [name: string]: unknown };
}

/** The first notice of that kind, once it was told. */
async function notice(kind: string): Promise<Told['data']> {
  for (;;) {
    const told = receiver.received
      .map(({ body }) => JSON.parse(body) as Told)
      .find(({ type }) => type === `notice.${kind}`);
    if (told !== undefined) return told.data;
    await pause(200);
  }
}

const emergency = suite('oversight');

emergency('is told of what was done at tier 2, and takes it back with one click; the agent does it', async () => {
  const bot = agents.at('acme', 'kb-bot');
  const lease = await bot.ask({
    task: 'kb.publish',
    resource: 'wiki',
    parameters: { article: 'kb-7' },
    reason: 'Eleven tickets of this week ask how the new phones forward <b>calls</b>',
    confidence: 0.82,
  });
  const { link } = await notice('acted');
  assert.is(link, `${place.url}/leases/acme/${lease.id}/reverse`);
  await otto.goto(`/leases/acme/${lease.id}/reverse`);
  await clean(otto, 'reversal');
  assert.match(await main(otto), /82 %/);
  await otto.getByRole('button', { name: 'Take it back' }).click();
  await otto.waitForURL(/done=reversed/);
  await otto.getByText('waits for the agent').waitFor();
  await clean(otto, 'reversal-ordered');
  const [order] = await agents.orders('kb-bot');
  if (order === undefined) throw new Error('nothing is ordered');
  assert.is(order.task, 'kb.unpublish');
  const { id, task, resource, parameters } = order;
  const back = await bot.ask({ task, resource, parameters, reason: 'Oversight has ordered it', order: id });
  const ended = await back.done({ outcome: 'succeeded', summary: 'The article is a draft again' });
  assert.is(ended.death, 'verified');
  assert.equal(await agents.orders('kb-bot'), []);
  // The page hears of it by itself.
  await otto.getByText('came for it').waitFor();
  await clean(otto, 'reversal-taken');
  await otto.goto(`/leases/acme/${lease.id}`);
  const story = await main(otto);
  for (const told of [/otto had it taken back/, /otto revoked it/, /Dead, and seen to be/]) assert.match(story, told);
  await otto.locator('summary', { hasText: 'Judge it' }).click();
  await otto.getByLabel('reversed').check();
  await otto.getByLabel('Where more of it stands').fill('INC-2041');
  await clean(otto, 'lease-judge');
  await otto.getByRole('button', { name: 'Write it down' }).click();
  await otto.waitForURL(/done=judged/);
  assert.match(await main(otto), /otto judged it: reversed/);
  await clean(otto, 'lease-judged');
});

emergency(
  'has what was taken back looked at by another than who clicked, and than who answers for the agent',
  async () => {
    for (const [page, told] of [
      [otto, /You cannot do this: you had a hand in what it is about/],
      [dana, /You cannot do this: you answer for kb-bot/],
    ] as const) {
      await page.goto('/reviews');
      await page.getByRole('link', { name: /What kb-bot did was taken back/ }).click();
      await page.getByText('Who, and why').waitFor();
      assert.match(await main(page), told);
    }
    await vera.goto('/');
    assert.match(await main(vera), /Webhook works/);
    await clean(vera, 'home-oversight');
    await vera.getByRole('link', { name: /What kb-bot did was taken back/ }).click();
    await vera
      .getByLabel('In your words, for the ledger')
      .fill('The article named a phone that nobody has.\nRightly taken back.');
    await clean(vera, 'review-reversal');
    await vera.getByRole('button', { name: 'I have looked at it' }).click();
    await vera.waitForURL(/done=reviewed/);
    assert.match(await main(vera), /Rightly taken back/);
  },
);

const ISOLATE = {
  task: 'endpoint.isolate',
  resource: 'workstations',
  parameters: { endpoint: 'front-desk-2', severity: 'critical' },
  reason: 'It encrypts files on the share',
  trigger: { kind: 'alert', reference: 'EDR-991' },
  // A yes is to exactly so long a life: it has to end before the glass is whole again.
  ttl: 20,
} as const;

/** Under broken glass too, an act of tier 3 is a person's to allow. */
async function isolated(): Promise<AgentLease> {
  const asking = agents.at('acme', 'triage-bot').ask(ISOLATE, { wait: 60 });
  const [lease] = await Promise.all([asking, allow()]);
  return lease;
}

async function allow(): Promise<void> {
  const link = paula.getByRole('link', { name: /endpoint\.isolate at acme/ }).first();
  do await paula.goto('/approvals');
  while ((await link.count()) === 0);
  await link.click();
  await paula.getByRole('button', { name: 'Approve exactly this' }).click();
  await paula.waitForURL(/done=approved/);
}

const refusalOf = async (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => 'given',
    (fault: unknown) => (fault instanceof BrevetRefused ? fault.code : String(fault)),
  );

/** Long enough for two acts that a person allows, and short enough to be waited for. */
const GLASS_MS = 75_000;

emergency('sees the glass broken, used and whole again by itself, and another person looks at it', async () => {
  const bot = agents.at('acme', 'triage-bot');
  assert.is(await refusalOf(bot.ask(ISOLATE)), 'no_role');
  const until = Date.now() + GLASS_MS;
  const response = await fetch(`${place.url}/api/assignments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ada.token}`,
      'content-type': 'application/json',
      'brevet-reason': encodeURIComponent('Ransomware at the front desk, the security desk is asleep'),
    },
    body: JSON.stringify({
      tenant: 'acme',
      holder: { agent: 'triage-bot' },
      role: 'emergency',
      until: new Date(until).toISOString(),
    }),
  });
  assert.is(response.status, 200, await response.text());
  const { link, tell } = await notice('glass_broken');
  assert.is(link, `${place.url}/reviews`);
  assert.equal(tell, ['alan', 'anna', 'dana', 'otto', 'vera']);
  const first = await isolated();
  const ended = await first.done({ outcome: 'succeeded', summary: 'front-desk-2 is cut off' });
  assert.is(ended.death, 'verified');
  const second = await isolated();
  await otto.goto('/reviews');
  await clean(otto, 'reviews');
  await otto.getByRole('link', { name: /The glass was broken: triage-bot had emergency/ }).click();
  await otto.getByText('What was done under it').waitFor();
  assert.match(await main(otto), /it is about is not over before/);
  await clean(otto, 'review-glass-goes-on');
  const page = otto.url();

  while (Date.now() <= until) await pause(500);
  assert.is(await refusalOf(bot.ask(ISOLATE)), 'no_role');
  await otto.goto(`/leases/acme/${second.id}`);
  await otto.getByText('Dead, and seen to be').waitFor();
  await dana.goto(page);
  assert.match(await main(dana), /You cannot do this: you answer for triage-bot/);
  assert.is(await dana.getByRole('button', { name: 'I have looked at it' }).count(), 0);
  assert.match(await main(dana), /for another person/);
  await clean(dana, 'review-glass-refused');
  await alan.goto('/reviews');
  assert.match(await main(alan), /you oversee nothing/);
  await otto.goto(page);
  await clean(otto, 'review-glass');
  await otto
    .getByLabel('In your words, for the ledger')
    .fill('Two endpoints, both rightly. The desk gets a second pager.');
  await otto.getByRole('button', { name: 'I have looked at it' }).click();
  await otto.waitForURL(/done=reviewed/);
  await clean(otto, 'review-glass-done');
  await otto.goto('/reviews');
  assert.match(await main(otto), /Nothing waits for a look/);
  await clean(otto, 'reviews-done');
});

emergency.after(async () => {
  await world.close();
  await receiver.stop();
});
emergency.run();
