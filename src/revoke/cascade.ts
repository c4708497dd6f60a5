/** What was taken away takes with it what rests on it: a few leases a time, until none is live. The queue kills them. */
import type { WorkTask } from '../core/change.ts';
import type { Deps } from '../deps.ts';
import type { KillResult } from './lease.ts';
import { endLease } from './revoke.ts';

const AT_ONCE = 64;

type Cascade = Extract<WorkTask, { readonly task: 'cascade' }>;

/** What was granted since the change was decided in its sight, and lives on. */
export async function cascade(deps: Deps, { over, since = {} }: Cascade): Promise<KillResult> {
  const live = await deps.store.live(over, since, AT_ONCE);
  const ended = await Promise.allSettled(
    live.map(async ({ tenant, lease: id }) => {
      const lease = await deps.store.lease(tenant, id);
      if (lease === null) return;
      const actor = { kind: 'broker', name: deps.node } as const;
      const ending = { cause: 'entitlement_ended', actor, reason: null, outcome: null, killer: 'queue' } as const;
      await endLease(deps, lease, ending);
    }),
  );
  // One that cannot be ended here is tried again with the rest, and keeps none of them alive meanwhile.
  const failed = ended.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) return { dead: false, why: String(failed.reason) };
  return live.length < AT_ONCE ? { dead: true } : { dead: false, why: 'more are live', until: deps.clock() };
}
