/** Agents, tenants, the policy, the inventory and exposure at the console: each as far as one's function reaches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../support/app.ts';
import { signedIn } from '../support/console.ts';
import { addNina, leaseAt } from './overseen.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
const people = {
  ada: await signedIn(app, keys.ada),
  otto: await signedIn(app, keys.otto),
  paula: await signedIn(app, keys.paula),
  nina: await signedIn(app, await addNina(app)),
};
await leaseAt(app, 'birch');
const { policy: version } = await app.deps.store.deployment();

/** What each sees of a page: what must stand on it, and what must not; `null`: it is not there for them. */
const SEEN: readonly (readonly [
  path: string,
  who: keyof typeof people,
  seen: readonly RegExp[] | null,
  unseen?: readonly RegExp[],
])[] = [
  ['/agents', 'ada', [/triage-bot/, /birch-bot/]],
  ['/agents', 'nina', [/birch-bot/], [/triage-bot/, /acme/]],
  ['/agents/birch-bot', 'nina', [/What it holds now/, /ticket\.route/, /a credential/]],
  ['/agents/birch-bot', 'paula', [/What it asked for of late/], [/What it holds now/]],
  ['/agents/birch-bot', 'ada', [/The register/], [/What it holds now/, /What it asked for/]],
  ['/agents/triage-bot', 'nina', null],
  ['/agents/nobody', 'ada', null],
  ['/agents/%2e%2e', 'ada', null],
  ['/tenants', 'nina', [/birch/], [/acme/]],
  ['/tenants/acme', 'nina', null],
  ['/tenants/nowhere', 'ada', null],
  ['/tenants/acme', 'otto', [/What agents may do here/, /Who answers for it/, /triage-bot/, /tickets/]],
  ['/tenants/acme', 'paula', [/Who answers for it/], [/What agents may do here/]],
  ['/tenants/acme', 'ada', [/What agents may do here/]],
  ['/inventory', 'ada', [/triage-bot/, /birch-bot/]],
  ['/inventory', 'nina', [/birch-bot/], [/triage-bot/]],
  ['/inventory', 'paula', [/for oversight/], [/triage-bot/]],
  ['/policy', 'ada', [/active/, new RegExp(String(version).slice(0, 12))]],
  ['/policy', 'otto', [/for administrators/], [new RegExp(String(version).slice(0, 12))]],
  [`/policy/${version}`, 'ada', [/What forbids, or asks/]],
  [`/policy/${version}`, 'otto', null],
  [`/policy/${'0'.repeat(64)}`, 'ada', null],
  ['/exposure', 'paula', [/you oversee nothing/]],
];

const registers = suite('a page of the registers');

for (const [path, who, seen, unseen = []] of SEEN) {
  registers(`${path} as ${who} sees it`, async () => {
    const { status, text } = await people[who].get(path);
    assert.is(status, seen === null ? 404 : 200);
    const page = text.slice(text.indexOf('<main'));
    for (const one of seen ?? []) assert.match(page, one);
    for (const one of unseen) assert.not.match(page, one);
  });
}

registers('holds no secret of a target', async () => {
  for (const [what, secret] of app.planted) {
    for (const path of ['/tenants/acme', '/agents/triage-bot']) {
      assert.not.ok((await people.otto.get(path)).text.includes(secret), what);
    }
  }
});

registers('of exposure counts what was ended, by provider and over time', async () => {
  const id = await leaseAt(app, 'acme');
  const before = (await people.otto.get('/exposure')).text;
  assert.match(before, /Nothing was ended/);
  must(
    await app.call('POST', `/t/acme/leases/${id}/complete`, {
      token: await app.session(),
      body: { outcome: 'succeeded' },
    }),
  );
  const { text } = await people.otto.get('/exposure?days=1');
  assert.match(text, /<title id="plot-title">Exposure over time<\/title>/);
  assert.match(text, /<th scope="row">jwt<\/th>[^]*?<td class="number">1<\/td>\s*<td class="number">0 ms<\/td>/);
  assert.match((await people.nina.get('/exposure')).text, /Nothing was ended/);
});

registers.after(() => app.close());
registers.run();
