/** What people are told: a notice is work enqueued in the commit of what it tells of. */
import type { NewWork, WorkTask } from '../core/change.ts';
import { newId } from '../core/ids.ts';
import type { RequestId } from '../core/ids.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { toRfc3339 } from '../core/time.ts';
import type { AccessRequest } from '../core/request.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Forbid, Permit } from '../decide/decision.ts';
import type { Deps } from '../deps.ts';

/** Tier 2: act, then tell. */
export function noticeOf(deps: Deps, lease: LeaseTerms, { execution, oversight }: Permit): readonly NewWork[] {
  if (execution.tier !== 2) return [];
  const notice = {
    agent: lease.agent,
    task: lease.task,
    resource: lease.resource,
    lease: lease.id,
    tell: [...oversight.notify],
    review_by: toRfc3339(oversight.reviewBy),
  };
  return [noticeWork(deps, { tenant: lease.tenant, lease: lease.id, notice })];
}

/** A refusal of which a rule wants people told; where no channel is, the decision alone says whom. */
export function refusalNotice(deps: Deps, { id, principal, request }: Refused, { reason }: Forbid): readonly NewWork[] {
  if (reason.tell.length === 0 || deps.channels.length === 0) return [];
  const { tenant, agent } = principal;
  const { task, resource } = request;
  const notice = { agent: agent.name, task, resource, request: id, rules: [...reason.rules], tell: [...reason.tell] };
  return [noticeWork(deps, { tenant, lease: null, notice })];
}

interface Refused {
  readonly id: RequestId;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
}

function noticeWork(deps: Deps, of: Omit<Extract<WorkTask, { readonly task: 'notice' }>, 'task'>): NewWork {
  const now = deps.clock();
  return { id: newId('wrk', now, deps.random), due: now, what: { task: 'notice', ...of } };
}
