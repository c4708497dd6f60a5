/**
 * Ends a revoked lease at its provider and looks until it is gone. The same code runs right after the commit, from the
 * queue, and after a crash. It never gives up: what fails is deferred, without a limit.
 */
import type { WorkFence } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft } from '../core/entry.ts';
import { exposureOf } from '../core/lease.ts';
import type { Death, Lease } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { Sighting } from '../core/provider.ts';
import type { Deps } from '../deps.ts';
import { hold } from './lease.ts';
import type { Held } from './lease.ts';
import { cleaning } from './clean.ts';

export type KillResult =
  { readonly dead: true } | { readonly dead: false; readonly why: string; readonly until?: Lease['expiresAt'] };

/** @param fence the attempt that holds the work; `null` right after the commit, before the queue's turn. */
export async function killLease(deps: Deps, lease: Lease, fence: WorkFence | null): Promise<KillResult> {
  if (lease.state !== 'revoking') return { dead: true };
  try {
    const held = await hold(deps, lease);
    const declared = held.provider.declare(held.target.version);
    if (held.provider.where === 'local' && declared.revokes === 'never' && deps.clock() < lease.expiresAt) {
      return { dead: false, why: 'only its expiry ends it', until: lease.expiresAt };
    }
    await endAtProvider(held, lease);
    return await settle(deps, lease, await held.provider.look(held.subject, held.target), fence);
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    return { dead: false, why: fault.message };
  }
}

/** One that was never activated may still be landing: its name is fenced before anything is said of it. */
async function endAtProvider({ provider, subject, target }: Held, lease: Lease): Promise<void> {
  if (provider.where === 'local') return;
  await provider.revoke(subject, target);
  if (lease.activeAt !== null) return;
  await provider.fence(subject, target);
  await provider.revoke(subject, target);
}

async function settle(deps: Deps, lease: Lease, sighting: Sighting, fence: WorkFence | null): Promise<KillResult> {
  const death = deathOf(sighting, lease, deps);
  if (death === null) return { dead: false, why: sighting.seen === 'unseen' ? sighting.why : 'it is still there' };
  const exposure = exposureOf(lease.expiresAt, lease.revokingAt ?? lease.expiresAt, death.at);
  const entry = makeEntry(
    { ...deathEntry(lease, death, exposure), inSetup: (await deps.store.deployment()).inSetup },
    deps.random,
  );
  const change = {
    kind: 'lease.bury',
    tenant: lease.tenant,
    lease: lease.id,
    death,
    exposure,
    fence,
    work: cleaning(deps, lease, sighting),
  } as const;
  const buried = await deps.store.commit(change, [entry]);
  if (!buried.ok && buried.error.unmet === 'fenced') return { dead: false, why: 'another attempt holds this work' };
  return { dead: true };
}

function deathOf(sighting: Sighting, lease: Lease, deps: Deps): Death | null {
  const at = deps.clock();
  switch (sighting.seen) {
    case 'gone':
      return { how: 'verified', at, evidence: sighting.evidence, node: deps.node };
    case 'present':
      return null;
    case 'unseen':
      return sighting.forGood && at >= lease.expiresAt
        ? { how: 'unverifiable', at, evidence: { why: sighting.why }, node: deps.node }
        : null;
  }
}

function deathEntry(lease: Lease, death: Death, exposure: number): Omit<EntryDraft, 'inSetup'> {
  return {
    tenant: lease.tenant,
    kind: 'lease.revoked',
    at: death.at,
    actor: { kind: 'broker', name: death.node },
    accountable: lease.owner,
    request: lease.request,
    lease: lease.id,
    facts: { death: death.how, exposure_ms: exposure, node: death.node, cause: lease.cause },
    seen: death.evidence,
  };
}
