/** How long a caller would have an answer wait: `?wait=`, in whole seconds. */
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';
import type { Seconds } from '../core/time.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';

/** What stands between a caller and Brevet often cuts off an answer that is silent for a minute. */
const LONGEST_WAIT = 30;

/**
 * @param unlessSaid where the caller says nothing.
 * @param beside what else its query may hold.
 */
export function waitOf(c: Context<Scope>, unlessSaid: Seconds, beside: readonly string[] = []): Result<Seconds> {
  const known = onlyQuery(c, ['wait', ...beside]);
  if (!known.ok) return known;
  const asked = c.req.query('wait');
  if (asked === undefined) return ok(unlessSaid);
  const wait = /^\d{1,3}$/.test(asked) ? Number(asked) : Number.NaN;
  if (wait <= LONGEST_WAIT) return ok(seconds(wait));
  return err(failure('invalid_field', `wait is 0 to ${LONGEST_WAIT} whole seconds`, { path: 'wait' }));
}
