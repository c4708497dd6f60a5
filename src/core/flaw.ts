/**
 * What is wrong with JSON that parses: a name that an object says twice is one thing to one reader and another to the
 * next, text that is nested without end overflows whoever walks it, a lone surrogate has no UTF-8 to be hashed, and a
 * number past the largest has no canonical form.
 *
 * @see RFC 8259 sections 4 and 9
 */

import { isWellFormed } from './parse.ts';

const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|-?\d[\d.eE+-]*|[{}[\]]/g;

/** No request of ours is nested deeper than a dozen. */
const DEEPEST = 64;

/** @param text JSON that has parsed. @returns in words what is wrong with it, or `null`. */
export function flawOf(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  for (const [token, name, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null);
    else if (token === '}' || token === ']') open.pop();
    else if (name === undefined) {
      if (!Number.isFinite(Number(token))) return 'it holds a number that is too large';
    } else {
      const said = name.includes('\\') ? (JSON.parse(`"${name}"`) as string) : name;
      if (!isWellFormed(said)) return 'it holds a broken character';
      if (colon !== undefined && isSaidAgain(open.at(-1), said)) return 'a name comes twice';
    }
    if (open.length > DEEPEST) return `it is nested deeper than ${DEEPEST}`;
  }
  return null;
}

function isSaidAgain(names: Set<string> | null | undefined, name: string): boolean {
  const again = names?.has(name) === true;
  names?.add(name);
  return again;
}
