/** Calls under way are watched as long as there are any. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newGateway, newKept } from '../../../src/core/gateway/kept.ts';
import type { LeaseId, TenantName } from '../../../src/core/ids.ts';
import type { Lease } from '../../../src/core/lease.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import type { Deps } from '../../../src/deps.ts';
import { openCall } from '../../../src/use/gateway/open.ts';

const watching = suite('use/gateway/open');

const lease = { id: 'lse_1' as LeaseId, tenant: 'acme' as TenantName, expiresAt: instant(1_000_000) } as Lease;

watching('ends in time a call that opens in the very moment in which nothing is watched any more', async () => {
  let now = 0;
  const pauses: (() => void)[] = [];
  const begun: Promise<void>[] = [];
  const deps = {
    gateway: newGateway(() => Promise.reject(new Error('nothing goes out')), newKept()),
    clock: () => instant(now),
    pause: () => new Promise<void>((over) => pauses.push(over)),
    background: (work: Promise<void>) => void begun.push(work),
  } as unknown as Deps;
  openCall(deps, lease, seconds(60)).close();
  pauses.shift()?.();
  // The first turn is the watcher's, which finds nothing open; it has not ended yet.
  await Promise.resolve();
  const second = openCall(deps, lease, seconds(60));
  await Promise.all(begun.slice(0, 1));
  now = 61_000;
  assert.is(pauses.length, 1);
  pauses.shift()?.();
  await new Promise((turn) => setImmediate(turn));
  assert.equal([second.signal.aborted, second.signal.reason], [true, 'too_slow']);
});

watching.run();
