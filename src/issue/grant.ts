/**
 * The authority to mint. Only this file makes one: from a permit, made just now on a snapshot whose epochs the commit
 * will look at again. (From an approved ask, once people can answer.)
 */
import type { ApprovalId, RequestId } from '../core/ids.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Epochs, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Execution, Permit } from '../decide/decision.ts';

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

export function grantOfPermit(
  permit: Permit,
  of: {
    readonly id: RequestId;
    readonly principal: AgentPrincipal;
    readonly request: AccessRequest;
    readonly snapshot: Snapshot;
    readonly at: Instant;
  },
): Grant {
  return new MintGrant({
    id: of.id,
    principal: of.principal,
    request: of.request,
    execution: permit.execution,
    approval: null,
    policy: permit.approval.policy,
    epochs: of.snapshot.epochs,
    at: of.at,
  });
}
