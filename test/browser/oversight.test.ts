/** What oversight does at the console, in a real browser: sees what lives, ends it, and reads its whole story. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { readBundle } from '../../src/node/first-bundle.ts';
import { must } from '../acceptance/broker.ts';
import { firewallAgent } from '../support/browser/agent.ts';
import { fleet } from '../support/browser/fleet.ts';
import { look } from '../support/browser/look.ts';
import { POLICY_DIR, withoutCases } from '../support/policy.ts';
import { past } from '../support/browser/past.ts';
import { confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
const agents = await fleet(world);
const clean = async (page: Page, name: string) => assert.equal(await look(page, name), []);

const otto = await world.visitor();
const alan = await world.visitor();
await signIn(otto, 'otto');
await enrol(otto, 'otto');
const paula = await world.visitor();
await signIn(paula, 'paula');
await enrol(paula, 'paula');
await signIn(alan, 'alan');
await confirmAll(alan);

const HOSTILE = 'tickets/<b>now</b>';
const triage = agents.at('acme', 'triage-bot');
for (let n = 10; n < 14; n++) {
  await (await triage.ask(agents.route(n))).done({ outcome: 'succeeded', summary: 'Routed to the network desk' });
}
await triage.ask(agents.route(2, { ttl: 60 }));
await triage.ask(agents.route(3, { ttl: 240, resource: HOSTILE }));
await agents.at('birch', 'triage-bot').ask(agents.route(4, { ttl: 150 }));

const main = async (page: Page): Promise<string> => page.getByRole('main').innerText();
const oversight = suite('oversight');

oversight('sees what lives, and hears of more without asking', async () => {
  await otto.goto('/leases');
  await clean(otto, 'leases');
  const rows = otto.getByRole('listitem').filter({ hasText: 'ticket.route' });
  assert.is(await rows.count(), 3);
  assert.match(await main(otto), /tickets\/<b>now<\/b>/);
  await triage.ask(agents.route(5));
  await rows.nth(3).waitFor();
});

oversight('ends one with a reason, and reads its story', async () => {
  await otto.goto('/leases?tenant=birch');
  const row = otto.getByRole('listitem').filter({ hasText: 'ticket.route' });
  assert.is(await row.count(), 1);
  await row.locator('summary').click();
  await row.getByLabel('Why, for the ledger').fill('It routes <i>everything</i> to one desk');
  await clean(otto, 'leases-revoke');
  await row.getByRole('button', { name: 'End it now' }).click();
  await otto.waitForURL(/done=lease-revoked/);
  const words = await main(otto);
  assert.match(words, /otto revoked it/);
  assert.match(words, /It routes <i>everything<\/i> to one desk/);
  await clean(otto, 'lease');
  await otto.goto('/leases?state=all');
  await clean(otto, 'leases-all');
  await otto
    .getByRole('link', { name: /ticket.route at acme/ })
    .first()
    .click();
  await clean(otto, 'lease-live');
});

oversight('looks at a block, raises it, watches it, and lifts it under its own key', async () => {
  await otto.goto('/blocks');
  await clean(otto, 'blocks-none');
  await otto.getByRole('link', { name: 'Raise a block' }).click();
  await otto.getByLabel('What', { exact: true }).selectOption('agent');
  await otto.getByLabel('Its name').fill('triage-bot');
  await otto.getByLabel('Why, for the ledger').fill('It acts on tickets that nobody wrote');
  await otto.getByLabel('Deny the roles at AWS too').check();
  await otto.getByRole('button', { name: 'See what it reaches' }).click();
  assert.match(await main(otto), /no target wholly inside it has a role that can be denied/);
  await clean(otto, 'block-denies-no-role');
  await otto.getByLabel('Deny the roles at AWS too').uncheck();
  await otto.getByRole('button', { name: 'See what it reaches' }).click();
  assert.match(await main(otto), /[1-9]\d* credentials? that live/);
  await clean(otto, 'block-preview');
  await otto.getByRole('button', { name: 'Raise it now' }).click();
  await otto.waitForURL(/done=block-raised/);
  await otto.getByText('All of it is over').waitFor();
  await clean(otto, 'block');
  await otto.getByLabel('Why, for the ledger').fill('The queue is clean again');
  await otto.getByRole('button', { name: 'Go on, and sign it' }).click();
  await clean(otto, 'block-lift');
  await otto.getByRole('button', { name: 'Sign the lift' }).click();
  await otto.waitForURL(/done=block-lifted/);
  assert.match(await main(otto), /lifted by otto/);
  await otto.goto('/blocks');
  await clean(otto, 'blocks');
});

oversight('reads on whose word a credential was given, whole on one page', async () => {
  const agent = await firewallAgent(world);
  const running = agent.exec();
  await paula.goto('/approvals');
  await paula.getByRole('link', { name: /firewall\.change/ }).click();
  await paula.getByRole('button', { name: 'Approve exactly this' }).click();
  await paula.waitForURL(/done=approved/);
  assert.is((await running.ended).status, 0, running.text());
  await otto.goto('/leases?tenant=clinic&state=all');
  await otto.getByRole('link', { name: /firewall.change at clinic/ }).click();
  const story = await main(otto);
  const told = [
    /was asked/,
    /paula said yes/,
    /came for it, on the word of paula/,
    /The credential was made/,
    /Dead, and seen to be/,
  ];
  for (const part of told) assert.match(story, part);
  await clean(otto, 'lease-approved');
});

oversight('sees how long what was ended stayed alive', async () => {
  await past(world, 900);
  await otto.goto('/exposure');
  assert.match(await main(otto), /worst exposure/);
  await clean(otto, 'exposure');
});

oversight('finds an agent, its tenants, and the inventory', async () => {
  await triage.ask(agents.route(6));
  await otto.goto('/agents');
  await clean(otto, 'agents');
  await otto.getByRole('link', { name: 'triage-bot' }).click();
  await clean(otto, 'agent');
  await otto.goto('/tenants');
  await clean(otto, 'tenants');
  await otto.getByRole('link', { name: 'Acme Retail' }).click();
  await otto.getByText('What agents may do here').waitFor();
  await clean(otto, 'tenant');
  await otto.goto('/inventory');
  await clean(otto, 'inventory');
  await otto.setViewportSize({ width: 360, height: 740 });
  const wide = await otto.evaluate<number>("document.querySelector('.wide').scrollWidth");
  assert.ok(wide <= 360, `the inventory is ${wide} wide on a phone`);
});

oversight('of the policy is for its administrators, who read what a version would change', async () => {
  const files = await readBundle(POLICY_DIR);
  // Some of which say what it would not come to any more.
  const { 'tasks.yaml': tasks = '', ...rest } = withoutCases(files ?? {});
  const freer = tasks
    .replace(
      "reversibility: { score: 2, because: 'The rule is set",
      "reversibility: { score: 1, because: 'The rule is set",
    )
    .replace('ttl: 600', 'ttl: 900');
  const { ada, place } = world;
  const body = { files: { ...rest, 'tasks.yaml': freer } };
  await must('POST', `${place.url}/api/policy/activate`, { token: ada.token, body });
  await alan.goto('/policy');
  await clean(alan, 'policy');
  await alan.getByRole('listitem').filter({ hasText: 'was active' }).getByRole('link').first().click();
  await alan.getByText('Digest of this comparison').waitFor({ timeout: 60_000 });
  await clean(alan, 'policy-difference');
  await alan.goto('/policy');
  await alan
    .getByRole('listitem')
    .filter({ hasText: /active/ })
    .getByRole('link')
    .first()
    .click();
  await alan.getByText('What forbids, or asks').waitFor();
  await clean(alan, 'policy-active');
  await otto.goto('/policy');
  assert.match(await main(otto), /for administrators/);
});

oversight.after(() => world.close());
oversight.run();
