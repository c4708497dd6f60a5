/** A bucket for each agent, and for each tool, at each tenant, which fills by the minute. */
import type { Rates } from '../core/rates.ts';
import { seconds } from '../core/time.ts';
import type { Clock, Instant } from '../core/time.ts';

const MINUTE_MS = 60_000;
/** Those unused for longest go first: they are the likeliest to be full again. */
const MOST_BUCKETS = 10_000;

interface Bucket {
  /** How many are left, at that moment. */
  readonly left: number;
  readonly at: Instant;
}

export function createRates(clock: Clock, most = MOST_BUCKETS): Rates {
  const buckets = new Map<string, Bucket>();
  return {
    take(who, perMinute) {
      const key = 'agent' in who ? `${who.tenant} ${who.agent}` : `${who.tenant} target ${who.target}`;
      const now = clock();
      const { left, at } = buckets.get(key) ?? { left: perMinute, at: now };
      // A clock that was set back fills nothing.
      const filled = Math.min(perMinute, left + (Math.max(0, now - at) * perMinute) / MINUTE_MS);
      buckets.delete(key);
      buckets.set(key, { left: filled < 1 ? filled : filled - 1, at: now });
      const [oldest] = buckets.keys();
      if (buckets.size > most && oldest !== undefined) buckets.delete(oldest);
      return filled < 1 ? seconds(Math.max(1, Math.ceil(((1 - filled) * MINUTE_MS) / perMinute / 1000))) : null;
    },
  };
}
