/**
 * Whether a lease may be used at this moment: it is active, not over, under no block, and its agent is still answered
 * for. The epochs are read with it, so that what was committed on any node before this was asked is seen, also where the
 * queue has yet to end the lease for it.
 */
import { blockOver, blockableOf } from '../core/block.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Epochs, Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import { isAnsweredFor } from '../authenticate/principal.ts';

export interface Alive {
  readonly lease: Lease;
  /** No older than the lease was read. */
  readonly snapshot: Snapshot;
}

/** @returns `null` for one that may not be used, whatever the reason: its last use may have been counted, too. */
export async function aliveNow(deps: Deps, tenant: TenantName, id: LeaseId): Promise<Alive | null> {
  const alive = await standsNow(deps, tenant, id);
  if (alive === null) return null;
  const { uses, used } = alive.lease;
  return uses !== null && used >= uses ? null : alive;
}

/** The same of one that is in use, perhaps for the last time. */
export async function standsNow(deps: Deps, tenant: TenantName, id: LeaseId): Promise<Alive | null> {
  const [lease, epochs] = await Promise.all([deps.store.lease(tenant, id), deps.store.epochs(tenant)]);
  if (lease === null || epochs === null) return null;
  const now = deps.clock();
  if (lease.state !== 'active' || now >= lease.expiresAt) return null;
  const snapshot = await snapshotSince(deps, tenant, epochs);
  const agent = snapshot?.agents.get(lease.agent)?.agent;
  if (snapshot === null || agent === undefined || !isAnsweredFor(snapshot, agent, lease.owner)) return null;
  return blockOver(snapshot.blocks, blockableOf(lease, agent), now) === null ? { lease, snapshot } : null;
}

async function snapshotSince(deps: Deps, tenant: TenantName, epochs: Epochs): Promise<Snapshot | null> {
  const kept = await deps.store.snapshot(tenant);
  if (kept === null || (kept.epochs.tenant >= epochs.tenant && kept.epochs.deployment >= epochs.deployment))
    return kept;
  deps.store.forget(tenant);
  return deps.store.snapshot(tenant);
}
