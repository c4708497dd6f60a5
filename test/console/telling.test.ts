/** How people are told, on the start page of who oversees or administers: which channel works, and what waits. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { slackChannel } from '../../src/channels/slack.ts';
import { webhookChannel } from '../../src/channels/webhook.ts';
import { Secret } from '../../src/core/secret.ts';
import { instant } from '../../src/core/time.ts';
import { watch } from '../../src/broker.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { must, PUBLISHED } from '../support/app.ts';
import { signedIn } from '../support/console.ts';
import type { Surfer } from '../support/console.ts';
import { fails, startReceiver, takes } from '../support/receiver.ts';
import { addNina } from './overseen.ts';
import { consoleApp } from './world.ts';

const [slack, hook] = [await startReceiver(), await startReceiver()];
const request = guardedRequest({ privateHosts: ['127.0.0.1'] });
const secret = new Secret(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
const { app, keys } = await consoleApp({
  channels: [
    slackChannel(new Secret(slack.url), request),
    webhookChannel({ url: new Secret(hook.url), secret, request, clock: () => instant(Date.now()) }),
  ],
});
const people = {
  ada: await signedIn(app, keys.ada),
  otto: await signedIn(app, keys.otto),
  paula: await signedIn(app, keys.paula),
  nina: await signedIn(app, await addNina(app)),
};

/** What the section says, as words. */
async function told(surfer: Surfer): Promise<string> {
  const { text } = await surfer.get('/');
  const at = text.indexOf('aria-labelledby="telling"');
  const words = at < 0 ? '' : text.slice(at, text.indexOf('</section>', at));
  return words.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
}
/** Something is done at tier 2, and the queue is worked on once. */
async function publish(): Promise<void> {
  must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body: PUBLISHED }));
  await app.sql('update work set due = 0');
  await watch(app.deps);
}

const telling = suite('how people are told');
telling.after(async () => {
  await app.close();
  await slack.stop();
  await hook.stop();
});

telling('is seen by who oversees or administers, and by nobody else', async () => {
  for (const who of ['ada', 'otto', 'nina'] as const) assert.match(await told(people[who]), /Slack not used yet/);
  assert.is(await told(people.paula), '');
});

telling('says which channel fails, since when and why, and which one took it instead', async () => {
  slack.answer = fails;
  await publish();
  const words = await told(people.otto);
  assert.match(
    words,
    /Slack fails Tried first\. The last time: answered 503\. fails since just now, and never took one/,
  );
  assert.match(words, /Webhook works .* took one just now/);
  assert.not.match(words, /waits?|s3cr3t/);
});

telling('counts what no channel took, where its reader has a function', async () => {
  hook.answer = fails;
  await publish();
  assert.match(await told(people.otto), /One notice waits to be taken by any channel, the first since just now/);
  assert.match(await told(people.ada), /One notice waits/);
  assert.not.match(await told(people.nina), /waits/);
  slack.answer = takes;
  await app.sql('update work set due = 0');
  await watch(app.deps);
  assert.match(await told(people.otto), /Slack works/);
  assert.not.match(await told(people.otto), /waits/);
});

telling('says at a tenant what is asked for because nobody was told in time', async () => {
  await app.sql(`insert into late_notices (tenant, task, since) values ('acme', 'kb.publish', brevet_now())`);
  app.deps.store.forget('acme' as never);
  assert.match((await people.otto.get('/tenants/acme')).text, /<strong>kb.publish<\/strong> in time/);
  await app.sql('delete from late_notices');
});

telling('says that nobody is, where no channel is configured', async () => {
  const node = await app.node();
  assert.match(await told(await signedIn(node, keys.otto)), /no channel is configured/);
});

telling.run();
