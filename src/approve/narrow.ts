/**
 * Less than was asked: an approver would say yes to that. It only narrows: a shorter life, fewer uses, smaller numbers,
 * fewer of a list; nothing is added, and nothing else is changed.
 */
import { canonicalText } from '../core/canonical.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import type { Approval, ApprovalTerms, Binding, Vote } from '../core/approval.ts';
import { routeLasts } from '../core/route.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { after, seconds } from '../core/time.ts';
import type { Narrower } from './verdict.ts';

/**
 * @param asked the access request as it was asked.
 * @param binding what would be minted for it: what nothing was said of has its length from there.
 * @returns the narrower request, as an agent could have asked it.
 */
export function narrowed(
  asked: JsonObject,
  { ttl, uses, parameters }: Pick<Binding, 'ttl' | 'uses' | 'parameters'>,
  by: Narrower,
): Result<JsonObject> {
  if (by.ttl !== null && !(by.ttl >= 1 && by.ttl <= ttl)) return wider('ttl');
  if (by.uses !== null && !(by.uses >= 1 && by.uses <= uses)) return wider('uses');
  for (const [name, value] of Object.entries(by.parameters)) {
    if (!Object.hasOwn(parameters, name) || !isNarrower(parameters[name] as Json, value))
      return wider(`parameters.${name}`);
  }
  const changed =
    (by.ttl !== null && by.ttl < ttl) ||
    (by.uses !== null && by.uses < uses) ||
    Object.entries(by.parameters).some(([name, value]) => !isSame(parameters[name] as Json, value));
  if (!changed) {
    return err(failure('invalid_field', 'this is what was asked', { hint: 'Approve it, or say what is to be less.' }));
  }
  return ok({
    ...asked,
    ttl: by.ttl ?? ttl,
    ...(by.uses === null ? {} : { uses: by.uses }),
    parameters: { ...parameters, ...by.parameters },
  });
}

const wider = (path: string): Result<never> =>
  err(failure('invalid_field', 'this is no narrower than what was asked', { path, hint: 'Give less, or reject it.' }));

function isNarrower(asked: Json, given: Json): boolean {
  if (typeof asked === 'number' && typeof given === 'number') return given <= asked && given >= Math.min(0, asked);
  if (Array.isArray(asked) && Array.isArray(given)) {
    return given.length > 0 && isPartOf(asked as readonly Json[], given as readonly Json[]);
  }
  return isSame(asked, given);
}

/** Whatever the order of an object's members. */
const isSame = (one: Json, other: Json): boolean => canonicalText(one) === canonicalText(other);

/** In the order that was asked, and none more often. */
function isPartOf(asked: readonly Json[], given: readonly Json[]): boolean {
  const all = asked.map((member) => canonicalText(member));
  let at = 0;
  return given.every((member) => {
    at = all.indexOf(canonicalText(member), at) + 1;
    return at > 0;
  });
}

/**
 * The approval that takes the narrowed one's place: for the agent to take, and then for the same people, in what is
 * left of their way.
 */
export function narrowerTerms(
  approval: Approval,
  { id, asked, binding, by }: Pick<ApprovalTerms, 'id' | 'asked' | 'binding'> & { readonly by: Vote },
): ApprovalTerms {
  const { tenant, request, agent, task, tier, redeemWithin, policy, rules, involved, plan } = approval;
  // Those who were asked before may still answer, as those of their own step.
  const route = approval.route.map((step, at) => (at < approval.step ? { ...step, within: seconds(0) } : step));
  return {
    id,
    tenant,
    request,
    agent,
    task,
    tier,
    askedAt: by.at,
    expiresAt: after(by.at, routeLasts(route)),
    redeemWithin,
    asked,
    binding,
    policy,
    rules,
    route,
    involved,
    plan,
    narrows: { approval: approval.id, by: by.person },
  };
}
