/** The first five minutes, without an identity provider: the link that `brevet operator invite` prints. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { administrator, newPlace, run, startBroker, stopBroker } from '../acceptance/broker.ts';
import { launchBrowser } from '../support/browser/chromium.ts';
import { look } from '../support/browser/look.ts';
import { newVisitor } from '../support/browser/world.ts';

const place = await newPlace();
const running = await startBroker(place);
const browser = await launchBrowser();
await administrator(place);

const invite = async () => run(['operator', 'invite', '--as', 'ada'], { env: place.env }).ended;

const inviting = suite('an invitation');

inviting('enrols the first administrator’s passkey, which signs in', async () => {
  const { status, out } = await invite();
  assert.is(status, 0);
  const link = out.trim();
  const page = await newVisitor(browser, place);
  await page.goto(link);
  // The code is gone from the address, and so from what the browser remembers.
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  assert.is(new URL(page.url()).hash, '');
  assert.equal(await look(page, 'invitation'), []);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByLabel('What you call it').fill('first laptop');
  assert.equal(await look(page, 'invitation-enrol'), []);
  await page.getByRole('button', { name: 'Enrol' }).click();
  await page.waitForURL(/enrolled=yes/);
  assert.equal(await look(page, 'sign-in-enrolled'), []);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  assert.match(await page.getByRole('main').innerText(), /Set-up lasts/);

  const second = await newVisitor(browser, place);
  await second.goto(link);
  await second.getByRole('button', { name: 'Go on' }).click();
  assert.match(await second.getByRole('main').innerText(), /there is a passkey already/i);
});

inviting('is not made a second time', async () => {
  const { status, err } = await invite();
  assert.is.not(status, 0);
  assert.match(err, /there is a passkey already/);
});

inviting.after(async () => {
  await browser.close();
  await stopBroker(running);
});
inviting.run();
