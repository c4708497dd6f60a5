import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/core/ids.ts';
import { markOf } from '../../../src/core/lease.ts';
import type { Mark } from '../../../src/core/lease.ts';
import { after, instant, seconds } from '../../../src/core/time.ts';
import type { Instant } from '../../../src/core/time.ts';
import {
  beforeIn,
  charactersOf,
  isMadeFor,
  isOver,
  marksIn,
  planDenials,
  roomLeft,
  textOf,
  textOfOlder,
} from '../../../src/providers/aws/denial.ts';
import type { RoleState, Segment } from '../../../src/providers/aws/denial.ts';
import { evaluate } from '../../support/aws/evaluate.ts';
import { INLINE_CHARACTERS, MANAGED_CHARACTERS, MANAGED_POLICIES } from '../../support/aws/role-policies.ts';
import { random } from '../../support/target.ts';

const NOW = instant(Date.parse('2026-11-27T10:00:00Z'));
const markAt = (at: Instant): Mark => markOf(newId('lse', at, random));
const marks = (count: number, at = NOW): readonly Mark[] => Array.from({ length: count }, () => markAt(at));

/** A role that holds what is written to it, and refuses what AWS would. */
function role(foreign: { readonly characters?: number; readonly attached?: number } = {}) {
  const { characters = 0, attached = 0 } = foreign;
  let segments: readonly Segment[] = [];
  let named = 0;
  const state = (): RoleState => ({ segments, older: [], foreignCharacters: characters, foreignAttached: attached });
  const keepQuotas = (): void => {
    const of = (where: Segment['where']) => segments.filter((segment) => segment.where === where);
    const inline = of('inline').reduce((sum, { marks: held }) => sum + charactersOf(textOf(held)), characters);
    assert.ok(inline <= INLINE_CHARACTERS, `${inline} inline`);
    assert.ok(of('managed').length + attached <= MANAGED_POLICIES, `${of('managed').length} managed`);
    for (const { marks: held } of of('managed')) assert.ok(charactersOf(textOf(held)) <= MANAGED_CHARACTERS);
  };
  const held = () => new Set(segments.flatMap(({ marks: some }) => some));
  return {
    state,
    held,
    /** @param written whoever denies is killed after so many of its writes, with nothing taken away that they stand for. */
    deny(wanted: readonly Mark[], now: Instant, written = Infinity): readonly Mark[] {
      const before = [...held()].filter((mark) => !isOver(mark, now));
      const plan = planDenials(state(), wanted, now);
      const without = (gone: readonly Pick<Segment, 'name'>[]) =>
        segments.filter(({ name }) => !gone.some((one) => one.name === name));
      segments = without(plan.drop);
      for (const { where, marks: some } of plan.write.slice(0, written)) {
        segments = [...segments, { where, marks: some, name: `s-${(named += 1)}` }];
        keepQuotas();
      }
      if (written === Infinity) segments = without(plan.supersede);
      const kept = held();
      for (const mark of before) assert.ok(kept.has(mark), 'a denial was lost');
      return plan.left;
    },
  };
}

const denial = suite('denials at a role');

const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Whether a session of such a kind is let through at a role that allows everything, but for this. */
const mayUnder =
  (document: string) =>
  async (context: Record<string, string>): Promise<boolean> =>
    (await evaluate(
      {
        principal: 'arn:aws:sts::111122223333:assumed-role/a/session',
        account: '111122223333',
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::b/k',
        context,
      },
      {
        identity: [
          ['all', ALL],
          ['denial', JSON.parse(document) as unknown],
        ],
      },
    )) === null;

denial('say both names of a session, each by itself', async () => {
  const [ours, other] = [markAt(NOW), markAt(NOW)];
  const may = mayUnder(textOf([ours]));
  assert.is(await may({ 'aws:userid': `AROAX:${ours}`, 'aws:SourceIdentity': ours }), false);
  assert.is(await may({ 'aws:userid': `AROAX:${ours}` }), false);
  assert.is(await may({ 'aws:userid': 'AROAY:chained', 'aws:SourceIdentity': ours }), false);
  assert.is(await may({ 'aws:userid': `AROAX:${other}`, 'aws:SourceIdentity': other }), true);
  assert.is(await may({ 'aws:userid': `AROAX:${ours}x`, 'aws:SourceIdentity': 'x' }), true);
});

denial('are known again, and nothing else is taken for one', () => {
  const held = marks(3);
  assert.equal(marksIn(textOf(held)), held);
  assert.equal(marksIn(JSON.stringify(JSON.parse(textOf(held)), null, 2)), held);
  const changed = textOf(held).replace('"Deny"', '"Allow"');
  for (const foreign of [changed, '{}', '', textOf([]), textOf(held).replace(held[0] ?? '', held[1] ?? '')]) {
    assert.is(marksIn(foreign), null, foreign);
  }
});

/** Signed before its deadline, a session can begin 15 minutes later, live an hour, and 12 more are waited. */
const KEPT = seconds(13 * 3600 + 15 * 60 + 60);
denial('are kept until the session ended twelve hours ago, and no longer', () => {
  const mark = markAt(NOW);
  assert.is(isOver(mark, after(NOW, seconds(13 * 3600))), false);
  assert.is(isOver(mark, after(NOW, KEPT)), false);
  assert.is(isOver(mark, instant(after(NOW, KEPT) + 1)), true);
  const aws = role();
  aws.deny([mark], NOW);
  aws.deny(marks(1, after(NOW, KEPT)), after(NOW, KEPT));
  assert.is(aws.held().has(mark), true);
  aws.deny(marks(1, after(NOW, seconds(KEPT + 1))), after(NOW, seconds(KEPT + 1)));
  assert.is(aws.held().has(mark), false);
});

denial('of a whole role are of those sessions that are older, whoever they are', async () => {
  const may = mayUnder(textOfOlder(NOW));
  assert.is(await may({ 'aws:TokenIssueTime': '2026-11-27T09:59:59Z' }), false);
  assert.is(await may({ 'aws:TokenIssueTime': '2026-11-27T10:00:00Z' }), true);
  // A user's own keys bear no such time.
  assert.is(await may({}), true);
});

denial('of a whole role are known again, and nothing else is taken for one', () => {
  const text = textOfOlder(NOW);
  assert.is(beforeIn(text), NOW);
  assert.is(beforeIn(JSON.stringify(JSON.parse(text), null, 2)), NOW);
  assert.is(marksIn(text), null);
  const [mark] = marks(1);
  for (const foreign of [
    text.replace('"Deny"', '"Allow"'),
    text.replace('LessThan', 'GreaterThan'),
    text.replace('11-27', '02-30'),
    textOf(mark === undefined ? [] : [mark]),
  ]) {
    assert.is(beforeIn(foreign), null, foreign);
  }
});

denial('of a whole role go once the longest session of AWS’s is over, twelve hours later', () => {
  const older = { where: 'inline', name: 'older', before: NOW } as const;
  const state: RoleState = { segments: [], older: [older], foreignCharacters: 200, foreignAttached: 0 };
  const dropped = (at: Instant) => planDenials(state, marks(1, at), at).drop;
  assert.equal(dropped(after(NOW, seconds(12 * 3600))), []);
  assert.equal(dropped(after(NOW, seconds(12 * 3600 + 301))), [older]);
});

denial('write nothing for what is denied already', () => {
  const aws = role();
  const held = marks(5);
  aws.deny(held, NOW);
  assert.equal(planDenials(aws.state(), held, NOW), { drop: [], write: [], supersede: [], left: [] });
});

for (const [how, sizes] of [
  ['in one write', [500]],
  ['one by one', Array.from({ length: 500 }, () => 1)],
  ['in batches', [1, 199, 3, 97, 150, 50]],
] as const) {
  denial(`500 of them stay within AWS's quotas, ${how}`, () => {
    const aws = role({ characters: 600, attached: 2 });
    const wanted = sizes.map((size) => marks(size));
    for (const batch of wanted) assert.equal(aws.deny(batch, NOW), []);
    assert.is(aws.held().size, 500);
  });
}

denial('leave room for as many, however often whoever writes them is killed', () => {
  const aws = role({ characters: 600, attached: 2 });
  for (let round = 0; round < 50; round += 1) {
    const wanted = marks(10);
    for (const written of [1, 9]) aws.deny(wanted, NOW, written);
    assert.equal(aws.deny(wanted, NOW), [], `round ${round}`);
  }
  assert.is(aws.held().size, 500);
});

denial('say for which there is no room, and deny the rest', () => {
  const aws = role({ characters: 10_000, attached: 9 });
  const room = roomLeft(aws.state(), NOW);
  const wanted = marks(room + 10);
  assert.is(aws.deny(wanted, NOW).length, 10);
  assert.is(aws.held().size, room);
  assert.is(roomLeft(aws.state(), NOW), 0);
});

denial('are never lost and never over a quota, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 7_200 })), { maxLength: 30 }),
      fc.record({ characters: fc.integer({ min: 0, max: 9_000 }), attached: fc.integer({ min: 0, max: 10 }) }),
      (steps, foreign) => {
        const aws = role(foreign);
        let now = NOW;
        for (const [count, wait] of steps) {
          now = after(now, seconds(wait));
          const wanted = marks(count, now);
          const left = new Set(aws.deny(wanted, now));
          for (const mark of wanted) assert.is(aws.held().has(mark), !left.has(mark));
        }
      },
    ),
    { numRuns: 150 },
  );
});

for (const [name, role, isIts] of [
  ['brevet-deny-agents-7-m9x0-0', 'agents', true],
  ['brevet-deny-agents-7-m9x0-older', 'agents', true],
  ['brevet-deny-agents-2-7-m9x0-0', 'agents-2', true],
  ['brevet-deny-agents-2-7-m9x0-0', 'agents', false],
  ['brevet-deny-agents-7-m9x0-0', 'agent', false],
  ['brevet-deny-agents-theirs', 'agents', false],
  ['brevet-deny-7-m9x0-0', 'agents', false],
  ['theirs-brevet-deny-agents-7-m9x0-0', 'agents', false],
  ['brevet-deny-agents-7-m9x0-0-theirs', 'agents', false],
] as const) {
  denial(`${name} is ${isIts ? 'one' : 'none'} that was made for the role ${role}`, () => {
    assert.is(isMadeFor(role, name), isIts);
  });
}

denial.run();
