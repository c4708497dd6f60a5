/**
 * The authority to mint. Only this file makes one: from a permit, or from an approved ask of the very same, either
 * decided just now on a snapshot whose epochs the commit will look at again.
 */
import { stateAt, yesOf } from '../core/approval.ts';
import type { Approval, Binding } from '../core/approval.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { ApprovalId, PersonName, RequestId } from '../core/ids.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Epochs, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { whyNotApproved } from '../approve/fit.ts';
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
  /** Those whose yes counts now. */
  readonly standing: readonly PersonName[];
}

export function grantOfApproval(decision: Permit | Ask, of: GrantOf, approved: Approved): Result<Grant> {
  const { approval } = approved;
  const state = stateAt(approval, of.at);
  if (state !== 'approved') return err(failure('approval_over', `the approval is ${state}`, { hint: 'Ask anew.' }));
  const why = whyNotGranted(decision, approved);
  if (why !== null) return err(why);
  return ok(granted(of, { execution: decision.execution, policy: decision.approval.policy, approval: approval.id }));
}

/** Why the people's yes is none to what would be minted now, or `null`. */
export const whyNotGranted = (decision: Permit | Ask, { approval, binding, standing }: Approved): Failure | null =>
  whyNotApproved(
    { approval, decision, binding },
    yesOf(approval.votes).filter((person) => standing.includes(person)),
  );

const granted = (
  { id, principal, request, snapshot, at }: GrantOf,
  of: Pick<Authority, 'execution' | 'policy' | 'approval'>,
): Grant => new MintGrant({ id, principal, request, epochs: snapshot.epochs, at, ...of });
