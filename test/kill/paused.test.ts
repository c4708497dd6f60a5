/**
 * A node is paused with SIGSTOP in the middle of a mint. Another reconciles past the mint's deadline and says what
 * became of the lease. Then the first one goes on: no login lives that Brevet calls dead.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ask, newKey, QUERY } from '../support/kill-agent.ts';
import { audit, leaseRows } from '../support/kill-audit.ts';
import type { LeaseRow } from '../support/kill-audit.ts';
import { endNodes, startNode } from '../support/kill-node.ts';
import type { NodeProcess } from '../support/kill-node.ts';
import type { Step } from '../support/kill-steps.ts';
import { administer, killWorld, sessionAt } from '../support/kill-world.ts';
import type { KillWorld } from '../support/kill-world.ts';

let world: KillWorld;
let road: Road;

const test = suite('a node is paused in the middle of a mint');

test.before(async () => {
  world = await killWorld();
  road = await openRoad(world.client.port);
  const serving = await world.serve();
  const { config, secret } = world.client;
  await administer(world, serving.url, 'PUT', '/api/tenants/acme/targets/far-db', {
    provider: 'postgres',
    config: { ...config, nodes: [{ host: '127.0.0.1', port: road.port }] },
    secret: secret.reveal(),
    msp_wide: { reason: 'One server stands for two' },
    environment: 'production',
    data_classes: [],
  });
  await serving.stop();
});

test.after(async () => {
  endNodes();
  await road.close();
  await world.close();
});

/** A way to the client's database on which the statement that mints can be held, and let through later. */
interface Road {
  readonly port: number;
  /** Holds every mint that comes from now on. */
  hold(): void;
  held(): number;
  letThrough(): void;
  close(): Promise<void>;
}

const MINTING = 'CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L';

async function openRoad(to: number): Promise<Road> {
  let holding = false;
  const held: (() => void)[] = [];
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    far.pipe(near);
    let stopped: Buffer[] | null = null;
    near.on('data', (chunk) => {
      if (stopped === null && holding && chunk.includes(MINTING)) {
        stopped = [];
        held.push(() => {
          for (const kept of stopped ?? []) far.write(kept);
          stopped = null;
        });
      }
      if (stopped === null) far.write(chunk);
      else stopped.push(chunk);
    });
    near.on('close', () => far.end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      holding = true;
    },
    held: () => held.length,
    letThrough: () => {
      holding = false;
      for (const go of held.splice(0)) go();
    },
    close: async () => {
      await new Promise((closed) => {
        server.close(closed);
        endNodes();
      });
    },
  };
}

const FAR = { ...QUERY, body: { ...QUERY.body, resource: 'far-db' } };
const AT_ONCE = 8;
const LIMIT_MS = 90_000;

async function reconciled(before: ReadonlySet<string>): Promise<readonly LeaseRow[]> {
  const until = performance.now() + LIMIT_MS;
  for (;;) {
    const made = (await leaseRows(world)).filter(({ id }) => !before.has(id));
    if (made.length > 0 && made.every(({ state }) => state === 'failed' || state === 'revoked')) return made;
    if (performance.now() > until) throw new Error(`not reconciled: ${JSON.stringify(made.slice(0, 2))}`);
    await pause(200);
  }
}

/** The first to arrive is held; the rest have committed their intent a moment later. */
async function allOpening(): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  const opening = async (): Promise<number> =>
    (await leaseRows(world)).filter(({ state }) => state === 'opening').length;
  while ((await opening()) < AT_ONCE && performance.now() < until) await pause(20);
}

async function nothingLives(what: string): Promise<void> {
  const { undead, orphans, untold, held } = await audit(world);
  assert.equal({ undead, orphans, untold, held }, { undead: [], orphans: [], untold: [], held: [] }, what);
}

/** @param stopped brings the mints to where the node is stopped; @returns what makes them go on. */
async function pausedAt(
  stopped: (node: NodeProcess) => Promise<() => void>,
  becomes: LeaseRow['state'],
): Promise<void> {
  const before = new Set((await leaseRows(world)).map(({ id }) => id));
  const [paused, other] = await Promise.all([startNode(world, 'armed'), startNode(world, 'start')]);
  const token = await sessionAt(world, paused.url, 'report-bot');
  const goOn = await stoppedWith(paused, token, stopped);
  const made = await reconciled(before);
  assert.is(made.length, AT_ONCE);
  assert.equal(
    made.map(({ state }) => state),
    Array<string>(AT_ONCE).fill(becomes),
  );
  await nothingLives('while it is paused');
  const replies = await goOn();
  for (const status of replies) assert.is(status, 503, 'no credential leaves');
  await nothingLives('after it went on');
  await pause(1_000);
  await nothingLives('and a while later');
  await Promise.all([paused.kill(), other.kill()]);
}

async function stoppedWith(
  paused: NodeProcess,
  token: string,
  stopped: (node: NodeProcess) => Promise<() => void>,
): Promise<() => Promise<readonly (number | undefined)[]>> {
  const arrived = stopped(paused);
  await pause(50);
  const asked = Array.from({ length: AT_ONCE }, () => ask(paused.url, token, FAR, newKey()));
  const release = await arrived;
  await allOpening();
  paused.signal('SIGSTOP');
  return async () => {
    release();
    // What was on its way lands before the node itself goes on.
    await pause(500);
    await nothingLives('what was held has landed');
    paused.signal('SIGCONT');
    return (await Promise.all(asked)).map((reply) => reply?.status);
  };
}

const stepAt = (verb: Step['verb'], when: Step['when']) => async (node: NodeProcess) => {
  node.arm({ provider: 'postgres', phase: 'ask', verb, when });
  await node.reached(AT_ONCE, LIMIT_MS);
  return () => node.go();
};

test('before the mint is sent', () => pausedAt(stepAt('mint', 'before'), 'failed'));

test('after the mint has landed, before it is written down', () => pausedAt(stepAt('mint', 'after'), 'revoked'));

test('while the mint is on its way', () =>
  pausedAt(async () => {
    road.hold();
    const until = performance.now() + LIMIT_MS;
    while (road.held() === 0) {
      if (performance.now() > until) throw new Error('no mint came by');
      await pause(5);
    }
    return () => road.letThrough();
  }, 'failed'));

test.run();
