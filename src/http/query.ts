/** What stands behind the `?`: a name that is mistyped must not be taken for one that is left out. */
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Scope } from './scope.ts';

/** @param takes all the names that it may hold here. */
export function onlyQuery(c: Context<Scope>, takes: readonly string[]): Result<null> {
  const unknown = Object.keys(c.req.query()).find((name) => !takes.includes(name));
  if (unknown === undefined) return ok(null);
  const hint = takes.length === 0 ? 'It takes none.' : `It takes ${takes.join(', ')}.`;
  return err(failure('unknown_field', `${unknown} is not a field of this query`, { path: unknown, hint }));
}
