/** What was taken away takes with it what rests on it: a few leases a time, until none is live. The queue kills them. */
import type { WorkTask } from '../core/change.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import { after, seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { KillResult } from './lease.ts';
import { endLease } from './revoke.ts';

const AT_ONCE = 64;
/** One attempt is over well within the hold of its work. */
const ATTEMPT = seconds(20);

type Cascade = Extract<WorkTask, { readonly task: 'cascade' }>;

/** What was granted since the change was decided in its sight, and lives on. */
export async function cascade(deps: Deps, { over, since = {} }: Cascade): Promise<KillResult> {
  const until = after(deps.clock(), ATTEMPT);
  let failed: string | null = null;
  // One that cannot be ended is tried again later, and keeps none of those behind it alive meanwhile.
  for (let last: LeaseId | null = null; ;) {
    const live: Page = await deps.store.live(over, since, AT_ONCE, last);
    failed = (await endAll(deps, live)) ?? failed;
    if (live.length < AT_ONCE) return failed === null ? { dead: true } : { dead: false, why: failed };
    if (deps.clock() > until) return { dead: false, why: failed ?? 'more are live', until: deps.clock() };
    last = live.at(-1)?.lease ?? null;
  }
}

type Page = readonly { readonly tenant: TenantName; readonly lease: LeaseId }[];

/** @returns why one of them could not be, or `null`. */
async function endAll(deps: Deps, live: Page): Promise<string | null> {
  const ended = await Promise.allSettled(
    live.map(async ({ tenant, lease: id }) => {
      const lease = await deps.store.lease(tenant, id);
      if (lease === null) return;
      const actor = { kind: 'broker', name: deps.node } as const;
      const ending = { cause: 'entitlement_ended', actor, reason: null, outcome: null, killer: 'queue' } as const;
      await endLease(deps, lease, ending);
    }),
  );
  const failed = ended.find((outcome) => outcome.status === 'rejected');
  return failed === undefined ? null : String(failed.reason);
}
