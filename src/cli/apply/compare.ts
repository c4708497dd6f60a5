/** What a folder says, beside what the broker answers. */
import type { JsonObject } from '../../core/canonical.ts';
import { instant, toRfc3339 } from '../../core/time.ts';
import { isRecord } from '../../client/call.ts';
import type { Wanted } from './folder.ts';

/** What is there may say more than was written: the broker fills in what it knows. */
export function says(there: unknown, written: unknown): boolean {
  if (written === undefined) return true;
  if (typeof written === 'number' && typeof there === 'string') return Date.parse(there) === written;
  if (Array.isArray(written)) {
    return Array.isArray(there) && there.length === written.length && written.every((one, at) => says(there[at], one));
  }
  if (isRecord(written)) return isRecord(there) && Object.keys(written).every((key) => says(there[key], written[key]));
  return there === written;
}

/** As it is sent: times were read, and are written again. */
export function sentBody({ whole }: Wanted): JsonObject {
  const { until, exception } = whole;
  const timed = (at: unknown): unknown => (typeof at === 'number' ? toRfc3339(instant(at)) : at);
  return {
    ...whole,
    ...(until === undefined ? {} : { until: timed(until) }),
    ...(isRecord(exception) ? { exception: { ...exception, until: timed(exception['until']) } } : {}),
  } as JsonObject;
}
