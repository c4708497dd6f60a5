/** The places of a block or a pause at which somebody ends it. Pure. */
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';

export interface ToEnd<Place> {
  readonly standing: readonly Place[];
  /** Where the same person ended it before: they are told so, since that answer may have been lost. */
  readonly ended: readonly Place[];
}

/**
 * Without `asked`, all where it stands; where it stands nowhere any more, all where the same person has ended it.
 *
 * @param ended where the same person has.
 */
export function placesToEnd<Place extends string | null>(
  { standing, ended }: ToEnd<Place>,
  asked: readonly string[] | undefined,
): Result<ToEnd<Place>> {
  const wanted = new Set<string | null>(asked ?? (standing.length > 0 ? standing : ended));
  const isWanted = (place: Place): boolean => wanted.has(place);
  const found = { standing: standing.filter(isWanted), ended: ended.filter(isWanted) };
  const isWhole = wanted.size > 0 && found.standing.length + found.ended.length === wanted.size;
  return isWhole ? ok(found) : err(failure('not_found', 'it does not stand there', { path: 'tenants' }));
}
