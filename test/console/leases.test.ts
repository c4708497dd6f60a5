/** Credentials at the console: for whoever oversees where they are, and for nobody else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gzipSync } from 'node:zlib';
import { SCRIPT } from '../../src/console/script.ts';
import { formOn, signedIn } from '../support/console.ts';
import { addNina, leaseAt } from './overseen.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
const nina = await addNina(app);
const acme = await leaseAt(app, 'acme', 'tickets/<i>one</i>');
const birch = await leaseAt(app, 'birch');
const [otto, paula, ada] = [
  await signedIn(app, keys.otto),
  await signedIn(app, keys.paula),
  await signedIn(app, keys.ada),
];
const elsewhere = await signedIn(app, nina);

const leases = suite('leases at the console');

leases('are listed where one oversees, and nowhere else', async () => {
  const all = (await otto.get('/leases')).text;
  assert.match(all, /\/blocks\/new\?scope=agent&amp;name=triage-bot&amp;tenant=acme/);
  assert.ok(all.includes(acme) && all.includes(birch));
  const some = (await elsewhere.get('/leases')).text;
  assert.ok(some.includes(birch) && !some.includes(acme) && !some.includes('acme'));
  for (const surfer of [paula, ada]) assert.match((await surfer.get('/leases')).text, /you oversee nothing/);
});

for (const [query, shown] of [
  ['tenant=acme', [acme]],
  ['tenant=birch', [birch]],
  ['agent=triage-bot', [acme]],
  ['task=ticket.route', [acme, birch]],
  ['task=firewall.change', []],
  ['state=active', [acme, birch]],
  ['state=revoked', []],
  ['tenant=nowhere', []],
  ['agent=%00', []],
] as const) {
  leases(`are narrowed by ${query}`, async () => {
    const { status, text } = await otto.get(`/leases?${query}`);
    assert.is(status, 200);
    assert.equal(
      [acme, birch].filter((id) => text.includes(id)),
      shown,
    );
  });
}

leases('show what agents wrote as text', async () => {
  const { text } = await otto.get(`/leases/acme/${acme}`);
  assert.ok(text.includes('A &lt;b&gt;ticket&lt;/b&gt; came in') && text.includes('tickets/&lt;i&gt;one'));
  assert.not.ok(text.includes('<b>ticket</b>') || text.includes('<i>one'));
});

for (const [who, surfer] of [
  ['an approver', paula],
  ['an administrator', ada],
  ['an overseer of another tenant', elsewhere],
] as const) {
  leases(`are not there for ${who}, nor to be ended`, async () => {
    assert.is((await surfer.get(`/leases/acme/${acme}`)).status, 404);
    const form = { ...formOn(await surfer.get('/account'), '/sign-out'), reason: 'x' };
    assert.is((await surfer.post(`/leases/acme/${acme}/revoke`, form)).status, 404);
    assert.match((await otto.get(`/leases/acme/${acme}`)).text, /tag good">active/);
  });
}

leases('are not found at another tenant', async () => {
  assert.is((await otto.get(`/leases/birch/${acme}`)).status, 404);
  assert.is((await otto.get('/leases/acme/lse_no')).status, 404);
});

leases('are ended for a reason, once, and tell their story', async () => {
  const page = await otto.get(`/leases/acme/${acme}`);
  const action = `/leases/acme/${acme}/revoke`;
  assert.is((await otto.post(action, { ...formOn(page, action), reason: ' ' })).status, 400);
  const done = await otto.post(action, { ...formOn(page, action), reason: 'It went <u>wrong</u>' });
  assert.is(done.to, `/leases/acme/${acme}?done=lease-revoked`);
  assert.is(
    (await otto.post(action, { ...formOn(page, action), reason: 'again' })).to,
    `/leases/acme/${acme}?done=was-over`,
  );
  const { text } = await otto.get(`/leases/acme/${acme}`);
  for (const told of ['otto</strong> revoked it', 'It went &lt;u&gt;wrong', 'Dead, and seen to be.', 'lease.revoked']) {
    assert.ok(text.includes(told), told);
  }
});

leases('weigh little, and so does the script', async () => {
  for (let n = 0; n < 30; n++) await leaseAt(app, 'birch', `tickets/${n}`);
  const { text } = await otto.get('/leases?state=all');
  assert.ok(gzipSync(text).length < 40 * 1024);
  assert.ok(gzipSync(SCRIPT).length < 15 * 1024);
});

leases.after(() => app.close());
leases.run();
