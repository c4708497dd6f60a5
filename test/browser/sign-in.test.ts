/** Signing in, enrolling and confirming in a real browser, as people do it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { look } from '../support/browser/look.ts';
import { atIssuer, confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
const clean = async (page: Parameters<typeof look>[0], name: string) => assert.equal(await look(page, name), []);

const signing = suite('at the console');

signing('a person signs in at the identity provider, and is led back to where they were', async () => {
  const page = await world.visitor();
  await page.goto('/account');
  await page.waitForURL(/\/sign-in\?return_to=%2Faccount/);
  await clean(page, 'sign-in');
  await page.getByRole('link', { name: /^Continue at/ }).click();
  await atIssuer(page, 'paula');
  assert.match(page.url(), /\/account$/);
  await clean(page, 'account-empty');
});

signing('somebody who is nobody here is told what to do', async () => {
  const page = await world.visitor();
  await signIn(page, 'mallory');
  assert.match(await page.getByRole('main').innerText(), /Ask an administrator to create an operator/);
  assert.is((await page.context().cookies()).filter(({ name }) => name === '__Host-brevet').length, 0);
  await clean(page, 'refused');
});

signing('passkeys are enrolled, confirmed by another person, and sign in from then on', async () => {
  const [ada, alan] = [await world.visitor(), await world.visitor()];
  await signIn(ada, 'ada');
  await signIn(alan, 'alan');
  await clean(ada, 'home');
  await ada.goto('/account/passkeys/new');
  await enrol(ada, 'ada');
  assert.match(await ada.getByRole('status').innerText(), /once another administrator has confirmed it/);
  await clean(ada, 'account-waiting');
  await alan.goto('/');
  await clean(alan, 'home-waiting');
  await alan.goto('/changes');
  await clean(alan, 'changes');
  await confirmAll(alan);
  await clean(alan, 'change-done');
  await ada.goto('/account');
  await ada.getByRole('button', { name: 'Sign out', exact: true }).click();
  await ada.waitForURL(/\/sign-in$/);
  await ada.getByRole('button', { name: 'Use a passkey' }).click();
  await ada.waitForURL((url) => url.pathname === '/');
  await ada.goto('/account');
  assert.match(await ada.getByRole('main').innerText(), /signed in\s+with a passkey/);
  await clean(ada, 'account');
});

signing.after(() => world.close());
signing.run();
