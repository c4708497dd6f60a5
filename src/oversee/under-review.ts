/** What a review is about: the credentials that somebody has to look at. */
import { newId, parseId } from '../core/ids.ts';
import type { LeaseId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { KeptOrder, Review } from '../core/oversight.ts';
import { instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** Where broken glass gave more than these, the rest is at the leases of its agent. */
const AT_ONCE = 50;

export interface UnderReview {
  /** The one that it is about; of broken glass all that were given under it, the newest first. */
  readonly leases: readonly Lease[];
  /** Of a reversal. */
  readonly order: KeptOrder | null;
  readonly more: boolean;
}

export async function underReview(deps: Deps, review: Review): Promise<UnderReview> {
  if (review.what === 'break_glass') return underGlass(deps, review);
  const id = parseId('ord', review.about);
  const order = review.what === 'reversal' && id.ok ? await deps.store.order(review.tenant, id.value) : null;
  const lease = await leaseOf(deps, review, order);
  return { leases: lease === null ? [] : [lease], order, more: false };
}

/** The one lease that it is about: of a reversal, what was taken back. */
async function leaseOf({ store }: Deps, review: Review, order: KeptOrder | null): Promise<Lease | null> {
  const id = parseId('lse', order?.lease ?? review.about);
  return id.ok ? store.lease(review.tenant, id.value) : null;
}

/** By the role, which nothing but broken glass gives, and the time that it was given for. */
async function underGlass({ store }: Deps, { tenant, agent, role, at, from }: Review): Promise<UnderReview> {
  if (agent === null || role === null) return { leases: [], order: null, more: false };
  const of = { tenant, agent, role, owner: null, target: null, states: null };
  const found = await store.leases({ ...of, before: firstAfter(from), limit: AT_ONCE + 1 }, null);
  const within = found.filter(({ openedAt }) => openedAt >= at && openedAt <= from);
  return { leases: within.slice(0, AT_ONCE), order: null, more: within.length > AT_ONCE };
}

/** An id tells when it was made, by a clock that may be a little ahead of the database's. */
const CLOCKS_APART_MS = 60_000;
const firstAfter = (moment: number): LeaseId =>
  newId('lse', instant(moment + CLOCKS_APART_MS), (bytes) => new Uint8Array(bytes));
