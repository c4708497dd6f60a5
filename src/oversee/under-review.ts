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

async function underGlass(deps: Deps, review: Review): Promise<UnderReview> {
  const found: Lease[] = [];
  for await (const leases of givenUnder(deps, review)) {
    found.push(...leases);
    if (found.length > AT_ONCE) break;
  }
  return { leases: found.slice(0, AT_ONCE), order: null, more: found.length > AT_ONCE };
}

/** All that it is about, however many, a part at a time. */
export async function* allUnder(deps: Deps, review: Review): AsyncGenerator<readonly Lease[]> {
  if (review.what === 'break_glass') yield* givenUnder(deps, review);
  else yield (await underReview(deps, review)).leases;
}

/** By the role, which nothing but broken glass gives, and the time that it was given for. */
async function* givenUnder({ store }: Deps, review: Review): AsyncGenerator<readonly Lease[]> {
  const { tenant, agent, role, at, from } = review;
  if (agent === null || role === null) return;
  const of = { tenant, agent, role, owner: null, target: null, states: null, limit: AT_ONCE };
  let before: LeaseId | null = firstAfter(from);
  while (before !== null) {
    const found: readonly Lease[] = await store.leases({ ...of, before }, null);
    yield found.filter(({ openedAt }) => openedAt >= at && openedAt <= from);
    const last = found.length < AT_ONCE ? undefined : found.at(-1);
    before = last === undefined || last.openedAt < at - CLOCKS_APART_MS ? null : last.id;
  }
}

/** An id tells when it was made, by a clock that may be a little ahead of the database's. */
const CLOCKS_APART_MS = 60_000;
const firstAfter = (moment: number): LeaseId =>
  newId('lse', instant(moment + CLOCKS_APART_MS), (bytes) => new Uint8Array(bytes));
