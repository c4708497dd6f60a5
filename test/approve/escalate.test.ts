import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { passing } from '../../src/approve/escalate.ts';
import type { Approval, ApprovalState } from '../../src/core/approval.ts';
import type { PersonName } from '../../src/core/ids.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { approvalOf, requestAt } from '../support/lives.ts';

const step = (within: number, ...asks: string[]) => ({
  name: 's',
  within: seconds(within),
  quorum: { of: 'any', count: 1 } as const,
  asks: asks as PersonName[],
  backups: [],
  skipped: [],
});

/** Three steps of ten seconds, of which the second reaches nobody. */
const approval = (state: ApprovalState, at = 0, redeemBy: number | null = null): Approval => ({
  ...approvalOf(requestAt(instant(0))),
  route: [step(10, 'ada'), step(0), step(10, 'bob'), step(10, 'cyd')],
  expiresAt: instant(30_000),
  state,
  version: 4,
  step: at,
  stepEndsAt: instant(10_000),
  votes: [],
  acceptedAt: null,
  decidedAt: null,
  redeemBy: redeemBy === null ? null : instant(redeemBy),
  rejection: null,
  lease: null,
});

const time = suite('time, passing over an approval');

time('leaves it alone within a step', () => {
  assert.equal(passing(approval('pending'), instant(9_999)), { what: 'wait', until: instant(10_000) });
});

time('asks the next once a step is over, and passes a step that reaches nobody', () => {
  assert.equal(passing(approval('pending'), instant(10_000)), {
    what: 'escalate',
    move: { from: 'pending', to: 'pending', version: 4, step: 2, stepEndsAt: instant(20_000), asks: ['bob'] },
    next: instant(20_000),
  });
});

time('that passed over two steps at once, since nobody was there to look, asks the people of both', () => {
  const passed = passing(approval('pending'), instant(25_000));
  assert.equal(passed.what === 'escalate' && passed.move.asks, ['bob', 'cyd']);
});

time('ends it after the last step, and never with a yes', () => {
  for (const at of [30_000, 31_000, 900_000]) {
    const passed = passing(approval('pending', 3), instant(at));
    assert.equal(passed.what === 'expire' && passed.move.to, 'expired');
  }
});

time('ends a yes that nobody came for', () => {
  assert.equal(passing(approval('approved', 0, 40_000), instant(39_999)), { what: 'wait', until: instant(40_000) });
  const passed = passing(approval('approved', 0, 40_000), instant(40_000));
  assert.equal(passed.what === 'expire' && [passed.move.from, passed.move.to], ['approved', 'expired']);
});

time('does nothing to what is over', () => {
  for (const state of ['rejected', 'expired', 'cancelled', 'superseded', 'revoked'] as const) {
    assert.equal(passing(approval(state), instant(900_000)), { what: 'nothing' });
  }
});

time.run();
