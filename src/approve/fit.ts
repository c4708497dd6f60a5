/** Whether people's yes to an ask is one to what would be given now. Pure. */
import { isEnoughFor } from '../core/approval.ts';
import type { Approval, Binding } from '../core/approval.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import { fewestYeses } from '../core/route.ts';
import type { Ask, Permit } from '../decide/decision.ts';
import { differences } from './binding.ts';

/** An ask of people, and what would be given for it as things are. */
export interface Fitting {
  readonly approval: Approval;
  /** As it would be decided now. */
  readonly decision: Permit | Ask;
  /** What would be minted now. */
  readonly binding: Binding;
}

/** Why the yes of these persons is none to what would be given now, or `null`. */
export function whyNotApproved(of: Fitting, yes: readonly PersonName[]): Failure | null {
  const unfit = whyUnfit(of);
  if (unfit !== null) return unfit;
  if (!isEnoughFor(of.approval, yes)) return differs('who approved it may not approve it any more');
  return whyTooFew(of, yes);
}

/** Why a yes to it, the one that would be enough or an earlier one, would be in vain as things are, or `null`. */
export function whyInVain(of: Fitting, yes: readonly PersonName[]): Failure | null {
  return whyUnfit(of) ?? (isEnoughFor(of.approval, yes) ? whyTooFew(of, yes) : null);
}

function whyUnfit({ approval, decision, binding }: Fitting): Failure | null {
  const differing = differences(approval.binding, binding);
  if (differing.length > 0) return differs(`it would be another in: ${differing.join(', ')}`);
  const rules = decision.effect === 'ask' ? decision.approval.rules : [];
  const asked = rules.every((rule) => approval.rules.includes(rule));
  return asked ? null : differs('a rule asks that did not ask before');
}

function whyTooFew({ approval, decision }: Fitting, yes: readonly PersonName[]): Failure | null {
  if (decision.effect !== 'ask' || decision.approval.policy === approval.policy) return null;
  const least = fewestYeses(decision.approval.steps);
  return new Set(yes).size < least ? differs(`the policy has come to take ${least} persons’ yes`) : null;
}

const differs = (detail: string): Failure =>
  failure('approval_differs', detail, { hint: 'Ask anew: what was approved is not what would be given.' });
