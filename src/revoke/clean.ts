/**
 * What stays at a provider after death was seen, and is taken away later: a fence that is no longer needed, and a login
 * that owned something and could only be disabled.
 */
import type { NewWork } from '../core/change.ts';
import { newId } from '../core/ids.ts';
import { placeOf } from '../core/lease.ts';
import type { Lease } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { Sighting } from '../core/provider.ts';
import { after, seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { atProvider, declaredOf, isOverByItself } from './lease.ts';
import type { KillResult } from './lease.ts';

/** A mint refuses itself at its deadline; a clock of the provider's that lags a minute is still within. */
const PAST_DEADLINE = seconds(90);

/** The work that a death leaves, where it leaves any. */
export function cleaning(deps: Deps, lease: Lease, sighting: Sighting): readonly NewWork[] {
  const left = sighting.seen === 'gone' && sighting.evidence['left'] !== undefined;
  if (lease.activeAt !== null && !left) return [];
  const what = { task: 'clean', ...placeOf(lease) } as const;
  const due = after(lease.mintDeadline, PAST_DEADLINE);
  return [{ id: newId('wrk', deps.clock(), deps.random), due, what }];
}

export async function clean(deps: Deps, lease: Lease): Promise<KillResult> {
  try {
    return await atProvider(deps, lease, async ({ provider, target, subject, declared }) => {
      if (provider.where === 'local') return { dead: true };
      await provider.unfence(subject, target);
      await provider.revoke(subject, target);
      const sighting = await provider.look(subject, target);
      const dropped = sighting.seen === 'gone' && sighting.evidence['left'] === undefined;
      // Only the secret could show more, and that went with the lease's death; or nothing ever could.
      const isBlind =
        sighting.seen === 'unseen' && sighting.forGood && (declared.keepsSecret || declared.evidence === null);
      return dropped || isBlind ? { dead: true } : { dead: false, why: 'a dead login could not be dropped yet' };
    });
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    // There may be no provider left, and what stays there gives nobody anything.
    if (isOverByItself(deps.clock(), lease, await declaredOf(deps, lease))) return { dead: true };
    return { dead: false, why: fault.message };
  }
}
