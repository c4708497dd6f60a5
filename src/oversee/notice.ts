/** Tier 2: act, then tell. The notice is work enqueued in the commit of what it tells of. */
import type { NewWork } from '../core/change.ts';
import { newId } from '../core/ids.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Permit } from '../decide/decision.ts';
import type { Deps } from '../deps.ts';

export function noticeOf(deps: Deps, lease: LeaseTerms, { execution, oversight }: Permit): readonly NewWork[] {
  if (execution.tier !== 2) return [];
  const now = deps.clock();
  const notice = {
    agent: lease.agent,
    task: lease.task,
    resource: lease.resource,
    lease: lease.id,
    tell: [...oversight.notify],
    review_by: toRfc3339(oversight.reviewBy),
  };
  const what = { task: 'notice', tenant: lease.tenant, lease: lease.id, notice } as const;
  return [{ id: newId('wrk', now, deps.random), due: now, what }];
}
