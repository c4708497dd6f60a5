/** What oversight wrote down, as callers see it. */
import type { Json } from '../core/canonical.ts';
import type { KeptOrder, KeptPause, KeptReview, KeptTrip, Order, Review, Verdict } from '../core/oversight.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Signs } from '../oversee/stamping.ts';
import type { Instant } from '../core/time.ts';

const time = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

/** As the agent reads it, who has no business with whose click it was. */
export const orderWire = ({
  id,
  lease,
  task,
  resource,
  parameters,
  reason,
  at,
  until,
}: Order): Record<string, Json> => ({
  id,
  takes_back: lease,
  task,
  resource,
  parameters,
  reason,
  at: toRfc3339(at),
  until: toRfc3339(until),
});

/** As oversight reads it. */
export const keptOrderWire = (order: KeptOrder): Record<string, Json> => ({
  ...orderWire(order),
  tenant: order.tenant,
  agent: order.agent,
  by: order.by,
  request: order.request,
});

export const reviewWire = (review: Review): Record<string, Json> => ({
  id: review.id,
  tenant: review.tenant,
  what: review.what,
  about: review.about,
  agent: review.agent,
  role: review.role,
  opened_by: review.openedBy,
  reason: review.reason,
  at: toRfc3339(review.at),
  from: toRfc3339(review.from),
  due: toRfc3339(review.due),
  not_by: review.notBy,
});

export const keptReviewWire = ({ done, ...review }: KeptReview): Record<string, Json> => ({
  ...reviewWire(review),
  done_by: done?.by ?? null,
  done_at: done === null ? null : toRfc3339(done.at),
  words: done?.words ?? null,
});

export const signsWire = (signs: Signs): Record<string, Json> => ({
  person: signs.person,
  decisions: signs.decisions,
  approved: signs.approved,
  narrowed: signs.narrowed,
  rejected: signs.rejected,
  approval_rate: Math.round(signs.approvalRate * 1000) / 1000,
  median_ms: signs.medianMs,
  under_ten_seconds: signs.underTenSeconds,
  batches: signs.batches,
  largest_batch: signs.largestBatch,
});

/** `everywhere` has one place, without a tenant. */
export const pauseWire = ({ id, author, reason, from, places }: KeptPause) => ({
  id,
  author,
  reason,
  from: toRfc3339(from),
  everywhere: places.some(({ tenant }) => tenant === null),
  standing: places.some(({ endedAt }) => endedAt === null),
  places: places.map(({ tenant, endedAt, endedBy }) => ({ tenant, ended_at: time(endedAt), ended_by: endedBy })),
});

export const tripWire = (trip: KeptTrip) => ({
  id: trip.id,
  tenant: trip.tenant,
  agent: trip.agent,
  task: trip.task,
  breaker: trip.breaker,
  signal: trip.signal,
  counts: trip.counts,
  to: trip.to,
  from: toRfc3339(trip.from),
  block: trip.block,
  standing: trip.ended === null,
  ended_at: time(trip.ended?.at ?? null),
  ended_by: trip.ended?.by ?? null,
});

export const verdictWire = ({ id, lease, verdict, reference, by, at }: Verdict): Record<string, Json> => ({
  id,
  lease,
  verdict,
  reference,
  by,
  at: toRfc3339(at),
});
