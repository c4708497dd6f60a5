/** The tier of a task class, as its scorecard and what is recorded beside it give it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DATA_CLASSES } from '../../../src/core/registers.ts';
import { instant } from '../../../src/core/time.ts';
import {
  PROTECTIONS,
  classificationProblems,
  promotionOf,
  tierAt,
  tierOf,
} from '../../../src/decide/bundle/scorecard.ts';
import type { Classification } from '../../../src/decide/bundle/scorecard.ts';
import { TIERS } from '../../../src/decide/decision.ts';
import type { Tier } from '../../../src/decide/decision.ts';

type Scores = readonly [reversibility: Tier, blast: Tier, compliance: Tier, often: Tier];

function scored([reversibility, blast, compliance, often]: Scores, more: Partial<Classification> = {}): Classification {
  const because = 'a rationale';
  return {
    scorecard: {
      reversibility: { score: reversibility, because },
      blast_radius: { score: blast, because },
      compliance_sensitivity: { score: compliance, because },
      frequency_and_volume: { score: often, because },
    },
    ...more,
  };
}

const promotion = { evidence: 'a quiet year', decider: 'sam', tier: 1, until: '2027-01-31' } as const;
const override = { tier: 3, because: 'in doubt' } as const;

const TABLE: readonly (readonly [scores: Scores, more: Partial<Classification>, tier: Tier])[] = [
  [[1, 1, 1, 1], {}, 1],
  [[1, 1, 1, 3], {}, 1],
  [[2, 1, 1, 1], {}, 2],
  [[1, 2, 1, 2], {}, 2],
  [[1, 1, 2, 2], {}, 2],
  [[2, 2, 2, 2], {}, 2],
  [[2, 1, 1, 3], {}, 3],
  [[3, 1, 1, 1], {}, 3],
  [[1, 3, 1, 1], {}, 3],
  [[1, 1, 3, 1], {}, 3],
  [[1, 1, 1, 1], { override }, 3],
  [[2, 1, 1, 1], { override: { ...override, tier: 2 } }, 2],
  [[1, 1, 1, 1], { changes: [], touches: [] }, 1],
  [[2, 1, 1, 1], { promotion }, 2],
];

const scorecards = suite('decide/bundle/scorecard');

for (const [scores, more, tier] of TABLE) {
  scorecards(`${scores.join()} ${JSON.stringify(more)} is tier ${tier}`, () => {
    assert.is(tierOf(scored(scores, more)), tier);
    assert.equal(classificationProblems(scored(scores, more)), []);
  });
}

scorecards('whatever changes protection or touches protected data is of tier 3', () => {
  for (const change of PROTECTIONS) assert.is(tierOf(scored([1, 1, 1, 1], { changes: [change] })), 3, change);
  for (const data of DATA_CLASSES) assert.is(tierOf(scored([1, 1, 1, 1], { touches: [data] })), 3, data);
});

scorecards('a higher score never has a lower tier', () => {
  const all = TIERS.flatMap((a) => TIERS.flatMap((b) => TIERS.flatMap((c) => TIERS.map((d): Scores => [a, b, c, d]))));
  for (const scores of all) {
    for (const at of scores.keys()) {
      const higher = scores.map((score, place) => (place === at ? 3 : score)) as unknown as Scores;
      assert.ok(tierOf(scored(higher)) >= tierOf(scored(scores)), `${higher.join()} and ${scores.join()}`);
    }
  }
});

scorecards('a promotion lowers until its last day begins', () => {
  const of = scored([2, 1, 1, 1], { promotion });
  const task = { tier: tierOf(of), promotion: promotionOf(of) };
  const end = Date.UTC(2027, 0, 31);
  assert.equal(tierAt(task, instant(end - 1)), { tier: 1, until: end });
  assert.equal(tierAt(task, instant(end)), { tier: 2, until: null });
  assert.equal(tierAt({ ...task, promotion: null }, instant(0)), { tier: 2, until: null });
});

scorecards.run();
