/** Kills as long as the caller waits; what is not dead by then stays with the queue. */
import type { WorkId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { killLease } from './kill.ts';
import { reread } from './revoke.ts';

/** Between two attempts while somebody waits. */
const AGAIN_MS = 200;

/** Nobody reads it; without one an exception would be made, with its stack, for each death that is seen. */
const SEEN = 'seen';

export interface Killing {
  readonly wait: Seconds;
  /** The queue's, which goes with a death that is seen here. */
  readonly work: WorkId | null;
}

/** @returns the lease as it is once it is dead, or once `wait` has passed. */
export async function killWithin(deps: Deps, lease: Lease, { wait, work }: Killing): Promise<Lease> {
  if (lease.state !== 'revoking') return lease;
  const until = deps.clock() + wait * 1000;
  const over = new AbortController();
  const killing = keepKilling(deps, lease, { until, work });
  deps.background(killing);
  const waiting = deps.pause(wait * 1000, over.signal).then(() => null);
  const buried = await Promise.race([killing, waiting]).finally(() => over.abort(SEEN));
  // What an agent reports of a lease that another ended may have come meanwhile.
  return buried !== null && lease.outcome !== null ? buried : reread(deps, lease.tenant, lease.id);
}

async function keepKilling(
  deps: Deps,
  lease: Lease,
  { until, work }: { readonly until: number; readonly work: WorkId | null },
): Promise<Lease | null> {
  for (;;) {
    const result = await killLease(deps, lease, { by: 'caller', work });
    if (result.dead) return result.buried;
    if ((result.until ?? 0) > until || deps.clock() + AGAIN_MS > until) return null;
    await deps.pause(AGAIN_MS);
  }
}
