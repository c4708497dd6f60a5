/** What came out of one cell of the grid, and which of two answers is the freer. */
import type { FailureCode } from '../../core/failure.ts';
import type { RuleName } from '../../core/policy.ts';
import type { Decision, Tier } from '../decision.ts';

export interface Refused {
  readonly answer: 'forbid';
  readonly code: FailureCode;
  readonly rules: readonly RuleName[];
}

export interface Given {
  readonly answer: 'permit' | 'ask';
  readonly tier: Tier;
  /** Whole seconds, when as much is asked for as the context says. */
  readonly ttl: number;
  /** `null` where they are not counted. */
  readonly uses: number | null;
  readonly rules: readonly RuleName[];
}

export type Answered = Refused | Given;

export function answerOf(decision: Decision): Answered {
  if (decision.effect === 'forbid') {
    const { code, rules } = decision.reason;
    return { answer: 'forbid', code, rules: rules.toSorted() };
  }
  const { tier, ttl, uses, usesCounted } = decision.execution;
  const rules = decision.approval.rules.toSorted();
  return { answer: decision.effect, tier, ttl, uses: usesCounted ? uses : null, rules };
}

/** Forbidden, asked, told, free. */
const freedom = (answered: Answered): number =>
  answered.answer === 'forbid' ? 0 : answered.answer === 'ask' ? 1 : 4 - answered.tier;

/** Why it is so is no difference: nobody gains or loses by another reason. */
export function differ(before: Answered, after: Answered): boolean {
  if (before.answer === 'forbid' || after.answer === 'forbid') return before.answer !== after.answer;
  const { tier, ttl, uses } = before;
  return before.answer !== after.answer || tier !== after.tier || ttl !== after.ttl || uses !== after.uses;
}

export function isWider(before: Answered, after: Answered): boolean {
  if (freedom(after) !== freedom(before)) return freedom(after) > freedom(before);
  if (before.answer === 'forbid' || after.answer === 'forbid') return false;
  return after.tier < before.tier || after.ttl > before.ttl || (after.uses ?? 0) > (before.uses ?? 0);
}
