/**
 * The ways of an ask among people, in a real browser: two must say yes, nobody answers and the next is asked, and the
 * policy is tightened between the yes and the agent's coming.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { BrevetRefused, BrevetWaiting } from '../../src/client/error.ts';
import { CLOSE_TELNET, firewallAgent } from '../support/browser/agent.ts';
import { look } from '../support/browser/look.ts';
import { activate, edited, startingBundle } from '../support/browser/policy.ts';
import { addPerson, confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
await addPerson(world, 'sergio', 'Sergio Toppi');
const clinic = await firewallAgent(world);
const dental = await firewallAgent(world, 'dental', 'Harbour Dental');
await world.ada.assign({ tenant: 'clinic', holder: { person: 'sergio' }, role: 'account-engineer' });
await world.ada.assign({ tenant: 'dental', holder: { person: 'sergio' }, role: 'approver' });

/** At the clinic sergio has one minute, then whoever stands in for the manager; at the dentist's it takes two. */
const bundle = edited(await startingBundle(), 'routes.yaml', [
  ['people/paula/duty', []],
  ['people/sergio/duty', []],
  [
    'routes',
    [
      {
        name: 'two-persons',
        when: { tenants: ['dental'] },
        steps: [{ whom: 'approver', quorum: 2, within_minutes: 30, backup: 'operations-leadership' }],
      },
      {
        name: 'everything-else',
        steps: [
          { whom: 'account-engineer', within_minutes: 1, backup: 'approver' },
          { whom: 'service-desk-manager', within_minutes: 30, backup: 'approver' },
        ],
      },
    ],
  ],
]);
await activate(world, bundle);

const clean = async (page: Page, name: string) => assert.equal(await look(page, name), []);
const main = (page: Page): Promise<string> => page.getByRole('main').innerText();

const [paula, sergio, otto, alan] = [
  await world.visitor(),
  await world.visitor(),
  await world.visitor(),
  await world.visitor(),
];
for (const [page, name] of [
  [paula, 'paula'],
  [sergio, 'sergio'],
] as const) {
  await signIn(page, name);
  await enrol(page, name);
}
await signIn(otto, 'otto');
await signIn(alan, 'alan');
await confirmAll(alan);

/** Opens what waits for whoever is signed in there, once it does. */
async function open(page: Page, tenant: string): Promise<void> {
  const link = page.getByRole('link', { name: new RegExp(`firewall\\.change at ${tenant}`) }).first();
  for (;;) {
    await page.goto('/approvals');
    if ((await link.count()) > 0) return link.click();
  }
}

async function approve(page: Page, done: string): Promise<void> {
  await page.getByRole('button', { name: 'Approve exactly this' }).click();
  await page.waitForURL(new RegExp(`done=${done}`));
}

/** The whole of it, as oversight reads it. */
async function storyOf(tenant: string): Promise<string> {
  await otto.goto(`/leases?tenant=${tenant}&state=all`);
  await otto
    .getByRole('link', { name: new RegExp(`firewall\\.change at ${tenant}`) })
    .first()
    .click();
  await otto.getByText('What happened').waitFor();
  return main(otto);
}

/** A form that was open all along, signed and sent once more: what the server makes of it. */
async function sendStale(page: Page, form: string): Promise<string> {
  return page.evaluate<string>(`(async () => {
    const { action, options, fields } = ${form};
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
    const { id, response } = (await navigator.credentials.get({ publicKey })).toJSON();
    const { clientDataJSON, authenticatorData, signature } = response;
    const answer = JSON.stringify({ credential: id, clientDataJSON, authenticatorData, signature });
    return (await fetch(action, { method: 'POST', body: new URLSearchParams({ ...fields, answer }) })).text();
  })()`);
}
const signingFormOn = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const form = document.querySelector('form.signing');
    const fields = Object.fromEntries(new FormData(form));
    return JSON.stringify({ action: form.getAttribute('action'), options: form.dataset.options, fields });
  })()`);

/** Asked first of all, since the minute in which nobody answers is a real one. */
const unanswered = clinic.exec();

const ways = suite('the ways of an ask');

ways('that takes two: the same person counts once, and with another’s yes the agent goes on', async () => {
  const running = dental.exec();
  await open(paula, 'dental');
  assert.match(await main(paula), /It takes 2 of paula and sergio: nobody has said yes yet/);
  const stale = await signingFormOn(paula);
  await approve(paula, 'pending');
  assert.match(await paula.getByRole('status').innerText(), /It takes another person’s, too/);
  await open(paula, 'dental');
  assert.match(await main(paula), /You cannot answer: you have said your word/);
  assert.is(await paula.getByRole('button', { name: 'Approve exactly this' }).count(), 0);
  await clean(paula, 'decision-one-of-two');
  assert.match(await sendStale(paula, stale), /answered_before/);
  await open(sergio, 'dental');
  assert.match(await main(sergio), /It takes 2 of paula and sergio: paula said yes/);
  await clean(sergio, 'decision-second-of-two');
  await approve(sergio, 'approved');
  const ended = await running.ended;
  assert.is(ended.status, 0, running.text());
  assert.match(running.text(), /revoked, verified/);
  const story = await storyOf('dental');
  for (const told of [/paula said yes/, /sergio said yes/, /Dead, and seen to be/]) assert.match(story, told);
  await clean(otto, 'lease-two-persons');
});

ways('that nobody answers: the next is asked, and answers', async () => {
  await open(paula, 'clinic');
  await clean(paula, 'decision-escalated');
  assert.match(await main(paula), /Not answered in time by sergio/);
  await approve(paula, 'approved');
  const ended = await unanswered.ended;
  assert.is(ended.status, 0, unanswered.text());
  assert.match(unanswered.text(), /revoked, verified/);
  const story = await storyOf('clinic');
  for (const told of [
    /sergio was asked/,
    /Nobody had answered in time\. Asked from here on: paula/,
    /paula said yes/,
  ]) {
    assert.match(story, told);
  }
  assert.match(story, /Dead, and seen to be/);
  await clean(otto, 'lease-escalated');
});

ways('that is forbidden by the time the agent comes: nothing is given, and the yes is worth nothing', async () => {
  const waiting = await clinic.brevet.ask(CLOSE_TELNET).then(
    () => null,
    (fault: unknown) => fault,
  );
  assert.instance(waiting, BrevetWaiting);
  const { request, approval } = waiting as BrevetWaiting;
  await open(sergio, 'clinic');
  await approve(sergio, 'approved');
  await activate(world, {
    ...bundle,
    'rules/tenants/clinic/audit.cedar': `@id("clinic-firewalls-stay-while-audited")
@reason("The clinic is being audited: its firewalls stay as they are.")
@hint("Ask again after the audit.")
forbid (principal, action == Action::"perform", resource == Task::"firewall.change");
`,
  });
  const path = `/approvals/clinic/${approval ?? ''}`;
  await sergio.goto(path);
  assert.match(await main(sergio), /approved[^]*It would be refused now: The clinic is being audited/);
  const refused = await clinic.brevet.redeem(request).then(
    () => null,
    (fault: unknown) => fault,
  );
  assert.instance(refused, BrevetRefused);
  assert.equal(
    [(refused as BrevetRefused).code, (refused as BrevetRefused).members['state']],
    ['forbidden_by_rule', 'revoked'],
  );
  await sergio.goto(path);
  const told = await main(sergio);
  assert.match(told, /revoked[^]*it would not be given any more[^]*forbidden_by_rule/);
  await clean(sergio, 'decision-tightened');
  await otto.goto('/leases?tenant=clinic&state=live');
  assert.match(await main(otto), /No credential lives here/);
});

ways.after(() => world.close());
ways.run();
