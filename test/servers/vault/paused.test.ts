/**
 * A node is paused with SIGSTOP in the middle of a mint at Vault. Another reconciles past the mint's deadline and says what
 * became of the lease. Then the first one goes on: no token lives that Brevet calls dead.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientVault } from '../../support/client-vault.ts';
import type { ClientVault } from '../../support/client-vault.ts';
import { ask, newKey, QUERY } from '../../support/kill-agent.ts';
import { leaseRows } from '../../support/kill-audit.ts';
import type { LeaseRow } from '../../support/kill-audit.ts';
import { endNodes, startNode } from '../../support/kill-node.ts';
import type { NodeProcess } from '../../support/kill-node.ts';
import { administer, killWorld, sessionAt } from '../../support/kill-world.ts';
import type { KillWorld } from '../../support/kill-world.ts';
import { readThroughVault } from './bundle.ts';

const AT_ONCE = 4;
const LIMIT_MS = 90_000;
const FAR = { ...QUERY, body: { ...QUERY.body, resource: 'far-vault' } };

let world: KillWorld;
let client: ClientVault;
let road: Road;

const test = suite('a node is paused in the middle of a mint at Vault');

test.before(async () => {
  client = await clientVault();
  world = await killWorld({ client: client.database, edit: readThroughVault });
  road = await openRoad(client.vault.port);
  const serving = await world.serve();
  await administer(world, serving.url, 'PUT', '/api/tenants/acme/targets/far-vault', {
    provider: 'vault',
    config: { ...client.config, address: `http://127.0.0.1:${road.port}` },
    secret: client.secret.reveal(),
    environment: 'production',
    data_classes: [],
  });
  await serving.stop();
});

test.after(async () => {
  endNodes();
  road.close();
  await client.vault.stop();
  await world.close();
});

/** A way to Vault on which requests that make tokens can be held, and let through later. */
interface Road {
  readonly port: number;
  hold(): void;
  held(): number;
  letThrough(): void;
  close(): void;
}

const MAKING = 'POST /v1/auth/token/create/brevet-acme_';

async function openRoad(to: number): Promise<Road> {
  let holding = false;
  const held: (() => void)[] = [];
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    far.pipe(near);
    let stopped: Buffer[] | null = null;
    near.on('data', (chunk) => {
      if (stopped === null && holding && chunk.includes(MAKING)) {
        stopped = [];
        held.push(() => {
          for (const kept of stopped ?? []) far.write(kept);
          stopped = null;
        });
      }
      if (stopped === null) far.write(chunk);
      else stopped.push(chunk);
    });
    // What was sent arrives, also where its sender has given up.
    near.on('close', () => void (stopped === null && far.end()));
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
    close: () => server.close(),
  };
}

async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(what);
    await pause(50);
  }
}

const madeSince = async (before: ReadonlySet<string>): Promise<readonly LeaseRow[]> =>
  (await leaseRows(world)).filter(({ id }) => !before.has(id));

/** Tokens and logins of leases at Vault. */
async function nothingLives(what: string): Promise<void> {
  for (const path of ['auth/token/create', 'database/creds']) {
    const { body } = await client.vault.call('GET', `sys/leases/lookup/${path}/?list=1`);
    assert.not(JSON.stringify(body).includes('brevet-acme_'), `${what}: ${path}`);
  }
}

/** @param stopped brings the mints to where the node is stopped; resolves to what makes them go on. */
async function pausedAt(
  stopped: (node: NodeProcess) => Promise<() => void>,
  becomes: LeaseRow['state'],
): Promise<void> {
  const before = new Set((await leaseRows(world)).map(({ id }) => id));
  const [paused, other] = await Promise.all([startNode(world, 'armed'), startNode(world, 'start')]);
  const token = await sessionAt(world, paused.url, 'report-bot');
  const arrived = stopped(paused);
  await pause(50);
  const asked = Array.from({ length: AT_ONCE }, () => ask(paused.url, token, FAR, newKey()));
  const release = await arrived;
  await until(async () => (await madeSince(before)).length === AT_ONCE, 'not every lease was opened');
  paused.signal('SIGSTOP');
  const isOver = ({ state }: LeaseRow): boolean => state === 'failed' || state === 'revoked';
  await until(async () => (await madeSince(before)).every(isOver), 'not reconciled');
  const states = (await madeSince(before)).map(({ state, death }) => death?.how ?? state);
  assert.equal(states, Array<string>(AT_ONCE).fill(becomes === 'revoked' ? 'verified' : becomes));
  await nothingLives('while it is paused');
  release();
  // What was on its way lands before the node itself goes on.
  await pause(500);
  await nothingLives('what was held has landed');
  paused.signal('SIGCONT');
  const replies = (await Promise.all(asked)).map((reply) => reply?.status);
  for (const status of replies) assert.is(status, 503, 'no credential leaves');
  await nothingLives('after it went on');
  await pause(1_000);
  await nothingLives('and a while later');
  await Promise.all([paused.kill(), other.kill()]);
}

const stepAt = (when: 'before' | 'after') => async (node: NodeProcess) => {
  node.arm({ provider: 'vault', phase: 'ask', verb: 'mint', when });
  await node.reached(AT_ONCE, LIMIT_MS);
  return () => node.go();
};

test('before the mint is sent', () => pausedAt(stepAt('before'), 'failed'));

test('after the mint has landed, before it is written down', () => pausedAt(stepAt('after'), 'revoked'));

test('while the token is being asked for', () =>
  pausedAt(async () => {
    road.hold();
    await until(() => road.held() > 0, 'no mint came by');
    return () => road.letThrough();
  }, 'failed'));

test.run();
