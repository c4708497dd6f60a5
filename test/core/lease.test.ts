import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exposureOf, LEASE_STATES, markOf, MOVES } from '../../src/core/lease.ts';
import type { LeaseState } from '../../src/core/lease.ts';
import type { LeaseId } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';

const lease = suite('a lease');

const ALLOWED = new Set([
  'opening -> active',
  'opening -> revoking',
  'opening -> failed',
  'active -> revoking',
  'revoking -> revoked',
]);

for (const from of LEASE_STATES) {
  for (const to of LEASE_STATES) {
    const allowed = ALLOWED.has(`${from} -> ${to}`);
    lease(`${from} -> ${to} is ${allowed ? 'a' : 'no'} move`, () => {
      assert.is(MOVES[from].includes(to), allowed);
    });
  }
}

lease('ends in revoked or failed, whatever way it goes', () => {
  const ends = (from: LeaseState): LeaseState[] => (MOVES[from].length === 0 ? [from] : MOVES[from].flatMap(ends));
  assert.equal(new Set(LEASE_STATES.flatMap(ends)), new Set(['revoked', 'failed']));
});

lease('has a mark by which its id is found', () => {
  assert.is(markOf('lse_01h0000000000000000000000a' as LeaseId), 'brevet_01h0000000000000000000000a');
});

const HOUR = 3_600_000;
const EXPOSURES: readonly (readonly [
  what: string,
  expires: number,
  revoking: number,
  dead: number,
  exposure: number,
])[] = [
  ['revoked before its end counts from the revocation', 100, 10, 50, 40],
  ['dead in the commit of its revocation is none', 100, 10, 10, 0],
  ['expired and revoked at once counts from its end', 100, 100, 140, 40],
  ['found three hours after its end counts from its end', 0, 3 * HOUR, 3 * HOUR + 40, 3 * HOUR + 40],
  ['seen dead before its end by a clock behind is none', 100, 10, 5, 0],
  ['over by expiry alone, after the revocation, counts from the revocation', 100, 10, 100, 90],
];
for (const [what, expires, revoking, dead, exposure] of EXPOSURES) {
  lease(`exposure: ${what}`, () => {
    assert.is(exposureOf(instant(expires), instant(revoking), { how: 'verified', at: instant(dead) }), exposure);
  });
}

lease('exposure: what nobody can see dead counts as alive until its end', () => {
  const exposure = (dead: number) => exposureOf(instant(100), instant(10), { how: 'unverifiable', at: instant(dead) });
  assert.equal([exposure(12), exposure(130)], [90, 120]);
});

lease.run();
