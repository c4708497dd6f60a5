/** Kills as long as the caller waits; what is not dead by then stays with the queue. */
import type { Lease } from '../core/lease.ts';
import type { Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { killLease } from './kill.ts';
import { reread } from './revoke.ts';

/** Between two attempts while somebody waits. */
const AGAIN_MS = 200;

/** @returns the lease as it is once it is dead, or once `wait` has passed. */
export async function killWithin(deps: Deps, lease: Lease, wait: Seconds): Promise<Lease> {
  if (lease.state !== 'revoking') return lease;
  const until = deps.clock() + wait * 1000;
  const killing = keepKilling(deps, lease, until);
  deps.background(killing);
  await Promise.race([killing, deps.pause(wait * 1000)]);
  return reread(deps, lease.tenant, lease.id);
}

async function keepKilling(deps: Deps, lease: Lease, until: number): Promise<void> {
  for (;;) {
    const result = await killLease(deps, lease, null);
    if (result.dead || (result.until ?? 0) > until || deps.clock() + AGAIN_MS > until) return;
    await deps.pause(AGAIN_MS);
  }
}
