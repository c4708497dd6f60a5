/** Two processes on one port and one database: either answers, what one has seen the other knows, Ctrl-C ends both. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/alive.ts';
import { administrator, call, newPlace, populate, postmaster, startBroker, stopBroker } from './broker.ts';
import type { Place, Process } from './broker.ts';

let place: Place;
let broker: Process;
let key: JWK;

const two = suite('brevet start --processes 2');

two.before(async () => {
  place = await newPlace();
  broker = await startBroker(place, { args: ['--processes', '2'] });
  const keys = await populate(await administrator(place), { 'triage-bot': ['triage'] });
  key = keys['triage-bot'] ?? {};
});
two.after(async () => {
  await stopBroker(broker);
});

const node = async (): Promise<string> => {
  const { body } = await call('GET', `${place.url}/readyz`, { alone: true });
  return String(body['node']);
};

/** A process's name ends with its id and a random part. */
const pidOf = (name: string): number => Number(name.split('-').at(-2));

/** Who asks without a pause keeps the processors from the one that is starting. */
const BETWEEN_LOOKS_MS = 20;

async function nodes(): Promise<readonly string[]> {
  const found = new Set<string>([await node()]);
  while (found.size < 2) {
    await pause(BETWEEN_LOOKS_MS);
    found.add(await node());
  }
  return [...found];
}

/** Until it is gone, and another one is in its place. */
async function untilReplaced(dead: string): Promise<readonly string[]> {
  for (;;) {
    const all = await nodes().catch(() => [dead]);
    if (!all.includes(dead)) return all;
    await pause(BETWEEN_LOOKS_MS);
  }
}

two('both answer on the one port', async () => {
  const seen = await Promise.all(Array.from({ length: 40 }, node));
  assert.is(new Set([...seen, ...(await nodes())]).size, 2);
});

two('an assertion that comes to both at once opens one session', async () => {
  const audience = `${place.url}/t/acme`;
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('triage-bot')
    .setSubject('triage-bot')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(key, 'ES256'));
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call('POST', `${audience}/token`, { form, alone: true })),
  );
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  assert.equal(statuses, [200, ...Array.from({ length: 19 }, () => 401)]);
});

two('a change made through one is what the other goes by', async () => {
  const by = await administrator(place);
  for (const autonomy of ['notify', 'ask-always', 'autonomous']) {
    await by.put('/api/tenants/acme', { display_name: 'Acme Retail', autonomy });
    const seen = await Promise.all(
      Array.from({ length: 10 }, () => call('GET', `${place.url}/api/tenants/acme`, { token: by.token, alone: true })),
    );
    assert.equal([...new Set(seen.map(({ body }) => body['autonomy']))], [autonomy]);
  }
});

two('one that dies is replaced, and the other goes on', async () => {
  const [dead = ''] = await nodes();
  process.kill(pidOf(dead), 'SIGKILL');
  assert.is((await untilReplaced(dead)).length, 2);
});

const CONNECTIONS = 100;
/** Over which they come: a process that is killed in the middle has some on their way to it. */
const SPREAD_MS = 40;
/** Where the first process hands the connections on, each kill leaves some client waiting. */
const KILLS = 2;

/** A client that has heard nothing by then waits for ever. */
const GIVEN_UP_MS = 10_000;

async function endOf(delay: number): Promise<'answered' | 'closed' | 'waits'> {
  await pause(delay);
  const socket = connect(Number(new URL(place.url).port), '127.0.0.1');
  const ended = Promise.withResolvers<'answered' | 'closed' | 'waits'>();
  const limit = setTimeout(() => ended.resolve('waits'), GIVEN_UP_MS);
  socket.once('data', () => ended.resolve('answered'));
  // Which is followed by its close.
  socket.on('error', () => undefined);
  socket.once('close', () => ended.resolve('closed'));
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const outcome = await ended.promise;
  clearTimeout(limit);
  socket.destroy();
  return outcome;
}

two('no client waits for one that was killed', async () => {
  for (let kill = 1; kill <= KILLS; kill++) {
    const [dead = ''] = await nodes();
    const ends = Array.from({ length: CONNECTIONS }, (_, nth) => endOf((nth * SPREAD_MS) / CONNECTIONS));
    await pause(SPREAD_MS / 2);
    process.kill(pidOf(dead), 'SIGKILL');
    const outcomes = await Promise.all(ends);
    assert.is(outcomes.filter((outcome) => outcome === 'waits').length, 0, `after ${kill} kills`);
    assert.ok(outcomes.includes('answered'));
    await untilReplaced(dead);
  }
});

two('Ctrl-C ends both, and their database, within five seconds', async () => {
  const pids = [...(await nodes()).map(pidOf), postmaster(place)];
  assert.ok(pids.every(isAlive));
  const began = performance.now();
  const { status, err } = await stopBroker(broker);
  assert.is(status, 0, err.slice(-500));
  assert.ok(performance.now() - began < 5_000);
  assert.equal(pids.filter(isAlive), []);
});

two.run();
