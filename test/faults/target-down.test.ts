/** A client's database that is down: nothing is issued, what is to be ended waits, and nobody else waits with it. */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FIRST_SHARE } from '../../src/core/breakers.ts';
import type { Serving } from '../../src/node/serve.ts';
import { wrapProvider } from '../support/kill-wraps.ts';
import type { Place } from '../support/kill-wraps.ts';
import { ask, complete, leaseOf, QUERY } from '../support/kill-agent.ts';
import type { Task } from '../support/kill-agent.ts';
import { audit, leaseRows } from '../support/kill-audit.ts';
import type { LeaseRow } from '../support/kill-audit.ts';
import { administer, killWorld, sessionAt } from '../support/kill-world.ts';
import type { KillWorld } from '../support/kill-world.ts';

let world: KillWorld;
let node: Serving;
let token: string;
/** Leases whose end gets no answer from their provider until the gate is opened, and how many ends wait there. */
const far = new Set<string>();
const gate = Promise.withResolvers<void>();
let hanging = 0;

async function hang({ verb, when, of }: Place): Promise<void> {
  if (verb !== 'revoke' || when !== 'before' || !far.has(of)) return;
  hanging++;
  await gate.promise;
}

const test = suite('a target that is down');

test.before(async () => {
  world = await killWorld();
  node = await world.serve({ around: (provider) => wrapProvider(provider, hang) });
  const { config, secret } = world.client;
  await administer(world, node.url, 'PUT', '/api/tenants/acme/targets/far-db', {
    provider: 'postgres',
    config,
    secret: secret.reveal(),
    msp_wide: { reason: 'One server stands for two' },
    environment: 'production',
    data_classes: [],
  });
  token = await sessionAt(world, node.url, 'report-bot');
});

test.after(async () => {
  await node.stop();
  await world.close();
});

const FAR: Task = { ...QUERY, body: { ...QUERY.body, resource: 'far-db' } };

async function begun(task: Task, count: number): Promise<string[]> {
  const replies = await Promise.all(Array.from({ length: count }, () => ask(node.url, token, task)));
  return replies.map((reply) => {
    assert.is(reply?.status, 201, JSON.stringify(reply?.body));
    return leaseOf(reply) ?? '';
  });
}

async function rowOf(lease: string): Promise<LeaseRow> {
  const row = (await leaseRows(world)).find(({ id }) => id === lease);
  assert.ok(row !== undefined, `${lease} is in the store`);
  return row;
}

const LIMIT_MS = 40_000;

async function until(lease: string, states: readonly string[]): Promise<LeaseRow> {
  for (const began = Date.now(); Date.now() < began + LIMIT_MS;) {
    const row = await rowOf(lease);
    if (states.includes(row.state)) return row;
    await pause(100);
  }
  throw new Error(`${lease} did not come to be ${states.join(' or ')}`);
}

test('a target that hangs delays no other', async () => {
  // More than the queue takes in hand of one target, beside the one that each agent's own completion began.
  for (const lease of await begun(FAR, 12)) far.add(lease);
  await Promise.all([...far].map((lease) => complete(node.url, token, lease, 0)));
  while (hanging < far.size + FIRST_SHARE) await pause(100);
  const near = await begun({ ...QUERY, body: { ...QUERY.body, ttl: 5 } }, 4);
  const deaths = await Promise.all(near.map((lease) => until(lease, ['revoked'])));
  for (const { cause } of deaths) assert.is(cause, 'expired');
  for (const lease of far) assert.is((await rowOf(lease)).state, 'revoking');
  gate.resolve();
  for (const lease of far) assert.is((await until(lease, ['revoked'])).death?.how, 'verified');
});

test('issue refuses cleanly, and revocation waits and then tells how long it took', async () => {
  const [lease = ''] = await begun(QUERY, 1);
  await world.client.stop();
  const stoppedAt = Date.now();
  const refused = await ask(node.url, token, QUERY, 'while-it-is-down');
  assert.is(refused?.status, 503);
  assert.is(refused?.body['code'], 'provider_unavailable');
  assert.ok(Number(refused?.retryAfter) > 0, 'Retry-After');
  const ended = await complete(node.url, token, lease, 0);
  assert.is(ended?.status, 200);
  assert.is((await rowOf(lease)).state, 'revoking');
  const committedAt = Date.now();
  await pause(1_500);
  assert.is((await rowOf(lease)).state, 'revoking');
  await world.client.start();
  const backAt = Date.now();
  const dead = await until(lease, ['revoked']);
  assert.is(dead.death?.how, 'verified');
  assert.ok(Number(dead.exposure) >= backAt - committedAt, `${dead.exposure} ms were told of ${backAt - committedAt}`);
  assert.ok(Number(dead.exposure) <= Date.now() - stoppedAt, `${dead.exposure} ms are more than have passed`);
  const again = await ask(node.url, token, QUERY, 'while-it-is-down');
  const opening = leaseOf(again);
  assert.ok(again?.status === 200 && opening !== null, 'the key names the lease that was tried');
  assert.is((await until(opening, ['failed', 'revoked'])).state, 'failed');
  const { orphans, undead, untold } = await audit(world);
  assert.equal({ orphans, undead, untold }, { orphans: [], undead: [], untold: [] });
});

test.run();
