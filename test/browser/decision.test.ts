/** A person decides, in a real browser, with a real key; and the agent that waits goes on by itself. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Page } from 'playwright-core';
import { firewallAgent } from '../support/browser/agent.ts';
import { look } from '../support/browser/look.ts';
import { confirmAll, enrol, signIn, startConsole } from '../support/browser/world.ts';

const world = await startConsole();
const agent = await firewallAgent(world);
const clean = async (page: Page, name: string) => assert.equal(await look(page, name), []);

const paula = await world.visitor();
const alan = await world.visitor();
await signIn(paula, 'paula');
await enrol(paula, 'paula');
await signIn(alan, 'alan');
await confirmAll(alan);

const deciding = suite('a decision');

/** Opens the first that waits for paula. */
async function open(): Promise<void> {
  for (;;) {
    await paula.goto('/approvals');
    const first = paula.getByRole('link', { name: /firewall\.change/ }).first();
    if ((await first.count()) > 0) return first.click();
  }
}

deciding('that is a yes: the agent does its task, and the credential is dead after it', async () => {
  const running = agent.exec();
  await open();
  await paula.waitForURL(/\/approvals\/clinic\/apr_/);
  await clean(paula, 'decision');
  await paula.getByRole('button', { name: 'Approve exactly this' }).click();
  await paula.waitForURL(/done=approved/);
  assert.match(await paula.getByRole('status').innerText(), /The agent may come for it now/);
  const ended = await running.ended;
  assert.is(ended.status, 0, running.text());
  assert.match(running.text(), /the rule is closed/);
  assert.match(running.text(), /revoked, verified/);
});

deciding('that is a no: the agent hears why', async () => {
  const running = agent.exec();
  await open();
  await paula.locator('summary', { hasText: 'Say no' }).click();
  await paula.getByLabel('wrong client').check();
  await paula.getByLabel('In words, which the agent sees').fill('This is the dentist’s firewall');
  await clean(paula, 'decision-no');
  await paula.getByRole('button', { name: 'Go on, and sign the no' }).click();
  await clean(paula, 'decision-no-sign');
  await paula.getByRole('button', { name: 'Sign the no' }).click();
  await paula.waitForURL(/done=rejected/);
  const ended = await running.ended;
  assert.is(ended.status, 3, running.text());
  assert.match(running.text(), /rejected/);
});

deciding('that is a yes to less: the agent takes it, and it is signed anew', async () => {
  const running = agent.exec({ args: ['--accept-narrower'] });
  await open();
  await paula.locator('summary', { hasText: 'Approve less' }).click();
  await paula.getByLabel(/^Seconds/).fill('60');
  await paula.getByRole('button', { name: 'Go on, and sign that' }).click();
  await paula.getByRole('button', { name: 'Sign it' }).click();
  await paula.waitForURL(/done=less/);
  const yes = paula.getByRole('button', { name: 'Approve exactly this' });
  while ((await yes.count()) === 0) await paula.reload();
  await yes.click();
  await paula.waitForURL(/done=approved/);
  assert.is((await running.ended).status, 0, running.text());
});

deciding('whose agent writes what would deceive shows it as what it is', async () => {
  const reason = 'Close \u202Eelur\u202C p\u0430yment <b>now</b> \u200B\u{1F9E8} ' + 'long '.repeat(150);
  const running = agent.exec({ reason, more: { evidence: ['<script>alert(1)</script>'] } });
  await open();
  await clean(paula, 'decision-hostile');
  const words = await paula.locator('.theirs').innerText();
  for (const shown of ['U+202E', 'U+202C', 'U+200B', '<b>now</b>', '<script>']) assert.ok(words.includes(shown), shown);
  assert.match(await paula.locator('.alike-mark').first().innerText(), /p.yment/);
  running.signalGroup('SIGINT');
  await running.ended;
});

deciding.after(() => world.close());
deciding.run();
