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
  return `${base64url.encode(last)}.${base64url.encode(tagOf(deps, list, last))}`;
}

export function readCursor(deps: Deps, list: string, cursor: string | undefined): Result<string | null> {
  if (cursor === undefined) return ok(null);
  const refused = err(failure('invalid_cursor', 'this cursor is not one of this list', { hint: 'Start without one.' }));
  const [place = '', tag = ''] = cursor.split('.');
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(place) || !/^[A-Za-z0-9_-]{22}$/.test(tag)) return refused;
  const last = new TextDecoder().decode(base64url.decode(place));
  return equalInConstantTime(base64url.decode(tag), tagOf(deps, list, last)) ? ok(last) : refused;
}

const tagOf = (deps: Deps, list: string, last: string): Uint8Array =>
  hmacSha256(deps.keyring.derive('cursor'), utf8(JSON.stringify([list, last]))).slice(0, TAG_BYTES);
