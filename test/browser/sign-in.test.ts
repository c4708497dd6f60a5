/** Signing in, enrolling and confirming in a real browser, as people do it, and as attackers try to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { look } from '../support/browser/look.ts';
import { atIssuer, confirmAll, enrol, setVerified, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
const isClean = async (page: Page, name: string) => assert.equal(await look(page, name), []);
const text = (page: Page): Promise<string> => page.getByRole('main').innerText();
const sessionOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === '__Host-brevet');

const signing = suite('at the console');

signing('a person signs in at the identity provider, and is led back to where they were', async () => {
  const page = await world.visitor();
  await page.goto('/account');
  await page.waitForURL(/\/sign-in\?return_to=%2Faccount/);
  await isClean(page, 'sign-in');
  await page.getByRole('link', { name: /^Continue at/ }).click();
  await atIssuer(page, 'paula');
  assert.match(page.url(), /\/account$/);
  await isClean(page, 'account-empty');
});

signing('localhost counts as secure: the cookie is kept, and no script sees it', async () => {
  const page = await world.visitor();
  await signIn(page, 'paula');
  const cookie = await sessionOf(page);
  assert.equal([cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, true, 'Lax', '/']);
  assert.not.match(await page.evaluate<string>('document.cookie'), /brevet/);
});

signing('somebody who is nobody here is told what to do', async () => {
  const page = await world.visitor();
  await signIn(page, 'mallory');
  assert.match(await text(page), /Ask an administrator to create an operator/);
  assert.is(await sessionOf(page), undefined);
  await isClean(page, 'refused');
});

let ada: Page;
let alan: Page;

signing('passkeys are enrolled, confirmed by another person, and sign in from then on', async () => {
  [ada, alan] = [await world.visitor(), await world.visitor()];
  await signIn(ada, 'ada');
  await isClean(ada, 'home-set-up');
  await signIn(alan, 'alan');
  await ada.goto('/account/passkeys/new');
  await isClean(ada, 'sign-in-again');
  await enrol(ada, 'ada');
  assert.match(await ada.getByRole('status').innerText(), /once another administrator has confirmed it/);
  await isClean(ada, 'account-waiting');
  await alan.goto('/');
  await isClean(alan, 'home-waiting');
  await alan.goto('/changes');
  await isClean(alan, 'changes-waiting');
  await confirmAll(alan);
  await ada.goto('/account');
  await ada.getByRole('button', { name: 'Sign out', exact: true }).click();
  await ada.waitForURL(/\/sign-in$/);
  await ada.getByRole('button', { name: 'Use a passkey' }).click();
  await ada.waitForURL((url) => url.pathname === '/');
  await ada.goto('/account');
  assert.match(await text(ada), /signed in\s+with a passkey/);
  await isClean(ada, 'account');
});

signing('one who has a passkey signs what they confirm', async () => {
  await enrol(alan, 'alan', 'security key in the safe');
  await isClean(alan, 'account-two');
  await ada.goto('/changes');
  await ada.getByRole('listitem').filter({ hasText: 'waits for you' }).getByRole('link').first().click();
  await isClean(ada, 'change');
  await ada.getByRole('button', { name: 'Confirm' }).click();
  await ada.waitForURL(/done=confirmed/);
  await isClean(ada, 'change-done');
});

signing('the page of a new passkey reads well', async () => {
  await ada.goto('/account/passkeys/new');
  await isClean(ada, 'enrol');
});

signing('a finger that is not its owner’s signs nothing, and the page says so', async () => {
  const page = await world.visitor();
  await signIn(page, 'paula');
  await enrol(page, 'paula');
  await confirmAll(alan);
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL(/\/sign-in$/);
  await setVerified(page, false);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  const told = page.getByRole('alert');
  await told.filter({ hasText: 'The passkey was not used' }).waitFor();
  await isClean(page, 'passkey-not-used');
  assert.is(await sessionOf(page), undefined);
  await setVerified(page, true);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.waitForURL((url) => url.pathname === '/');
});

signing('all of it goes by keyboard, with the focus in sight', async () => {
  const page = await world.visitor();
  await page.goto('/sign-in');
  await page.keyboard.press('Tab');
  assert.is(await page.evaluate('document.activeElement.textContent'), 'Skip to the content');
  assert.ok(await page.evaluate<boolean>('document.activeElement.getBoundingClientRect().top >= 0'));
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate<string>('document.activeElement.textContent'), /Continue at/);
  assert.not.match(await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle'), /none/);
  await page.keyboard.press('Enter');
  await atIssuer(page, 'otto');
  assert.is(new URL(page.url()).pathname, '/');
});

signing('works without scripts, but for passkeys, and says so there', async () => {
  const page = await world.visitor({ scripts: false, width: 360, height: 740 });
  await signIn(page, 'otto', '/account');
  assert.match(await text(page), /Otto Neurath/);
  await page.getByRole('button', { name: 'dark' }).click();
  assert.is(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.getByText('Menu').click();
  await page.getByRole('link', { name: 'Changes' }).click();
  assert.match(await text(page), /you administer nothing here/);
  await page.goto('/sign-in?fresh=yes');
  assert.match(await text(page), /Passkeys need scripts/);
});

signing('the menu opens on a phone', async () => {
  await alan.setViewportSize({ width: 360, height: 740 });
  await alan.goto('/');
  await alan.getByText('Menu').click();
  await alan.screenshot({ path: 'screenshots/menu-phone-light.png' });
  assert.ok(await alan.getByRole('link', { name: 'Inventory' }).isVisible());
  await alan.setViewportSize({ width: 1280, height: 800 });
});

signing('a page elsewhere can neither post a form here, nor show this one in a frame', async () => {
  const target = `${world.place.url}/sign-out-everywhere`;
  const evil = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      request.url === '/frame'
        ? `<iframe id="it" src="${world.place.url}/account"></iframe>`
        : `<form id="it" method="post" action="${target}"><button>Win a prize</button></form>`,
    );
  });
  await new Promise<void>((listening) => evil.listen(0, '127.0.0.1', listening));
  try {
    const { port } = evil.address() as AddressInfo;
    await alan.goto(`http://127.0.0.1:${port}/form`);
    await alan.getByRole('button').click();
    await alan.waitForURL(target);
    assert.match(await text(alan), /did not come from a page of this session/);
    await alan.goto(`http://127.0.0.1:${port}/frame`);
    await alan.waitForLoadState('load');
    const inside = alan.frames().find((frame) => frame !== alan.mainFrame());
    assert.not.match((await inside?.content().catch(() => '')) ?? '', /Alan Turing/);
  } finally {
    evil.closeAllConnections();
    evil.close();
  }
  await alan.goto('/account');
  assert.match(await text(alan), /Alan Turing/);
});

signing('signing out everywhere ends every browser’s session', async () => {
  const other = await world.visitor();
  await signIn(other, 'alan', '/account');
  await isClean(other, 'account-sessions');
  await other.getByRole('button', { name: 'Sign out everywhere' }).click();
  await other.waitForURL(/\/sign-in$/);
  await alan.goto('/account');
  assert.match(alan.url(), /\/sign-in\?/);
});

signing.after(() => world.close());
signing.run();
