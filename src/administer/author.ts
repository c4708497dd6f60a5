/** An operator who is about to change a register: why, and what must still be so. */
import type { Claim } from '../core/change/once.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';

export type Place = Snapshot | DeploymentSnapshot;

/** What an author sent that creates something. */
export interface Sent {
  readonly body: unknown;
  /** The key under which it may be sent again; `null`: each time is another. */
  readonly claim: Claim | null;
}

export interface Author extends OperatorPrincipal {
  /** For the ledger, beside the leaf. */
  readonly reason: string | null;
  /** Whether the item is as the author last saw it; `null` where they did not say how that was. */
  readonly isAsSeen: ((place: Place) => Promise<boolean>) | null;
}

/** Exact, since the commit rests on the epochs of the place that this looked at. */
export async function mustBeAsSeen(deps: Deps, { isAsSeen }: Author, place: Place): Promise<Result<null>> {
  if (isAsSeen === null || (await isAsSeen(place))) return ok(null);
  return err((await isOvertaken(deps, place)) ? OVERTAKEN : NOT_AS_SEEN);
}

/** A no must not rest on a snapshot that another node's change has made stale. */
async function isOvertaken(deps: Deps, place: Place): Promise<boolean> {
  if (!('deployment' in place)) return (await deps.store.deploymentEpoch()) !== place.epoch;
  const now = await deps.store.epochs(place.tenant.name);
  return now?.tenant !== place.epochs.tenant || now.deployment !== place.epochs.deployment;
}

const OVERTAKEN = failure('contended', 'who may do what changed meanwhile', { hint: 'Try again.' });
const NOT_AS_SEEN = failure('precondition_failed', 'it is not as you last saw it', {
  hint: 'Read it again, and decide again.',
});
