import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cameOf, raiseWords, saidBefore } from '../../../src/console/decision/words.ts';
import type { PersonName } from '../../../src/core/ids.ts';
import type { Shown } from '../../../src/approve/package.ts';

type Before = Shown['before'][number];

const words = suite('a decision in words');

const RAISES: readonly (readonly [because: string, said: string])[] = [
  ['contract:none', 'the client’s contract says nothing of AI: everything asks'],
  ['contract:notify', 'the client’s contract accepts acts that people are told of'],
  ['autonomy:ask-always', 'the agent is registered for acts that a person approved'],
  ['claims:low_confidence', 'the agent is not sure itself'],
  ['breaker:trp_1', 'a circuit breaker of this agent and task class has tripped here (trp_1)'],
  ['probation', 'the agent is on probation here'],
  ['something-new', 'something-new'],
];
for (const [because, said] of RAISES) {
  words(`a tier raised by ${because}`, () => assert.is(raiseWords(because), said));
}

const BEFORE: Before = {
  request: 'req_1',
  at: '2026-11-27T12:00:00.000Z',
  agent: 'net-bot',
  resource: 'edge-firewall',
  state: 'pending',
  narrowed: false,
  rejection: null,
  by: [],
  outcome: null,
  lease: null,
  death: null,
} as unknown as Before;
const PAULA = [{ person: 'paula', verdict: 'approved' }] as unknown as Before['by'];

const PAST: readonly (readonly [what: string, more: Partial<Before>, said: string, came: string])[] = [
  ['that waits', {}, 'no answer yet', '–'],
  ['that nobody answered', { state: 'expired' }, 'nobody answered', '–'],
  ['that its agent withdrew', { state: 'cancelled' }, 'withdrawn by the agent', '–'],
  [
    'that was refused',
    { state: 'rejected', rejection: { reason: 'wrong_client', words: null, by: 'paula' as PersonName }, by: PAULA },
    'no: wrong client (paula)',
    '–',
  ],
  ['that was taken back', { state: 'revoked', by: PAULA }, 'yes, and taken back (paula)', '–'],
  ['that is under way', { state: 'redeemed', by: PAULA, lease: 'active' }, 'yes (paula)', 'under way'],
  ['of which nothing was heard', { state: 'redeemed', by: PAULA, lease: 'revoked' }, 'yes (paula)', 'nothing reported'],
  [
    'that was done in part',
    { state: 'redeemed', by: PAULA, narrowed: true, lease: 'revoked', outcome: 'failed' },
    'yes to less (paula)',
    'failed',
  ],
];
for (const [what, more, said, came] of PAST) {
  words(`one ${what}`, () => {
    const one = { ...BEFORE, ...more };
    assert.equal([saidBefore(one), cameOf(one)], [said, came]);
  });
}

words.run();
