/** What nobody got is taken back, whatever the store says meanwhile, and no longer than it could live. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import { after, instant, seconds } from '../../src/core/time.ts';
import type { LeaseId, TenantName } from '../../src/core/ids.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Deps } from '../../src/deps.ts';
import { takeBack } from '../../src/revoke/undelivered.ts';

const START = instant(1_800_000_000_000);
const LEASE = {
  tenant: 'acme' as TenantName,
  id: 'lse_01jq0000000000000000000000' as LeaseId,
  expiresAt: after(START, seconds(300)),
};

/** @returns how often it looked, and when it was through, in seconds; time passes in its pauses alone. */
async function looks(answers: (look: number) => Lease | null | 'away'): Promise<{ looked: number; after: number }> {
  let now: number = START;
  let looked = 0;
  const deps = {
    clock: () => instant(now),
    pause: async (ms: number) => {
      now += ms;
    },
    store: {
      lease: async () => {
        const answer = answers(++looked);
        if (answer === 'away') throw new StoreUnavailable('away');
        return answer;
      },
    },
  } as unknown as Deps;
  await takeBack(deps, LEASE);
  return { looked, after: (now - START) / 1000 };
}

const over = { ...LEASE, state: 'revoking' } as Lease;

const undelivered = suite('undelivered');

undelivered('asks again until the store answers', async () => {
  assert.equal(await looks((look) => (look < 20 ? 'away' : over)), { looked: 20, after: 19 });
});

undelivered('looks once more at what is not there, when it can land no more', async () => {
  assert.equal(await looks(() => null), { looked: 2, after: 30 });
  assert.equal(await looks((look) => (look === 1 ? null : over)), { looked: 2, after: 30 });
  assert.equal(await looks((look) => (look <= 40 ? 'away' : null)), { looked: 41, after: 40 });
});

undelivered('leaves it to its expiry where the store stays away', async () => {
  assert.equal(await looks(() => 'away'), { looked: 300, after: 300 });
});

undelivered('does not hide a fault', async () => {
  const fault = await looks(() => {
    throw new RangeError('a fault');
  }).catch((error: unknown) => error);
  assert.instance(fault, RangeError);
});

undelivered.run();
