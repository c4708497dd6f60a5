/** A real server: a caller who hangs up, and a stop that drains. */
import { NO_CHANNELS } from '../../src/config.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Provider } from '../../src/core/provider.ts';
import { StoreUnavailable } from '../../src/core/store.ts';
import type { Store } from '../../src/core/store.ts';
import { serveNode } from '../../src/node/serve.ts';
import { openStore } from '../../src/store/open.ts';
import { rulesOnDisk, PERMITTED, PUBLIC_URL, testApp } from '../support/app.ts';

const app = await testApp();
let minting: () => Promise<void> = async () => undefined;
const around = (provider: Provider): Provider => ({
  ...provider,
  mint: async (order, target) => {
    await minting();
    return provider.mint(order, target);
  },
});
const log = app.deps.log;
const opened = await openStore({
  database: app.database.serve,
  keyring: app.keyring,
  node: 'served',
  log,
  mode: 'node',
});
/** Comes before what breakers are counted from. */
let tallying: () => Promise<void> = async () => undefined;
let counted: Promise<unknown> = Promise.resolve();
const store: Store = {
  ...opened,
  tallies(...of) {
    const tallied = tallying().then(() => opened.tallies(...of));
    counted = tallied.catch(() => undefined);
    return tallied;
  },
};
const config = { publicUrl: PUBLIC_URL, operators: null, allowPrivateHosts: [], channels: NO_CHANNELS };
const serving = await serveNode(
  {
    config,
    store,
    keyring: app.keyring,
    log,
    node: 'served',
    around,
  },
  { listen: { host: '127.0.0.1', port: 0 }, bundle: await rulesOnDisk() },
);
const port = Number(new URL(serving.url).port);
const token = await app.session();

/** Until it is so; the test's own limit says when it never will be. */
async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(20);
}
const count = async (where: string): Promise<number> => {
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from leases where ${where}`);
  return Number(row?.n);
};

const server = suite('a node that serves');

server('answers over HTTP', async () => {
  assert.is((await fetch(`${serving.url}/healthz`)).status, 200);
  await until(async () => (await fetch(`${serving.url}/readyz`)).status === 200);
  const answer = await fetch(`${serving.url}/t/acme/requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(PERMITTED),
  });
  assert.is(answer.status, 201);
  await answer.text();
  assert.is(await count(`cause = 'undelivered'`), 0);
});

server('ends a lease whose caller hung up before the answer was written', async () => {
  const body = JSON.stringify(PERMITTED);
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  minting = async () => {
    socket.destroy();
    await closed;
    // The server has to hear of it too.
    await pause(50);
  };
  socket.write(
    `POST /t/acme/requests HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await until(async () => (await count(`cause = 'undelivered' and state = 'revoked'`)) === 1);
  minting = async () => undefined;
  const [entry] = await app.sql<{ kind: string }>(
    `select e.kind from entries e join leases l on l.id = e.lease where l.cause = 'undelivered' order by e.at desc limit 1`,
  );
  assert.is(entry?.kind, 'lease.revoked');
});

server('keeps its sweeper going: a lease that expires is ended', async () => {
  const answer = await fetch(`${serving.url}/t/acme/requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...PERMITTED, ttl: 1 }),
  });
  const { lease } = (await answer.json()) as { lease: { id: string } };
  await until(async () => (await count(`id = '${lease.id}' and state = 'revoked' and cause = 'expired'`)) === 1);
});

server('counts breakers by itself: what fails again and again asks', async () => {
  const send = (path: string, body: object): Promise<Response> =>
    fetch(`${serving.url}/t/acme${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  // As many as the starting bundle takes.
  for (let n = 0; n < 5; n++) {
    const { lease } = (await (await send('/requests', PERMITTED)).json()) as { lease: { id: string } };
    await (await send(`/leases/${lease.id}/complete`, { outcome: 'failed', summary: 'the API is down' })).text();
  }
  const trips = async (): Promise<readonly { id: string }[]> => app.sql<{ id: string }>('select id from trips');
  await until(async () => (await trips()).length === 1);
  const asked = await send('/requests', { ...PERMITTED, parameters: { ticket: 'ACME-2', queue: 'network' } });
  assert.is(asked.status, 202);
  await asked.text();
  const ready = (await (await fetch(`${serving.url}/readyz`)).json()) as { breakers: boolean };
  assert.is(ready.breakers, true);
  await app.sql(`update trips set ended_at = brevet_now(), ended_by = 'otto'`);
  await app.sql('update tenants set epoch = epoch + 1');
});

for (const [what, passing, isOver] of [
  ['once its sweeper has passed, however slow', (beat: () => Promise<void>) => pause(300).then(beat), true],
  ['where its sweeper cannot pass', () => Promise.reject(new StoreUnavailable('away')), true],
  ['where nothing is heard of its sweeper', () => pause(2_500), false],
] as const) {
  server(`says that it serves ${what}`, async () => {
    const more = await openStore({
      database: app.database.serve,
      keyring: app.keyring,
      node: 'new',
      log,
      mode: 'node',
    });
    let over = false;
    const beat = (node: string): Promise<void> => passing(() => more.beat(node)).finally(() => (over = true));
    const parts = { config, store: { ...more, beat }, keyring: app.keyring, log, node: 'new' };
    const another = await serveNode(parts, { listen: { host: '127.0.0.1', port: 0 }, bundle: null });
    assert.is(over, isOver);
    assert.is((await fetch(`${another.url}/healthz`)).status, 200);
    await another.stop();
  });
}

server('does not listen where another does', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port: used } = taken.address() as AddressInfo;
  const more = await openStore({ database: app.database.serve, keyring: app.keyring, node: 'late', log, mode: 'node' });
  const parts = { config, store: more, keyring: app.keyring, log, node: 'late' };
  const refused = await serveNode(parts, { listen: { host: '127.0.0.1', port: used }, bundle: null }).then(
    () => null,
    (fault: unknown) => fault as NodeJS.ErrnoException,
  );
  assert.is(refused?.code, 'EADDRINUSE');
  await more.close();
  taken.close();
});

server('finishes what is under way when it is stopped, and takes nothing more', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    minting = async () => {
      resolve();
      await held;
    };
  });
  const answer = fetch(`${serving.url}/t/acme/requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(PERMITTED),
  });
  await reached;
  const counting = Promise.withResolvers<void>();
  await new Promise<void>((begun) => {
    tallying = () => {
      begun();
      return counting.promise;
    };
    // As though no node had just counted.
    app.sql('delete from turns').catch(assert.unreachable);
  });
  const waiting = serving.deps.pause(3_600_000).then(
    () => 'over',
    () => 'left',
  );
  const stopped = serving.stop();
  release();
  assert.is((await answer).status, 201);
  await Promise.race([stopped, pause(500)]);
  counting.resolve();
  await stopped;
  await counted;
  await pause(20);
  assert.not.match(app.logged.join('\n'), 'breakers.not_counted');
  assert.is(await waiting, 'left', 'what waits in the background keeps no process');
  const after = await fetch(`${serving.url}/healthz`).then(
    () => 'answered',
    () => 'refused',
  );
  assert.is(after, 'refused');
});

server.after(() => app.close());
server.run();
