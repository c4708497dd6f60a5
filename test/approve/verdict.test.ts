/** What one person's word makes of an approval. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { yesOf } from '../../src/core/approval.ts';
import type { Approval, Vote } from '../../src/core/approval.ts';
import type { PersonName } from '../../src/core/ids.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { moveOf } from '../../src/approve/verdict.ts';
import type { Word } from '../../src/approve/verdict.ts';

const NOW = instant(1_000_000);
const YES: Word = { verdict: 'approve' };
const NO: Word = { verdict: 'reject', reason: 'too_wide', words: null };
const LESS: Word = { verdict: 'narrow', narrower: { ttl: 60, uses: null, parameters: {} } };

const vote = (person: string, verdict: Vote['verdict'] = 'approve'): Vote =>
  ({ person: person as PersonName, verdict, at: NOW }) as Vote;

const approvalOf = (count: number, votes: readonly Vote[]): Approval => {
  const asks = ['ada', 'bob', 'cyd'] as PersonName[];
  const step = {
    name: 's',
    within: seconds(60),
    quorum: { of: 'any', count },
    asks,
    backups: [],
    skipped: [],
  } as const;
  return { route: [step], step: 0, votes, version: 3, redeemWithin: seconds(900) } as unknown as Approval;
};

const CASES: readonly (readonly [what: string, count: number, before: readonly Vote[], word: Word, to: string])[] = [
  ['a yes, where one is enough', 1, [], YES, 'approved'],
  ['the first yes of two', 2, [], YES, 'pending'],
  ['the second yes of two', 2, [vote('ada')], YES, 'approved'],
  ['another yes of the same person', 2, [vote('bob')], YES, 'pending'],
  ['a yes after somebody’s no', 2, [vote('ada', 'reject')], YES, 'pending'],
  ['a no, whoever said yes before', 2, [vote('ada')], NO, 'rejected'],
  ['less than was asked, whoever said yes before', 2, [vote('ada')], LESS, 'superseded'],
];

const words = suite('a person’s word');

for (const [what, count, before, word, to] of CASES) {
  words(`${what}, makes it ${to}`, () => {
    const said = vote('bob', word.verdict);
    const move = moveOf(approvalOf(count, before), word, { vote: said, standing: yesOf(before) });
    assert.equal([move.from, move.to, move.version, move.votes], ['pending', to, 3, [...before, said]]);
    assert.is(move.redeemBy, to === 'approved' ? NOW + 900_000 : undefined);
  });
}

words('counts no yes before it that counts no more', () => {
  const move = moveOf(approvalOf(2, [vote('ada')]), YES, { vote: vote('bob'), standing: [] });
  assert.is(move.to, 'pending');
});

words.run();
