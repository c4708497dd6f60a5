/** Wraps of a node's dependencies, by which every call of a provider and every commit can be held. */
import type { Change } from '../../src/core/change.ts';
import type { ApprovalId, LeaseId } from '../../src/core/ids.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { ProviderKind } from '../../src/core/registers.ts';
import type { Provider } from '../../src/core/provider.ts';
import type { Store } from '../../src/core/store.ts';
import type { Hold, StepVerb } from './kill-steps.ts';

export interface Place extends Hold {
  /** A lease, or what becomes one. */
  readonly of: LeaseId | ApprovalId;
}

/** Called at each place; what it waits for, the node waits for. */
export type At = (place: Place) => Promise<void>;

export function wrapProvider(provider: Provider, at: At): Provider {
  const { kind } = provider;
  const around =
    <Of extends { readonly lease: LeaseId }, Rest extends unknown[], T>(
      verb: StepVerb,
      call: (of: Of, ...rest: Rest) => Promise<T>,
    ) =>
    async (of: Of, ...rest: Rest): Promise<T> => {
      await at({ provider: kind, verb, when: 'before', of: of.lease });
      const result = await call(of, ...rest);
      await at({ provider: kind, verb, when: 'after', of: of.lease });
      return result;
    };
  if (provider.where === 'local') {
    return { ...provider, mint: around('mint', provider.mint), look: around('look', provider.look) };
  }
  return {
    ...provider,
    mint: around('mint', provider.mint),
    revoke: around('revoke', provider.revoke),
    look: around('look', provider.look),
    fence: around('fence', provider.fence),
    unfence: around('unfence', provider.unfence),
  };
}

export function wrapStore(store: Store, at: At): Store {
  return {
    ...store,
    async commit(change, entries) {
      const place = await placeOf(store, change);
      if (place !== null) await at({ ...place, when: 'before' });
      const result = await store.commit(change, entries);
      if (place !== null && result.ok) await at({ ...place, when: 'after' });
      return result;
    },
  };
}

async function placeOf(store: Store, change: Change): Promise<Omit<Place, 'when'> | null> {
  switch (change.kind) {
    case 'lease.open':
      return { provider: change.lease.provider, verb: change.kind, of: change.lease.id };
    case 'lease.activate':
    case 'lease.use':
    case 'lease.revoke':
    case 'lease.land':
    case 'lease.bury':
    case 'lease.fail': {
      const lease: Lease | null = await store.lease(change.tenant, change.lease);
      return lease === null ? null : { provider: lease.provider, verb: change.kind, of: lease.id };
    }
    case 'approval.move': {
      const approval = await store.approval(change.tenant, change.approval);
      const provider = approval?.binding.provider as ProviderKind | undefined;
      return approval === null || provider === undefined ? null : { provider, verb: change.kind, of: approval.id };
    }
    case 'session.open':
    case 'ledger.note':
    case 'request.refuse':
    case 'request.ask':
    case 'lease.report':
    case 'register':
    case 'refusal.count':
    case 'notice.told':
      return null;
  }
}
