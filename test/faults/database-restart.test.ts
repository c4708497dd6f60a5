/**
 * Brevet's own Postgres is restarted under load, in order and by a crash. Meanwhile callers are told to come back;
 * nothing that was acknowledged is lost; and service returns by itself.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { provision } from '../../src/embedded/provision.ts';
import { startEmbedded } from '../../src/embedded/server.ts';
import type { Serving } from '../../src/node/serve.ts';
import { migrate } from '../../src/store/migrate.ts';
import { ask, complete, leaseOf, QUERY, receiptOf, routing } from '../support/kill-agent.ts';
import type { Receipt, Reply } from '../support/kill-agent.ts';
import { audit, lostReceipts } from '../support/kill-audit.ts';
import { call, killWorld, sessionAt } from '../support/kill-world.ts';
import type { KillWorld } from '../support/kill-world.ts';
import { dataFolder } from '../support/cluster.ts';

const options = { note: "Brevet's own database", dataDir: await dataFolder('own') };
let server = await startEmbedded(options);
let world: KillWorld;
let node: Serving;

const test = suite("Brevet's database is restarted under load");

test.before(async () => {
  const { owner, serve } = await provision(server);
  await migrate(owner);
  const admin = server.connection('brevet');
  world = await killWorld({ database: { owner, serve, admin, drop: () => server.stop() } });
  node = await world.serve();
});

test.after(async () => {
  await node.stop();
  await world.close();
});

interface Seen {
  readonly issued: string[];
  readonly ended: string[];
  readonly receipts: Receipt[];
  /** Answers that were no success, as `status code retry-after`. */
  readonly refused: string[];
}

/** Leases that begin and end without a pause, until told to stop. */
async function load(seen: Seen): Promise<() => Promise<unknown>> {
  const stopping = new AbortController();
  const tokens = {
    'report-bot': await sessionAt(world, node.url, 'report-bot'),
    'triage-bot': await sessionAt(world, node.url, 'triage-bot'),
  };
  const take = (reply: Reply, acknowledged: string[]): string | null => {
    const [lease, receipt] = [leaseOf(reply), receiptOf(reply)];
    if (reply === null || reply.status >= 300) {
      seen.refused.push(`${reply?.status} ${String(reply?.body['code'])} ${Number(reply?.retryAfter) > 0}`);
      return null;
    }
    if (lease !== null) acknowledged.push(lease);
    if (receipt !== null) seen.receipts.push(receipt);
    return lease;
  };
  const working = [QUERY, routing('edge-firewall'), routing('edge-firewall'), QUERY].map(async (task) => {
    while (!stopping.signal.aborted) {
      const lease = take(await ask(node.url, tokens[task.agent], task), seen.issued);
      if (lease === null) await pause(20);
      else take(await complete(node.url, tokens[task.agent], lease, 0), seen.ended);
    }
  });
  return () => {
    stopping.abort();
    return Promise.all(working);
  };
}

const WAYS: readonly (readonly [string, () => Promise<void>])[] = [
  ['in order', () => server.stop()],
  [
    'by a crash',
    async () => {
      // In one turn, or it might be found dead and started again.
      process.kill(server.pid(), 'SIGKILL');
      await server.stop();
    },
  ],
];

for (const [how, stop] of WAYS) {
  test(`${how}: refused with 503 and Retry-After, nothing lost, back by itself`, async () => {
    const seen: Seen = { issued: [], ended: [], receipts: [], refused: [] };
    const cease = await load(seen);
    while (seen.ended.length < 10) await pause(20);
    await stop();
    const before = seen.refused.length;
    while (seen.refused.length < before + 10) await pause(20);
    const ready = await call(node.url, 'GET', '/readyz');
    assert.is(ready.status, 503);
    server = await startEmbedded(options);
    const ended = seen.ended.length;
    while (seen.ended.length < ended + 10) await pause(20);
    await cease();
    assert.equal([...new Set(seen.refused)], ['503 database_unavailable true']);
    await nothingLost(seen);
    console.log(`${how}: ${seen.issued.length} issued, ${seen.ended.length} ended, ${seen.refused.length} refused`);
  });
}

async function nothingLost({ issued, ended, receipts }: Seen): Promise<void> {
  assert.equal(await lostReceipts(world, receipts), []);
  const { leases, orphans, undead, untold, doubled } = await audit(world);
  const rows = new Map(leases.map((lease) => [lease.id, lease]));
  assert.equal({ orphans, undead, untold, doubled }, { orphans: [], undead: [], untold: [], doubled: [] });
  for (const lease of issued) assert.ok(rows.get(lease)?.active_at, `${lease} was acknowledged`);
  for (const lease of ended) assert.ok(['revoking', 'revoked'].includes(rows.get(lease)?.state ?? ''), lease);
}

test.run();
