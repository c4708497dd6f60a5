/** Open pages hear of changes, of their own alone, for as long as their session lasts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLive } from '../../src/broker/live.ts';
import type { Deps } from '../../src/deps.ts';
import { ASKED, PERMITTED, PUBLIC_URL } from '../support/app.ts';
import { signedIn, Surfer } from '../support/console.ts';
import { consoleApp } from './world.ts';

/** Looks once each time that it is told to. */
function stepped() {
  let next = Promise.withResolvers<void>();
  return {
    pause: () => next.promise,
    look(): void {
      const now = next;
      next = Promise.withResolvers<void>();
      now.resolve();
    },
  };
}

const steps = stepped();
let listening = 0;
function withSteps(deps: Deps): Deps {
  const pages = createLive({ ...deps, pause: steps.pause });
  const listen: typeof pages.listen = (listener) => {
    listening += 1;
    return pages.listen(listener);
  };
  return { ...deps, live: { ...pages, listen } };
}
const { app, keys } = await consoleApp({ deps: withSteps });

interface Stream {
  /** The next event, or `null` at its end; beats are no events. */
  next(): Promise<string | null>;
  leave(): Promise<void>;
}

async function open(surfer: Surfer, path: string): Promise<Stream> {
  const page = (await surfer.get(path)).text;
  const [, at = ''] = /data-live="([^"]+)"/.exec(page) ?? [];
  return streamAt(surfer, at.replaceAll('&amp;', '&'));
}

async function streamAt(surfer: Surfer, path: string): Promise<Stream> {
  const cookie = [...surfer.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const answer = await app.app.request(new URL(path, PUBLIC_URL), { headers: { cookie } }, {});
  assert.is(answer.headers.get('content-type'), 'text/event-stream');
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  return {
    async next() {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return null;
        const event = /^event: (\w+)/.exec(new TextDecoder().decode(value))?.[1];
        if (event !== undefined) return event;
      }
    },
    leave: () => reader.cancel(),
  };
}

/** Whatever is heard by then, looking again and again. */
async function heard(stream: Stream): Promise<string | null> {
  const timer = setInterval(steps.look, 5);
  try {
    return await stream.next();
  } finally {
    clearInterval(timer);
  }
}

async function ask(): Promise<string> {
  const answer = await app.call('POST', '/t/acme/requests', { token: await app.session(), body: ASKED });
  assert.is(answer.status, 202, answer.text);
  return String(answer.body['request']);
}

const live = suite('an open page');

live('hears that somebody asks, and that they ask no more', async () => {
  const stream = await open(await signedIn(app, keys.paula), '/approvals');
  const request = await ask();
  assert.is(await heard(stream), 'changed');
  await app.call('POST', `/t/acme/requests/${request}/withdraw`, { token: await app.session() });
  assert.is(await heard(stream), 'changed');
  await stream.leave();
});

live('hears what came between its being drawn and its listening', async () => {
  const surfer = await signedIn(app, keys.paula);
  const [, at = ''] = /data-live="([^"]+)"/.exec((await surfer.get('/approvals')).text) ?? [];
  await ask();
  const stream = await streamAt(surfer, at);
  assert.is(await heard(stream), 'changed');
  await stream.leave();
});

live('of oversight hears of each credential, at its tenants alone', async () => {
  const surfer = await signedIn(app, keys.otto);
  const [at, elsewhere] = ['acme', 'birch'].map((tenant) => `/live/oversight?tenant=${tenant}`);
  const [here, there] = [await streamAt(surfer, at ?? ''), await streamAt(surfer, elsewhere ?? '')];
  // Their first word is that they had no mark.
  assert.equal([await heard(here), await heard(there)], ['changed', 'changed']);
  let said = false;
  const quiet = there.next().then(() => (said = true));
  await app.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED });
  assert.is(await heard(here), 'changed');
  assert.not.ok(said);
  await there.leave();
  await quiet;
  await here.leave();
});

live('hears that its session is over, and is told no more', async () => {
  const surfer = await signedIn(app, keys.paula);
  const stream = await open(surfer, '/approvals');
  await app.sql(`update console_sessions set until = brevet_now() - 1 where person = 'paula'`);
  assert.is(await heard(stream), 'over');
  assert.is(await heard(stream), null);
  assert.is((await surfer.get('/live/approvals')).status, 204);
});

live('keeps no session open by itself', async () => {
  const surfer = await signedIn(app, keys.paula);
  const idle = () => app.sql<{ at: string }>('select max(idle_until) as at from console_sessions');
  await app.sql('update console_sessions set idle_until = brevet_now() + 60000');
  const before = await idle();
  await surfer.get('/approvals', { 'brevet-draws': 'itself' });
  await (await streamAt(surfer, '/live/approvals')).leave();
  assert.equal(await idle(), before);
  await surfer.get('/approvals');
  assert.not.equal(await idle(), before);
});

live('listens for nobody who asks for its head alone, and so would never be seen to go', async () => {
  const { cookies } = await signedIn(app, keys.paula);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const before = listening;
  const asked = { method: 'HEAD', headers: { cookie } };
  const answer = await app.app.request(new URL('/live/approvals', PUBLIC_URL), asked, {});
  assert.equal([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream']);
  assert.is(listening, before);
});

for (const path of ['/live/approvals', '/live/oversight']) {
  live(`${path} is for nobody who is not signed in`, async () => {
    assert.is((await new Surfer(app).get(path)).status, 204);
  });
}

live('of oversight is for nobody who oversees nothing, or not there', async () => {
  assert.is((await (await signedIn(app, keys.paula)).get('/live/oversight')).status, 204);
  assert.is((await (await signedIn(app, keys.otto)).get('/live/oversight?tenant=nowhere')).status, 204);
});

live('is told where its node goes away', async () => {
  const stream = await open(await signedIn(app, keys.paula), '/approvals');
  app.deps.live?.close();
  assert.is(await stream.next(), null);
});

live.after(async () => {
  steps.look();
  await app.close();
});
live.run();
