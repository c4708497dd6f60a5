import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { narrowed, narrowerTerms } from '../../src/approve/narrow.ts';
import type { Narrower } from '../../src/approve/verdict.ts';
import { beginning } from '../../src/core/approval.ts';
import type { Approval, Binding, Vote } from '../../src/core/approval.ts';
import type { ApprovalId, PersonName } from '../../src/core/ids.ts';
import { instant, seconds } from '../../src/core/time.ts';

const ASKED = { task: 'report.query', resource: 'crm', reason: 'weekly' };
const BINDING = {
  ttl: 300,
  uses: 3,
  parameters: { rows: 100, tables: ['a', 'b'], name: 'x', below: -5, window: { from: 1, to: 2 } },
};

const narrowing = suite('a narrower answer');

const less = (by: Partial<Narrower>) => narrowed(ASKED, BINDING, { ttl: null, uses: null, parameters: {}, ...by });

const TAKEN: readonly (readonly [what: string, by: Partial<Narrower>, member: string, value: unknown])[] = [
  ['a shorter life', { ttl: 60 }, 'ttl', 60],
  ['fewer uses', { uses: 1 }, 'uses', 1],
  ['a smaller number', { parameters: { rows: 10 } }, 'parameters', { ...BINDING.parameters, rows: 10 }],
  [
    'a smaller number beside an object in another order',
    { parameters: { rows: 10, window: { to: 2, from: 1 } } },
    'parameters',
    { ...BINDING.parameters, rows: 10 },
  ],
  ['some of a list', { parameters: { tables: ['b'] } }, 'parameters', { ...BINDING.parameters, tables: ['b'] }],
];
for (const [what, by, member, value] of TAKEN) {
  narrowing(`may give ${what}`, () => {
    const given = less(by);
    assert.equal(given.ok && given.value[member], value);
  });
}

const REFUSED: readonly (readonly [what: string, by: Partial<Narrower>])[] = [
  ['a longer life', { ttl: 301 }],
  ['no life', { ttl: 0 }],
  ['more uses', { uses: 4 }],
  ['no use', { uses: 0 }],
  ['more uses beside a shorter life', { uses: 4, ttl: 60 }],
  ['a longer life beside fewer uses', { uses: 1, ttl: 301 }],
  ['a larger number', { parameters: { rows: 101 } }],
  ['a number of another sign', { parameters: { rows: -1 } }],
  ['something else', { parameters: { name: 'y' } }],
  ['more of a list', { parameters: { tables: ['a', 'b', 'c'] } }],
  ['one of a list twice', { parameters: { tables: ['a', 'a'] } }],
  ['a list in another order', { parameters: { tables: ['b', 'a'] } }],
  ['what every object has', { parameters: JSON.parse('{"__proto__":{},"rows":1}') as Narrower['parameters'] }],
  ['none of a list', { parameters: { tables: [] } }],
  ['what was not asked', { parameters: { other: 1 } }],
  ['what was asked', { ttl: 300, uses: 3 }],
  ['what was asked, in another order', { parameters: { window: { to: 2, from: 1 } } }],
  ['another kind of value', { parameters: { rows: '10' } }],
];
for (const [what, by] of REFUSED) narrowing(`may not give ${what}`, () => assert.not.ok(less(by).ok));

narrowing('keeps who was asked before at their own step, and asks no earlier one anew', () => {
  const step = (person: string, count: number) => ({
    name: person,
    within: seconds(600),
    quorum: { of: 'any', count } as const,
    asks: [person as PersonName],
    backups: [],
    skipped: [],
  });
  const before = { route: [step('ada', 2), step('max', 1), step('moe', 1)], step: 1 } as unknown as Approval;
  const by = { at: instant(1_000_000), person: 'max' } as Vote;
  const id = 'apr_00000000000000000000000000' as ApprovalId;
  const terms = narrowerTerms(before, { id, asked: {}, binding: {} as Binding, by });
  assert.equal(
    terms.route.map(({ asks, within, quorum }) => [asks, within, quorum]),
    [
      [['ada'], 0, { of: 'any', count: 2 }],
      [['max'], 600, { of: 'any', count: 1 }],
      [['moe'], 600, { of: 'any', count: 1 }],
    ],
  );
  assert.equal([beginning(terms).step, beginning(terms).asks], [1, ['ada', 'max']]);
  assert.is(terms.expiresAt, by.at + 1_200_000);
});

narrowing.run();
