/** Whom a lease is told to: people of the MSP at tier 2, and the client's own contact where it wants to hear of it. */
import type { NewWork } from '../core/change.ts';
import type { RequestId } from '../core/ids.ts';
import type { LeaseTerms } from '../core/lease.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { digestWork } from '../approve/digest.ts';
import { noticeWork } from '../approve/tell.ts';
import type { Ask, Forbid, Permit } from '../decide/decision.ts';
import type { Deps } from '../deps.ts';

/** What was asked for, on what was known then. */
export interface Told {
  readonly snapshot: Snapshot;
  readonly request: AccessRequest;
}

/** Work for the commit of a lease. */
export const noticesOf = (deps: Deps, lease: LeaseTerms, decision: Permit | Ask, told: Told): readonly NewWork[] => [
  ...afterTheAct(deps, lease, decision, told),
  ...toClient(deps, lease, told),
];

/** Tier 2: act, then tell. */
function afterTheAct(
  deps: Deps,
  { id, tenant, agent, task, resource }: LeaseTerms,
  { execution, oversight }: Permit | Ask,
  { request }: Told,
): readonly NewWork[] {
  if (execution.tier !== 2) return [];
  const facts = {
    kind: 'acted',
    lease: id,
    agent,
    task,
    resource,
    confidence: request.circumstances.confidence ?? null,
    reviewBy: oversight.reviewBy,
    tell: oversight.notify,
  } as const;
  return noticeWork(deps, tenant, facts, oversight.notifyBy === null ? {} : { by: oversight.notifyBy });
}

/** Also of what a person approved: by then the people of the MSP know. */
export function toClient(
  deps: Deps,
  { id, tenant, agent, task, resource, tier, openedAt }: LeaseTerms,
  { snapshot }: Told,
): readonly NewWork[] {
  const { told } = snapshot.tenant.context;
  if (told === null || !told.tiers.some((one) => one === tier) || deps.channels.length === 0) return [];
  if (told.how === 'daily') return [digestWork(snapshot.tenant, deps.clock())];
  const { address } = told;
  const facts = { kind: 'done_at_client', lease: id, agent, task, resource, tier, at: openedAt, address } as const;
  return noticeWork(deps, tenant, facts);
}

/** A refusal of which a rule wants people told; where no channel is, the decision alone says whom. */
export function refusalNotice(deps: Deps, { id, principal, request }: Refused, { reason }: Forbid): readonly NewWork[] {
  if (reason.tell.length === 0) return [];
  const { task, resource } = request;
  const { rules, tell } = reason;
  const facts = { kind: 'refused', request: id, agent: principal.agent.name, task, resource, rules, tell } as const;
  return noticeWork(deps, principal.tenant, facts);
}

interface Refused {
  readonly id: RequestId;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
}
