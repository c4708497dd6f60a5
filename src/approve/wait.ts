/** An agent may wait for people to answer its ask, for as long as one call may take. */
import type { Approval } from '../core/approval.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import { after, between, earliest } from '../core/time.ts';
import type { Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** A person's answer is seen soon enough, and each look costs one row. */
const LOOK_EVERY_MS = 1_000;

/**
 * @param caller aborted once nobody waits any more.
 * @returns the request once it waits for nobody, or as it is when `wait` has passed or its time to be answered has.
 */
export async function waitForAnswer(
  deps: Deps,
  request: KeptRequest,
  wait: Seconds,
  caller: AbortSignal,
): Promise<KeptRequest> {
  const until = after(deps.clock(), wait);
  let seen = request;
  while (seen.approval !== null && waitsForPeople(seen.approval) && !caller.aborted) {
    const left = between(deps.clock(), earliest(until, seen.approval.expiresAt));
    if (left <= 0) return seen;
    await deps.pause(Math.min(LOOK_EVERY_MS, left));
    seen = (await deps.store.request(request.tenant, request.id)) ?? seen;
  }
  return seen;
}

/** A narrower answer waits for the agent first. */
const waitsForPeople = ({ state, narrows, acceptedAt }: Approval): boolean =>
  state === 'pending' && (narrows === null || acceptedAt !== null);
