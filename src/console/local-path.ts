/** Where a person is led back to: a page of this console, and nowhere else. */
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';

const LONGEST = 1000;
/** One slash, and then nothing that a browser reads as another host, or that would break a header. */
const LOCAL = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;
/** Any origin will do: what leaves it is not local. */
const SOMEWHERE = 'https://console.invalid';

export function parseLocalPath(text: string): Result<string> {
  const url = LOCAL.test(text) && text.length <= LONGEST ? URL.parse(text, SOMEWHERE) : null;
  // What a browser would read otherwise than it stands, such as `/..//host`, is not led to.
  if (url !== null && url.origin === SOMEWHERE && `${url.pathname}${url.search}` === text) return ok(text);
  return err(failure('invalid_field', 'this leads away from the console', { path: 'return_to' }));
}

/** The path of a request, with its query. */
export function here(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}
