/** A lease and what came of a request, as callers see them. */
import type { Json } from '../core/canonical.ts';
import { stateAt } from '../core/approval.ts';
import type { Approval } from '../core/approval.ts';
import type { Lease, LeaseTerms } from '../core/lease.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import { toRfc3339 } from '../core/time.ts';
import { deathShown } from '../attribute/timeline.ts';
import type { Instant } from '../core/time.ts';

const time = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

export const openedWire = (lease: LeaseTerms): Record<string, Json> => ({
  id: lease.id,
  tenant: lease.tenant,
  agent: lease.agent,
  task: lease.task,
  resource: lease.resource,
  role: lease.role,
  provider: lease.provider,
  target: lease.target,
  expires_at: toRfc3339(lease.expiresAt),
});

export const leaseWire = (lease: Lease): Record<string, Json> => ({
  ...openedWire(lease),
  request: lease.request,
  owner: lease.owner,
  policy: lease.policy,
  state: lease.state,
  ...(lease.uses === null ? {} : { uses: lease.uses, used: lease.used }),
  provable: lease.declared === null ? null : lease.declared.evidence !== null,
  opened_at: toRfc3339(lease.openedAt),
  active_at: time(lease.activeAt),
  revoking_at: time(lease.revokingAt),
  cause: lease.cause,
  death: deathShown(lease.death),
  exposure_ms: lease.exposure,
  outcome: lease.outcome === null ? null : lease.outcome.outcome,
});

/** @param now what has passed its end is told as what it is, whether or not it was written down yet. */
export const requestWire = (request: KeptRequest, now: Instant): Record<string, Json> => ({
  id: request.id,
  tenant: request.tenant,
  agent: request.agent,
  task: request.task,
  resource: request.resource,
  hash: request.hash,
  effect: request.effect,
  decision: request.decision,
  asked: request.asked,
  at: toRfc3339(request.at),
  policy: request.policy,
  lease: request.lease,
  approval: request.approval === null ? null : approvalWire(request.approval, now),
});

/** As the agent sees it: what became of it and until when, and of a no or a less its reason. Whose word it was is not its. */
export const approvalWire = (approval: Approval, now: Instant): Record<string, Json> => ({
  id: approval.id,
  state: stateAt(approval, now),
  expires_at: toRfc3339(approval.expiresAt),
  redeem_by: time(approval.redeemBy),
  rejection:
    approval.rejection === null ? null : { reason: approval.rejection.reason, words: approval.rejection.words },
  narrower: approval.narrows === null ? null : narrowerWire(approval),
});

const narrowerWire = ({ binding, acceptedAt }: Approval): Record<string, Json> => ({
  ttl: binding.ttl,
  uses: binding.uses,
  parameters: binding.parameters,
  accepted: acceptedAt !== null,
});
