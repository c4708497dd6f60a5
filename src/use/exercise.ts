/**
 * Counts one use of a lease before it is let happen: exact, however many servers ask at once, and under the epochs that
 * were looked at. The last use ends the lease.
 */
import { makeEntry } from '../core/entry.ts';
import type { Actor, EntryDraft } from '../core/entry.ts';
import type { Lease } from '../core/lease.ts';
import type { Deps } from '../deps.ts';
import { aliveNow } from './alive.ts';
import type { Alive } from './alive.ts';

/** While who may do what keeps changing, a use is looked at again this often, and then refused. */
const TRIES = 4;

export interface Use {
  readonly actor: Actor;
  /** What is about to be done, plain in the leaf. */
  readonly facts: EntryDraft['facts'];
  readonly said?: NonNullable<EntryDraft['said']>;
}

/** @returns the lease as it was when this use was counted, or `null`: it may not be used (any more). */
export async function exercise(deps: Deps, before: Alive, use: Use): Promise<Alive | null> {
  let alive: Alive | null = before;
  for (let tries = 0; alive !== null && tries < TRIES; tries++) {
    const { lease, snapshot } = alive;
    const change = { kind: 'lease.use', tenant: lease.tenant, lease: lease.id, epochs: snapshot.epochs } as const;
    const at = deps.clock();
    const entry = makeEntry({ ...entryOf(lease, use), at, inSetup: snapshot.deployment.inSetup }, deps.random);
    const counted = await deps.store.commit({ ...change, at }, [entry]);
    if (counted.ok) return alive;
    if (counted.error.unmet !== 'moved') return null;
    deps.store.forget(lease.tenant);
    alive = await aliveNow(deps, lease.tenant, lease.id);
  }
  return null;
}

const entryOf = (lease: Lease, { actor, facts, said }: Use): Omit<EntryDraft, 'at' | 'inSetup'> => ({
  tenant: lease.tenant,
  kind: 'lease.used',
  actor,
  accountable: lease.owner,
  request: lease.request,
  lease: lease.id,
  facts,
  ...(said === undefined ? {} : { said }),
});

/** Whether the use that was just counted was the last: read back, since others may have been counted beside it. */
export async function isSpent(
  deps: Deps,
  { tenant, id, uses }: Pick<Lease, 'tenant' | 'id' | 'uses'>,
): Promise<boolean> {
  if (uses === null) return false;
  if (uses === 1) return true;
  const now = await deps.store.lease(tenant, id);
  return now === null || now.used >= uses;
}
