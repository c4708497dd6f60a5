/**
 * Text in a URL: what is put there is escaped whole, what came from there is read in one way or not at all.
 * @see RFC 3986 section 2
 */
import { hasControl, isWellFormed } from '../parse.ts';

/** Longer than any id; what is longer was not meant to be one. */
const LONGEST_SEGMENT = 256;
/** What would be decoded again by whoever decodes twice. */
const ESCAPE = /%[0-9a-f]{2}/i;

/** Everything but letters, digits and `-._~`. */
export const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A value as one whole segment of a path.
 * @returns `null` for what could become another path at a server that decodes twice, folds alphabets or takes
 *   backslashes for slashes, or hands it on unescaped to one that knows parameters.
 */
export function segmentOf(value: string): string | null {
  if (value === '' || value.length > LONGEST_SEGMENT || !isWellFormed(value)) return null;
  return [value, value.normalize('NFKC')].every(isPlainSegment) ? escaped(value) : null;
}

/** By themselves, or with what a server takes off them: blanks, and after an escape is undone parameters behind `;`. */
const DOTS = /^\s*\.{1,2}\s*(?:;|$)/;

const isPlainSegment = (text: string): boolean =>
  !DOTS.test(text) && !/[/\\\n\t]/.test(text) && !ESCAPE.test(text) && !hasControl(text);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ASCII = /^[\x21-\x7e]*$/;

/** @returns the text, or `null` where an escape is broken, is no UTF-8, or hides another escape. */
export function unescaped(raw: string): string | null {
  if (!ASCII.test(raw) || /%(?![0-9a-f]{2})/i.test(raw)) return null;
  if (!raw.includes('%')) return raw;
  const bytes = Uint8Array.from(
    Array.from(raw.matchAll(/%([0-9a-f]{2})|[^]/gi), ([mark, hex]) =>
      hex === undefined ? mark.charCodeAt(0) : Number.parseInt(hex, 16),
    ),
  );
  try {
    const text = strictUtf8.decode(bytes);
    return ESCAPE.test(text) || hasControl(text) ? null : text;
  } catch (fault) {
    if (!(fault instanceof TypeError)) throw fault;
    return null;
  }
}

/**
 * A path in its segments, as it stood on the request's first line.
 * @returns `null` where it is no plain path: dots, doubled slashes, backslashes, parameters after `;`, or an escape
 *   of what would divide it.
 */
export function segmentsOf(path: string): readonly string[] | null {
  if (!path.startsWith('/') || /[\\;?#]/.test(path)) return null;
  const segments = path.slice(1).split('/').map(unescaped);
  const last = segments.length - 1;
  const arePlain = segments.every(
    (segment, at) =>
      segment !== null && (segment === '' ? at === last : [segment, segment.normalize('NFKC')].every(isPlainSegment)),
  );
  return arePlain ? (segments as readonly string[]) : null;
}

/** @returns the fields of a query, each once; `null` where it can be read in two ways. */
export function fieldsOf(query: string): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  if (query === '') return fields;
  if (/[;#]/.test(query)) return null;
  for (const part of query.split('&')) {
    const [name, value = '', ...more] = part.split('=').map((raw) => unescaped(raw.replaceAll('+', '%20')));
    // A second `=` belongs to the value for some, and is an end for others: it comes escaped or not at all.
    if (name === undefined || name === null || name === '' || value === null || more.length > 0) return null;
    if (fields.has(name)) return null;
    fields.set(name, value);
  }
  return fields;
}

export const queryOf = (fields: Iterable<readonly [name: string, value: string]>): string =>
  Array.from(fields, ([name, value]) => `${escaped(name)}=${escaped(value)}`).join('&');
