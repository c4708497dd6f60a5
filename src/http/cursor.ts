/** Cursors of lists: opaque and signed, so that one of another list or tenant is none. */
import { base64url } from 'jose';
import { equalInConstantTime, hmacSha256, utf8 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';

const TAG_BYTES = 16;

/** @param list what it is a place in: the route with its tenant, and who asks. */
export function makeCursor(deps: Deps, list: string, last: string): string {
  const place = base64url.encode(last);
  return `${place}.${tagOf(deps, list, place)}`;
}

export function readCursor(deps: Deps, list: string, cursor: string | undefined): Result<string | null> {
  if (cursor === undefined) return ok(null);
  const [place = '', tag = '', ...more] = cursor.split('.');
  // Nothing of it is read that is not ours.
  if (more.length === 0 && equalInConstantTime(utf8(tag), utf8(tagOf(deps, list, place)))) {
    return ok(new TextDecoder().decode(base64url.decode(place)));
  }
  return err(failure('invalid_cursor', 'this cursor is not one of this list', { hint: 'Start without one.' }));
}

const tagOf = (deps: Deps, list: string, place: string): string =>
  base64url.encode(hmacSha256(deps.keyring.derive('cursor'), utf8(JSON.stringify([list, place]))).slice(0, TAG_BYTES));
