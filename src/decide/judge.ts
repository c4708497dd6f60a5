/**
 * What the rules say: asked without an approval, and where every rule that denied could be lifted by a human, asked
 * again with one. An error is a forbid.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Evaluation, RuleName } from '../core/policy.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { mayBeLifted } from './bundle/model.ts';
import type { Bundle } from './bundle/model.ts';
import type { Denial } from './decision.ts';
import { denial } from './denial.ts';
import { rulesInput } from './input.ts';
import type { Facts } from './input.ts';

export interface Verdict {
  readonly effect: 'permit' | 'ask';
  /** The permits of a permit, the liftable forbids of an ask. */
  readonly rules: readonly RuleName[];
}

export type Evaluate = (input: JsonObject) => Evaluation;

export function judge(bundle: Bundle, evaluate: Evaluate, facts: Facts): Result<Verdict, Denial> {
  const plain = evaluate(rulesInput(facts));
  if (plain.errors.length > 0) return err(fault(plain));
  if (plain.allowed) return facts.tier === 3 ? err(UNGUARDED) : ok({ effect: 'permit', rules: plain.rules });
  if (plain.rules.length === 0) return err(NOT_PERMITTED);
  if (!plain.rules.every((rule) => mayBeLifted(bundle.rules.get(rule)))) return err(forbidden(bundle, plain.rules));
  // A rule that asks, evaluated for an agent with no right at all, must not look like an ask.
  const approved = evaluate(rulesInput(facts, true));
  if (approved.errors.length > 0) return err(fault(approved));
  if (approved.allowed) return ok({ effect: 'ask', rules: plain.rules });
  return err(approved.rules.length === 0 ? NOT_PERMITTED : forbidden(bundle, approved.rules));
}

const NOT_PERMITTED = denial('not_permitted', 'no rule permits this for the role', {
  hint: 'Ask for a task class and a target that the role is meant for.',
});

/** The standard rule is gone or does not reach this: no bundle frees tier 3 of a human. */
const UNGUARDED = denial('policy_fault', 'the policy could not be evaluated', {
  because: 'tier 3 was permitted without an approval: no rule asks for one',
  hint: 'Tell the security lead.',
});

const fault = ({ errors }: Evaluation): Denial =>
  denial('policy_fault', 'the policy could not be evaluated', {
    because: errors.join('; ').slice(0, 1000),
    hint: 'Tell the security lead.',
  });

/** Only what stands in the way for good is told: an approval would lift the others. */
function forbidden(bundle: Bundle, rules: readonly RuleName[]): Denial {
  const firm = rules.map((rule) => bundle.rules.get(rule)).filter((rule) => !mayBeLifted(rule));
  const hints = firm.flatMap((rule) => rule?.annotations['hint'] ?? []);
  return denial('forbidden_by_rule', 'the policy of this client forbids it', {
    rules,
    because: firm.map((rule) => rule?.annotations['reason'] ?? '').join(' '),
    hint: hints.length === 0 ? null : hints.join(' '),
  });
}
