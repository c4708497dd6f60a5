/** What oversight wrote down, as callers see it. */
import type { Json } from '../core/canonical.ts';
import type { KeptPause, Verdict } from '../core/oversight.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';

const time = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

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

export const verdictWire = ({ id, lease, verdict, reference, by, at }: Verdict): Record<string, Json> => ({
  id,
  lease,
  verdict,
  reference,
  by,
  at: toRfc3339(at),
});
