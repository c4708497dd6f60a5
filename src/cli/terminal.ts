/**
 * Where commands write: results on stdout, as tables for people or JSON for programs; everything else on stderr.
 * There is no colour anywhere.
 */

export interface Terminal {
  /** Programs read: `--json` was given. */
  readonly json: boolean;
  out(text: string): void;
  err(text: string): void;
}

export const openTerminal = (json: boolean): Terminal => ({
  json,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
});

/** What somebody else wrote must not steer the reader's terminal, nor read otherwise than it is. */
const STEERING = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

export const printable = (text: string): string =>
  text.replace(STEERING, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);

/** A value in one line: a thing as its fields, and what lies in it in brackets. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (!Array.isArray(value)) return fieldsShown(value);
  const between = value.every((item) => typeof item === 'string') ? ', ' : '; ';
  return value.map(shown).join(between) || '-';
}

function fieldsShown(thing: object): string {
  const inner = (value: unknown): string =>
    typeof value === 'object' && value !== null ? `(${shown(value)})` : shown(value);
  const told = Object.entries(thing).map(([name, value]) => `${printable(name)} ${inner(value)}`);
  return told.join(', ') || '-';
}

/** So many of them, in words that fit one too. */
export const counted = (n: number, one: string): string => `${n} ${n === 1 ? one : `${one}s`}`;

/** Columns as wide as their widest cell, two spaces between. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head.map((name) => name.toUpperCase())), ...rows.map(line)].join('\n');
}

/** One thing, a line for each of its fields. */
export function fields(thing: Readonly<Record<string, unknown>>): string {
  const width = Math.max(0, ...Object.keys(thing).map((name) => name.length));
  return Object.entries(thing)
    .map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}`)
    .join('\n');
}

/** Prints for whoever reads: the answer itself for programs, `words` for people. */
export function print(terminal: Terminal, answer: unknown, words: () => string): void {
  terminal.out(terminal.json ? JSON.stringify(answer, null, 2) : words());
}
