/**
 * How a task class comes by its tier: nobody writes it, it is derived.
 *
 * 1. The score: the highest of reversibility, blast radius and compliance sensitivity. A class is as free as its worst
 *    side, and a good side makes up for no bad one. A frequency and volume of 3 makes a 2 of these a 3: nobody reads
 *    notices by the hundred, and an error is made as often. It leaves a 1, which is what agents are for.
 * 2. The floor: whatever changes protection or access, or touches protected data, is of tier 3.
 * 3. An override raises, and no more.
 * 4. A promotion lowers by one tier, on evidence, until its end, and never below the floor.
 *
 * In doubt, the higher.
 */
import { z } from 'zod';
import { DATA_CLASSES } from '../../core/registers.ts';
import { instant } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import { TIERS } from '../decision.ts';
import type { Tier } from '../decision.ts';
import { dateField, nameField, wordsField } from './fields.ts';
import type { TaskClass } from './model.ts';
import type { Path } from './yaml.ts';

/** What a class may change that puts it at tier 3, whatever its score. */
export const PROTECTIONS = [
  'security-posture',
  'access',
  'servers',
  'network',
  'firewall',
  'backup',
  'disaster-recovery',
] as const;
export type Protection = (typeof PROTECTIONS)[number];

const tierField = (tiers: readonly Tier[], otherwise: string) =>
  z.union(
    tiers.map((tier) => z.literal(tier)),
    { error: otherwise },
  );

/** 1 is the least to fear, 3 the most; the rationale is kept, since people argue about it later. */
const score = () => z.strictObject({ score: tierField(TIERS, 'it must be 1, 2 or 3'), because: wordsField() });

/** The fields of a task class that its tier comes from. */
export const classification = {
  scorecard: z.strictObject({
    reversibility: score(),
    blast_radius: score(),
    compliance_sensitivity: score(),
    frequency_and_volume: score(),
  }),
  changes: z.array(z.enum(PROTECTIONS)).optional(),
  touches: z.array(z.enum(DATA_CLASSES)).optional(),
  override: z
    .strictObject({ tier: tierField([2, 3], 'an override raises, so to 2 or 3'), because: wordsField() })
    .optional(),
  promotion: z
    .strictObject({
      evidence: wordsField(),
      decider: nameField(),
      tier: tierField([1, 2], 'a promotion lowers, so to 1 or 2'),
      until: dateField(),
    })
    .optional(),
};

const Classification = z.strictObject(classification);
export type Classification = z.infer<typeof Classification>;

/** The tier as it is without a promotion. */
export function tierOf(of: Classification): Tier {
  return highest(derivedTier(of), of.override?.tier ?? 1);
}

function derivedTier(of: Classification): Tier {
  const { reversibility, blast_radius: blast, compliance_sensitivity: compliance } = of.scorecard;
  const worst = highest(reversibility.score, blast.score, compliance.score);
  const scored = worst === 2 && of.scorecard.frequency_and_volume.score === 3 ? 3 : worst;
  return highest(scored, floorOf(of));
}

const floorOf = ({ changes = [], touches = [] }: Pick<Classification, 'changes' | 'touches'>): Tier =>
  changes.length + touches.length > 0 ? 3 : 1;

const highest = (...tiers: readonly Tier[]): Tier => tiers.reduce((a, b) => (b > a ? b : a));

/** It ends as its last day begins: in doubt, the earlier. */
export const promotionOf = ({ promotion }: Classification): TaskClass['promotion'] =>
  promotion === undefined ? null : { tier: promotion.tier, until: instant(Date.parse(`${promotion.until}T00:00:00Z`)) };

/** What a class counts as now, and until when, where that rests on a promotion. */
export function tierAt(
  { tier, promotion }: Pick<TaskClass, 'tier' | 'promotion'>,
  now: Instant,
): { readonly tier: Tier; readonly until: Instant | null } {
  return promotion !== null && promotion.until > now ? promotion : { tier, until: null };
}

/** The tiers that a class has, with and without its promotion. */
export const tiersOf = (of: Classification): readonly Tier[] => [tierOf(of), of.promotion?.tier ?? tierOf(of)];

export function classificationProblems(of: Classification): { path: Path; what: string }[] {
  return [...overrideProblems(of), ...promotionProblems(of)];
}

function overrideProblems(of: Classification): { path: Path; what: string }[] {
  const derived = derivedTier(of);
  if (of.override === undefined || of.override.tier >= derived) return [];
  const what = `an override only raises: ${of.override.tier} is below the tier ${derived} that is derived`;
  return [{ path: ['override', 'tier'], what }];
}

function promotionProblems(of: Classification): { path: Path; what: string }[] {
  const { promotion, override } = of;
  if (promotion === undefined) return [];
  if (override !== undefined) return [{ path: ['promotion'], what: 'a class that is overridden is not promoted' }];
  const path = ['promotion', 'tier'];
  const floor = floorOf(of);
  if (promotion.tier < floor) return [{ path, what: `no promotion goes below the floor, tier ${floor}` }];
  const tier = tierOf(of);
  if (promotion.tier === tier - 1) return [];
  return [{ path, what: `a promotion lowers by exactly one tier, and this is of tier ${tier}` }];
}
