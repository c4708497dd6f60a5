/**
 * An `opening` lease whose mint may have been lost: behind the fence, what is there is killed, and only what was seen
 * never to have been minted is called failed.
 */
import type { WorkFence } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { Lease } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { Sighting } from '../core/provider.ts';
import type { Deps } from '../deps.ts';
import { cleaning } from './clean.ts';
import { atProvider, declaredOf, isOverByItself } from './lease.ts';
import { killLease } from './kill.ts';
import type { Held, KillResult } from './lease.ts';
import { endLease, reread } from './revoke.ts';

export async function reconcile(deps: Deps, lease: Lease, fence: WorkFence): Promise<KillResult> {
  // One whose end was committed meanwhile has work of its own that kills it: two would take two of a tenant's share.
  if (lease.state !== 'opening') return { dead: true };
  if (deps.clock() < lease.mintDeadline) return { dead: false, why: 'its mint may land', until: lease.mintDeadline };
  try {
    const sighting = await atProvider(deps, lease, fenceAndLook);
    deps.breakers.answered(lease);
    // What will never be seen is taken for one that landed.
    if (sighting.seen === 'unseen' && !sighting.forGood) return { dead: false, why: sighting.why };
    if (sighting.seen === 'gone') {
      await fail(deps, lease, sighting, fence);
      return { dead: true };
    }
    return await killOrphan(deps, lease);
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    deps.breakers[fault.answered ? 'answered' : 'failed'](lease);
    // Whether it landed or not: there may be no provider left to ask.
    if (isOverByItself(deps.clock(), lease, await declaredOf(deps, lease))) return killOrphan(deps, lease);
    return { dead: false, why: fault.message };
  }
}

async function fenceAndLook({ provider, subject, target }: Held): Promise<Sighting> {
  if (provider.where === 'local') throw new Error(`the local lease ${subject.lease} was left opening`);
  await provider.fence(subject, target);
  return provider.look(subject, target);
}

/** It landed and nobody got it. */
async function killOrphan(deps: Deps, lease: Lease): Promise<KillResult> {
  const actor = { kind: 'broker', name: deps.node } as const;
  const { work } = await endLease(deps, lease, {
    cause: 'mint_failed',
    actor,
    reason: null,
    outcome: null,
    killer: 'caller',
  });
  return killLease(deps, await reread(deps, lease.tenant, lease.id), { by: 'caller', work });
}

async function fail(deps: Deps, lease: Lease, sighting: Sighting, fence: WorkFence): Promise<void> {
  const at = deps.clock();
  const entry = makeEntry(
    {
      tenant: lease.tenant,
      kind: 'lease.failed',
      at,
      actor: { kind: 'broker', name: deps.node },
      accountable: lease.owner,
      request: lease.request,
      lease: lease.id,
      inSetup: (await deps.store.deployment()).inSetup,
      facts: { mint_deadline_passed: true, fenced: true, node: deps.node },
    },
    deps.random,
  );
  // The fence stays until a late mint is out of the question.
  const work = cleaning(deps, lease, sighting);
  const { tenant, id, approval: reopens } = lease;
  await deps.store.commit({ kind: 'lease.fail', tenant, lease: id, reopens, at, fence, work }, [entry]);
}
