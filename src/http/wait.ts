/** `?wait=`: how long an answer may wait for what is under way. */
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';
import type { Seconds } from '../core/time.ts';
import type { Scope } from './scope.ts';

const LONGEST_WAIT = 30;

export function waitOf(c: Context<Scope>, unlessAsked: Seconds): Result<Seconds> {
  const asked = c.req.query('wait');
  if (asked === undefined) return ok(unlessAsked);
  const wait = /^\d{1,3}$/.test(asked) ? Number(asked) : Number.NaN;
  if (wait <= LONGEST_WAIT) return ok(seconds(wait));
  return err(failure('invalid_field', `wait is 0 to ${LONGEST_WAIT} whole seconds`, { path: 'wait' }));
}
