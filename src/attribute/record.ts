/**
 * How the life of a request is written down: what was asked, how it was decided in its three parts, and what became of
 * it. What the agent said stands apart from what was decided and seen.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { EntryDraft, EntryKind } from '../core/entry.ts';
import type { BlockId, RequestId } from '../core/ids.ts';
import type { LeaseTerms } from '../core/lease.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { ledgerFields } from '../decide/record.ts';
import type { Decision } from '../decide/decision.ts';
import { asAsked } from '../decide/request.ts';

export interface Asking {
  readonly id: RequestId;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
  readonly snapshot: Snapshot;
  readonly at: Instant;
  /** The order that it names was looked at, and is for this. */
  readonly ordered?: boolean;
}

const KINDS: Readonly<Record<Decision['effect'], EntryKind>> = {
  permit: 'request.permitted',
  ask: 'request.asked',
  forbid: 'request.forbidden',
};

/** Trigger, data considered, purpose, rule and version, tier, who is accountable, model and version, and when. */
export function decisionEntry(asking: Asking, decision: Decision, more: JsonObject = {}): EntryDraft {
  const { principal, request } = asking;
  return {
    ...common(asking),
    kind: KINDS[decision.effect],
    facts: {
      task: request.task,
      target: request.target,
      request_hash: request.hash,
      policy: asking.snapshot.deployment.policy,
      enrolled_model: principal.agent.model,
      enrolled_model_version: principal.agent.modelVersion,
      launched_by: principal.launchedBy,
      ...(request.order === null ? {} : { order: request.order }),
      ...ledgerFields(decision),
      ...more,
    },
    said: saidIn(request),
  };
}

/** All that the agent said and that is no name or code in the leaf, under the names it was said by. */
function saidIn(request: AccessRequest): JsonObject {
  const { task: _task, order: _order, launched_by: _launcher, ...said } = asAsked(request);
  return said;
}

export function leaseEntry(
  asking: Asking,
  lease: LeaseTerms,
  kind: 'lease.opening' | 'lease.active' | 'lease.landed',
  reference: JsonObject | null,
): EntryDraft {
  return {
    ...common(asking),
    kind,
    lease: lease.id,
    facts: {
      provider: lease.provider,
      target: lease.target,
      target_version: lease.targetVersion,
      mark: lease.mark,
      role: lease.role,
      task: lease.task,
      policy: lease.policy,
      expires_at: toRfc3339(lease.expiresAt),
    },
    ...(reference === null ? {} : { seen: { reference } }),
  };
}

export function overtakenEntry(asking: Asking, lease: LeaseTerms, block: BlockId | null, at: Instant): EntryDraft {
  return {
    ...common(asking),
    kind: 'lease.revoking',
    at,
    actor: { kind: 'broker', name: 'issue' },
    lease: lease.id,
    facts: {
      ...(block === null ? { cause: 'overtaken' } : { cause: 'blocked', block }),
      expires_at: toRfc3339(lease.expiresAt),
    },
  };
}

export function tooLargeEntry(asking: Asking, lease: LeaseTerms, at: Instant): EntryDraft {
  return {
    ...common(asking),
    kind: 'lease.failed',
    at,
    actor: { kind: 'broker', name: 'issue' },
    lease: lease.id,
    facts: { refused: 'too_large', provider: lease.provider },
  };
}

export function sessionEntry(principal: AgentPrincipal, snapshot: Snapshot, at: Instant): EntryDraft {
  const { tenant, agent, by } = principal;
  return {
    tenant,
    kind: 'session.opened',
    at,
    actor: { kind: 'agent', name: agent.name, by },
    accountable: agent.owner,
    inSetup: snapshot.deployment.inSetup,
    facts: {},
  };
}

function common({ id, principal, snapshot, at }: Asking): Omit<EntryDraft, 'kind' | 'facts'> {
  const { tenant, agent, by } = principal;
  return {
    tenant,
    at,
    actor: { kind: 'agent', name: agent.name, by },
    accountable: agent.owner,
    request: id,
    inSetup: snapshot.deployment.inSetup,
  };
}
