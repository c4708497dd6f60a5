/** What oversight does at the console, in a real browser: sees what lives, ends it, and reads its whole story. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { fleet } from '../support/browser/fleet.ts';
import { look } from '../support/browser/look.ts';
import { confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
const agents = await fleet(world);
const clean = async (page: Page, name: string) => assert.equal(await look(page, name), []);

const otto = await world.visitor();
const alan = await world.visitor();
await signIn(otto, 'otto');
await enrol(otto, 'otto');
await signIn(alan, 'alan');
await confirmAll(alan);

const HOSTILE = 'tickets/<b>now</b>';
const triage = agents.at('acme', 'triage-bot');
await (await triage.ask(agents.route(1))).done({ outcome: 'succeeded', summary: 'Routed to the network desk' });
await triage.ask(agents.route(2, { ttl: 60 }));
await triage.ask(agents.route(3, { ttl: 240, resource: HOSTILE })).catch(async (e) => {
  console.log(JSON.stringify(e));
  const { call } = await import('../acceptance/broker.ts');
  console.log(
    JSON.stringify(
      (
        await call('GET', world.place.url + '/api/requests', {
          token: await (await import('../acceptance/broker.ts')).localToken(world.place, 'otto'),
        })
      ).body,
    ),
  );
});
await agents.at('birch', 'triage-bot').ask(agents.route(4, { ttl: 150 }));

const oversight = suite('oversight');

oversight('sees what lives, and hears of more without asking', async () => {
  await otto.goto('/leases');
  await clean(otto, 'leases');
  const rows = otto.getByRole('listitem').filter({ hasText: 'ticket.route' });
  assert.is(await rows.count(), 3);
  assert.match(await otto.getByRole('main').innerText(), /tickets\/<b>now<\/b>/);
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
  const words = await otto.getByRole('main').innerText();
  assert.match(words, /otto revoked it/);
  assert.match(words, /It routes <i>everything<\/i> to one desk/);
  await clean(otto, 'lease');
  await otto.goto('/leases?state=all');
  await clean(otto, 'leases-all');
});

oversight.after(() => world.close());
oversight.run();
