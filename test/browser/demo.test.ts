/** The first five minutes: what `npm run demo -- --stay` tells a person to do, done as it says, in a real browser. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { run } from '../acceptance/broker.ts';
import { launchBrowser } from '../support/browser/chromium.ts';
import { newVisitor } from '../support/browser/world.ts';
import { temporaryFolder } from '../support/leftovers.ts';

const running = run(['demo', '--stay'], { env: { TMPDIR: await temporaryFolder('stay') } });
await running.said('the whole story');
const told = running.text();
const env = Object.fromEntries(
  [...told.matchAll(/\b(BREVET_[A-Z_]+)=(\S+)/g)].map(([, name = '', to = '']) => [name, to]),
);
const url = env['BREVET_URL'] ?? '';
const browser = await launchBrowser();

/** Whoever the sandbox's identity provider is told, led to that page. */
async function visitor(person: string, path: string): Promise<Page> {
  const page = await newVisitor(browser, { url });
  await page.goto(path);
  await page.getByRole('link', { name: /^Continue at 127\.0\.0\.1/ }).click();
  await page.getByRole('button', { name: person, exact: true }).click();
  await page.waitForURL((at) => at.hostname === 'localhost');
  return page;
}

const demo = suite('the demo that stays');

demo('has a person enrol a passkey, another confirm it, and the first decide on what waits for it', async () => {
  for (const path of ['/account/passkeys/new', '/changes', '/approvals', '/leases?state=all']) {
    assert.ok(told.includes(`${url}${path}  as `), path);
  }
  const paula = await visitor('paula', '/account/passkeys/new');
  // What is signed with a key is asked for after a fresh sign-in, which this was.
  await paula.getByLabel('What you call it').fill('this laptop');
  await paula.getByRole('button', { name: 'Enrol' }).click();
  await paula.waitForURL(/done=passkey-waits/);
  const ada = await visitor('ada', '/changes');
  await ada.getByRole('listitem').filter({ hasText: 'waits for you' }).getByRole('link').click();
  await ada.getByRole('button', { name: 'Confirm' }).click();
  await ada.waitForURL(/done=confirmed/);

  const command = /3\. npx brevet (.*)/.exec(told)?.[1] ?? '';
  const asking = run(command.split(' '), { env });
  const rows = paula.getByRole('link', { name: /firewall\.change at acme/ });
  // One waits since the demo's own story.
  do await paula.goto('/approvals');
  while ((await rows.count()) < 2);
  await rows.last().click();
  await paula.getByRole('button', { name: 'Approve exactly this' }).click();
  await paula.waitForURL(/done=approved/);
  const ended = await asking.ended;
  assert.is(ended.status, 0, asking.text());
  assert.match(asking.text(), /closed[^]*revoked, verified/);

  const otto = await visitor('otto', '/leases?state=all');
  await otto.getByRole('link', { name: /firewall\.change at acme/ }).click();
  await otto.getByText('came for it, on the word of paula').waitFor();
});

demo('signs nobody in who is not one of its people, and leads nobody elsewhere', async () => {
  const page = await newVisitor(browser, { url });
  await page.goto('/sign-in');
  await page.getByRole('link', { name: /^Continue at 127\.0\.0\.1/ }).click();
  await page.getByRole('button', { name: 'otto', exact: true }).waitFor();
  const at = page.url();
  const as = (person: string, to = at) =>
    fetch(to, { method: 'POST', body: new URLSearchParams({ person }), redirect: 'manual' });
  assert.is((await as('mallory')).status, 400);
  assert.is(
    (await as('otto', at.replace(/redirect_uri=[^&]*/, 'redirect_uri=https%3A%2F%2Fevil.example'))).status,
    400,
  );
  await page.getByRole('button', { name: 'otto', exact: true }).click();
  await page.waitForURL((to) => to.hostname === 'localhost');
});

demo.after(async () => {
  await browser.close();
  running.signalGroup('SIGINT');
  const { status, err } = await running.ended;
  assert.is(status, 0, err);
});
demo.run();
