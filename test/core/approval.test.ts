import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  APPROVAL_MOVES,
  APPROVAL_STATES,
  askedSoFar,
  isEnough,
  isEnoughFor,
  stateAt,
} from '../../src/core/approval.ts';
import type { ApprovalState } from '../../src/core/approval.ts';
import type { PersonName } from '../../src/core/ids.ts';
import type { Quorum, RouteStep } from '../../src/core/route.ts';
import { instant, seconds } from '../../src/core/time.ts';

const persons = (...names: string[]): PersonName[] => names as PersonName[];
const any = (count: number): Quorum => ({ of: 'any', count });
const each = (...groups: string[][]): Quorum => ({ of: 'each', groups: groups.map((group) => persons(...group)) });

const quorums = suite('a quorum');

const ENOUGH: readonly (readonly [what: string, quorum: Quorum, yes: readonly string[], enough: boolean])[] = [
  ['one of any, by one', any(1), ['ada'], true],
  ['one of any, by nobody', any(1), [], false],
  ['none at all, by nobody', any(0), [], false],
  ['none at all, by one', any(0), ['ada'], false],
  ['two, by one', any(2), ['ada'], false],
  ['two, by one person twice', any(2), ['ada', 'ada'], false],
  ['two, by two', any(2), ['ada', 'bob'], true],
  ['one of each, by one of each', each(['ada'], ['bob']), ['ada', 'bob'], true],
  ['one of each, by one of one', each(['ada', 'cyd'], ['bob']), ['ada', 'cyd'], false],
  ['one of each, by one who is of both', each(['ada'], ['ada', 'bob']), ['ada'], false],
  ['one of each, by two of whom one is of both', each(['ada', 'bob'], ['ada']), ['ada', 'bob'], true],
  ['one of each of no group', each(), ['ada'], false],
  ['one of each, by nobody', each(['ada']), [], false],
  ['one of each of nobody', each([]), ['ada'], false],
];
for (const [what, quorum, yes, enough] of ENOUGH) {
  quorums(`of ${what} is ${enough ? '' : 'not '}reached`, () => assert.is(isEnough(quorum, persons(...yes)), enough));
}

const step = (quorum: Quorum, ...asks: string[]): RouteStep => ({
  name: 'step',
  within: seconds(asks.length === 0 ? 0 : 60),
  quorum,
  asks: persons(...asks),
  backups: [],
  skipped: [],
});
const TWO_THEN_ONE = [step(any(2), 'ada', 'bob'), step(any(1), 'max')];
const ONE_THEN_TWO = [step(any(1), 'ada', 'bob'), step(any(2), 'max', 'moe')];
const NOBODY_FIRST = [step(any(1)), step(any(2), 'ada', 'bob'), step(any(1), 'max')];

const REACHED: readonly (readonly [
  what: string,
  route: readonly RouteStep[],
  at: number,
  yes: readonly string[],
  enough: boolean,
])[] = [
  ['two, then one: one of the first', TWO_THEN_ONE, 0, ['ada'], false],
  ['two, then one, and the next were asked: one of the first', TWO_THEN_ONE, 1, ['ada'], false],
  ['two, then one, and the next were asked: both of the first', TWO_THEN_ONE, 1, ['ada', 'bob'], true],
  ['two, then one, and the next were asked: the next', TWO_THEN_ONE, 1, ['max'], true],
  ['one, then two, and the next were asked: one of the first', ONE_THEN_TWO, 1, ['ada'], false],
  ['one, then two, and the next were asked: one of each', ONE_THEN_TWO, 1, ['ada', 'max'], true],
  ['one, then two, and the next were asked: both of the next', ONE_THEN_TWO, 1, ['max', 'moe'], true],
  ['after a step that reached nobody: one of two', NOBODY_FIRST, 2, ['ada'], false],
  ['a step that is not there', TWO_THEN_ONE, 2, ['ada', 'bob', 'max'], false],
];
for (const [what, route, at, yes, enough] of REACHED) {
  quorums(`is ${enough ? '' : 'not '}reached by ${what}`, () =>
    assert.is(isEnoughFor({ route, step: at }, persons(...yes)), enough),
  );
}

quorums.run();

const states = suite('the states of an approval');

states('are left by the table alone, and every way ends', () => {
  const ends: ApprovalState[] = APPROVAL_STATES.filter((state) => APPROVAL_MOVES[state].length === 0);
  assert.equal(ends.toSorted(), ['cancelled', 'expired', 'rejected', 'revoked', 'superseded']);
  assert.not.ok(APPROVAL_MOVES.pending.includes('redeemed'));
});

const [EARLY, NOW, LATE] = [instant(1_000), instant(2_000), instant(3_000)];
const AT: readonly (readonly [
  state: ApprovalState,
  expiresAt: number,
  redeemBy: number | null,
  seen: ApprovalState,
])[] = [
  ['pending', LATE, null, 'pending'],
  ['pending', NOW, null, 'expired'],
  ['approved', EARLY, LATE, 'approved'],
  ['approved', LATE, NOW, 'expired'],
  ['approved', LATE, null, 'expired'],
  ['redeemed', EARLY, EARLY, 'redeemed'],
];
for (const [state, expiresAt, redeemBy, seen] of AT) {
  states(`are read by the clock: ${state}, ending at ${expiresAt}, ${redeemBy} is ${seen}`, () => {
    const ends = { expiresAt: instant(expiresAt), redeemBy: redeemBy === null ? null : instant(redeemBy) };
    assert.is(stateAt({ state, ...ends }, NOW), seen);
  });
}

states('leave those of earlier steps asked, and those of later ones not', () => {
  const step = (...names: string[]) => ({
    name: 's',
    within: seconds(60),
    quorum: any(1),
    asks: persons(...names),
    backups: [],
    skipped: [],
  });
  const route = [step('ada', 'bob'), step('bob', 'cyd'), step('dee')];
  assert.equal(askedSoFar({ route, step: 1 }), ['ada', 'bob', 'cyd']);
});

states.run();
