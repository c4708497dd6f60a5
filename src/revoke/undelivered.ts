/**
 * A credential that nobody got: its caller had gone, or whether its lease was committed is not known. The lease is ended,
 * however often the store does not answer.
 *
 * The node that knows of it does so, from memory. A mark of delivery in the store could not: written before the answer,
 * its own outcome can be lost in the same way; written after, a crash in between would end what was acknowledged. Where
 * the node dies over this, the next try under the same idempotency key is told of the lease, and otherwise it expires.
 */
import type { LeaseTerms } from '../core/lease.ts';
import { StoreUnavailable } from '../core/store.ts';
import { seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { endLease } from './revoke.ts';
import { killWithin } from './within.ts';

/** Until the store is asked again that did not answer. */
const AGAIN_MS = 1_000;
/** Longer than a server that was sent a commit may wait for locks and run its statements: then it lands no more. */
const MAY_LAND_MS = 30_000;
/** For the first attempt at the kill; the queue has the others. */
const KILL_WAIT = seconds(2);

/** @returns once its end is committed, or it is seen never to have begun, or its own expiry ends it. */
export async function takeBack(deps: Deps, lease: Pick<LeaseTerms, 'tenant' | 'id' | 'expiresAt'>): Promise<void> {
  const landsBy = deps.clock() + MAY_LAND_MS;
  while (deps.clock() < lease.expiresAt) {
    const landsNoMore = deps.clock() >= landsBy;
    const found = await endIfThere(deps, lease);
    if (found === 'ended' || (found === 'absent' && landsNoMore)) return;
    await deps.pause(found === 'absent' ? MAY_LAND_MS : AGAIN_MS);
  }
}

async function endIfThere(
  deps: Deps,
  { tenant, id }: Pick<LeaseTerms, 'tenant' | 'id'>,
): Promise<'ended' | 'absent' | 'unknown'> {
  try {
    const lease = await deps.store.lease(tenant, id);
    if (lease === null) return 'absent';
    if (lease.state !== 'opening' && lease.state !== 'active') return 'ended';
    const actor = { kind: 'broker', name: deps.node } as const;
    const ending = { cause: 'undelivered', actor, reason: null, outcome: null, killer: 'caller' } as const;
    const ended = await endLease(deps, lease, ending);
    await killWithin(deps, ended.lease, { wait: KILL_WAIT, work: ended.work });
    return 'ended';
  } catch (fault) {
    if (!(fault instanceof StoreUnavailable)) throw fault;
    return 'unknown';
  }
}
