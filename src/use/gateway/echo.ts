/**
 * A key in what a tool answers, however it is written there: plain, escaped for JSON, URLs or HTML, any part of it so or
 * so, in hex, in UTF-16, or in base64 at whatever offset, in lines or escaped once more. Looked for while the answer passes, over the edges of its pieces: what may
 * be the beginning of the key waits until it is known to be none, and nothing else does.
 */

/** Ways in which one character of a pattern may be written, each a text. */
interface Unit {
  readonly ways: readonly string[];
  /** Letters in either case: a digit in hex. A character itself is not folded, since another case is another key. */
  readonly folds: boolean;
}

type Pattern = readonly Unit[];

/** Where in a pattern a possible key has got to, and where in the stream it began. */
interface Thread {
  readonly pattern: Pattern;
  readonly unit: number;
  readonly way: string;
  readonly folds: boolean;
  readonly at: number;
  readonly from: number;
}

export interface EchoScanner {
  /** @returns what of it, and of what waited, may go on; `found`: the key begins where that ends. */
  push(chunk: Uint8Array): { readonly clear: Uint8Array; readonly found: boolean };
  /** What waited, at the end: it was no key. */
  rest(): Uint8Array;
}

/** What is looked for; made once for a key. */
export interface Needles {
  /** For each byte, what begins with it. */
  readonly starts: readonly (readonly Thread[])[];
  /** For each byte, by which second one something goes on that begins with it: hardly ever more than a few. */
  readonly seconds: readonly Uint8Array[];
}

/** @param secrets of visible ASCII. */
export const needlesOf = (secrets: readonly string[]): Needles => needlesOfAll(secrets.flatMap(patternsOf));

export function echoScanner({ starts, seconds }: Needles): EchoScanner {
  let waiting: Uint8Array = new Uint8Array(0);
  let threads: readonly Thread[] = [];
  /** The place in the stream of the first byte that waits. */
  let base = 0;
  return {
    push(chunk) {
      const bytes = waiting.length === 0 ? chunk : joined(waiting, chunk);
      for (let at = waiting.length; at < bytes.length; at++) {
        if (threads.length === 0) at = firstOf(seconds, bytes, at);
        const byte = bytes[at] ?? 0;
        const begun = starts[byte] ?? [];
        const from = base + at;
        const step = advance(
          begun.length === 0 ? threads : [...threads, ...begun.map((one) => ({ ...one, from }))],
          byte,
        );
        if (step.found !== Infinity) return { clear: bytes.subarray(0, step.found - base), found: true };
        threads = step.threads;
      }
      const earliest = threads.reduce((least, { from }) => Math.min(least, from), base + bytes.length);
      const clear = bytes.subarray(0, earliest - base);
      // A copy: whoever gave the chunk may use its memory again.
      waiting = bytes.slice(earliest - base);
      base = earliest;
      return { clear, found: false };
    },
    rest: () => waiting,
  };
}

/** The first place from `at` on where something may begin: the last one always, since its second byte is to come. */
function firstOf(seconds: Needles['seconds'], bytes: Uint8Array, at: number): number {
  const last = bytes.length - 1;
  let place = at;
  while (place < last && seconds[bytes[place] ?? 0]?.[bytes[place + 1] ?? 0] === 0) place++;
  return place;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** One byte further. `found`: the earliest beginning of what is whole now. */
function advance(threads: readonly Thread[], byte: number): { readonly threads: readonly Thread[]; found: number } {
  const next: Thread[] = [];
  let found = Infinity;
  for (const thread of threads) {
    if (!isAt(thread, byte)) continue;
    const { pattern, unit, way, at, from } = thread;
    if (at + 1 < way.length) next.push({ ...thread, at: at + 1 });
    else if (unit + 1 === pattern.length) found = Math.min(found, from);
    else next.push(...threadsAt(pattern, unit + 1, from));
  }
  return { threads: next, found };
}

/** What folds is written in lower case. */
function isAt({ way, at, folds }: Thread, byte: number): boolean {
  const wanted = way.charCodeAt(at);
  return byte === wanted || (folds && byte >= 0x41 && byte <= 0x5a && byte + 0x20 === wanted);
}

function threadsAt(pattern: Pattern, unit: number, from: number): Thread[] {
  const { ways = [], folds = false } = pattern[unit] ?? {};
  return ways.map((way) => ({ pattern, unit, way, folds: folds || way.length > 1, at: 0, from }));
}

function needlesOfAll(patterns: readonly Pattern[]): Needles {
  const begin = patterns.flatMap((pattern) => threadsAt(pattern, 0, 0));
  const starts = BYTES.map((byte) => begin.filter((thread) => isAt(thread, byte)));
  const seconds = starts.map((threads, first) => {
    if (threads.length === 0) return NONE;
    const { threads: next, found } = advance(threads, first);
    return Uint8Array.from(BYTES, (byte) => Number(found !== Infinity || next.some((thread) => isAt(thread, byte))));
  });
  return { starts, seconds };
}

const BYTES: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte);
/** One for all: most bytes begin nothing. */
const NONE = new Uint8Array(BYTES.length);

function patternsOf(secret: string): readonly Pattern[] {
  const hex = Array.from(secret, hexOf).join('');
  const base64 = [0, 1, 2].map((offset) => base64At(secret, offset));
  const forUrls = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const inLines = [...new Set([...base64, ...forUrls])].map((text) =>
    Array.from(text, (character, at) => (at === 0 ? ESCAPED : BROKEN).of(character)),
  );
  return [
    Array.from(secret, (character) => ESCAPED.of(character)),
    Array.from(hex, (digit) => ({ ways: [digit], folds: true })),
    Array.from(Array.from(secret).join('\0'), (character) => ({ ways: [character], folds: false })),
    ...inLines,
  ];
}

/** A unit for each character, made once: a key may have thousands. */
function units(waysFor: (character: string) => readonly string[]): { of(character: string): Unit } {
  const made = new Map<string, Unit>();
  return {
    of(character) {
      const unit = made.get(character) ?? { ways: waysFor(character), folds: false };
      made.set(character, unit);
      return unit;
    },
  };
}

const hexOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0');

const NAMED: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;', '\\"'],
  "'": ['&apos;', "\\'"],
  '\\': ['\\\\'],
  '/': ['\\/'],
};

/** As it stands; in URLs, once and twice escaped; in JSON; in HTML. */
function waysOf(character: string): readonly string[] {
  const hex = hexOf(character);
  const number = character.charCodeAt(0);
  const escapes = [`%${hex}`, `%25${hex}`, `\\u00${hex}`, `\\x${hex}`, `&#${number};`, `&#x${hex};`];
  return [character, ...escapes, ...(NAMED[character] ?? [])];
}

const ESCAPED = units(waysOf);

/** Programs break base64 into lines. Nothing begins with a break: the end of a line would wait for what comes after it. */
const BROKEN = units((character) => [
  ...waysOf(character),
  ...['\n', '\r\n', '\\n', '\\r\\n'].map((end) => `${end}${character}`),
]);

/** The characters that the secret alone decides, where so many bytes of something else come before it. */
function base64At(secret: string, offset: number): string {
  const text = btoa('\0'.repeat(offset) + secret);
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + secret.length) * 8) / 6));
}
