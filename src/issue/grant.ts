/**
 * The authority to mint. Only this file makes one: from a permit, or from an approved ask of the very same, either
 * decided just now on a snapshot whose epochs the commit will look at again.
 */
import { isEnoughFor, stateAt, yesOf } from '../core/approval.ts';
import type { Approval, Binding } from '../core/approval.ts';
import { fewestYeses } from '../core/route.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { ApprovalId, PersonName, RequestId } from '../core/ids.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Epochs, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { differences } from '../approve/binding.ts';
import type { Ask, Execution, Permit } from '../decide/decision.ts';

interface Authority {
  readonly id: RequestId;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
  readonly execution: Execution;
  readonly approval: ApprovalId | null;
  readonly policy: string;
  readonly epochs: Epochs;
  /** No later than the moment that the lifetime was measured from. */
  readonly at: Instant;
}

/** Not exported as a value, and nominal by its private field: nobody else can make one, or pass off a look-alike. */
class MintGrant {
  readonly #authority: Authority;

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  get terms(): Authority {
    return this.#authority;
  }
}

export type Grant = MintGrant;

interface GrantOf {
  readonly id: RequestId;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
  readonly snapshot: Snapshot;
  readonly at: Instant;
}

export const grantOfPermit = ({ execution, approval: { policy } }: Permit, of: GrantOf): Grant =>
  granted(of, { execution, policy, approval: null });

/** What was approved, and how it stands now. */
export interface Approved {
  readonly approval: Approval;
  /** What would be minted now. */
  readonly binding: Binding;
  /** Who may say yes to it now. */
  readonly standing: readonly PersonName[];
}

export function grantOfApproval(decision: Permit | Ask, of: GrantOf, approved: Approved): Result<Grant> {
  const { approval } = approved;
  const state = stateAt(approval, of.at);
  if (state !== 'approved') return err(failure('approval_over', `the approval is ${state}`, { hint: 'Ask anew.' }));
  const why = whyNotApproved(decision, approved);
  if (why !== null) return err(why);
  return ok(granted(of, { execution: decision.execution, policy: decision.approval.policy, approval: approval.id }));
}

/** Why the people's yes is none to what would be minted now, or `null`. */
export function whyNotApproved(decision: Permit | Ask, { approval, binding, standing }: Approved): Failure | null {
  const differing = differences(approval.binding, binding);
  if (differing.length > 0) return differs(`it would be another in: ${differing.join(', ')}`);
  const rules = decision.effect === 'ask' ? decision.approval.rules : [];
  if (!rules.every((rule) => approval.rules.includes(rule))) return differs('a rule asks that did not ask before');
  const yes = yesOf(approval.votes).filter((person) => standing.includes(person));
  if (!isEnoughFor(approval, yes)) return differs('who approved it may not approve it any more');
  if (decision.effect === 'ask' && decision.approval.policy !== approval.policy) {
    const least = fewestYeses(decision.approval.steps);
    if (new Set(yes).size < least) return differs(`the policy has come to take ${least} persons’ yes`);
  }
  return null;
}

const differs = (detail: string): Failure =>
  failure('approval_differs', detail, { hint: 'Ask anew: what was approved is not what would be given.' });

const granted = (
  { id, principal, request, snapshot, at }: GrantOf,
  of: Pick<Authority, 'execution' | 'policy' | 'approval'>,
): Grant => new MintGrant({ id, principal, request, epochs: snapshot.epochs, at, ...of });
