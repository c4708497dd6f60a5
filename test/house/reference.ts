/** The tables of docs/reference.md, drawn from the code: a page that differs is wrong. */
import { FAILURES } from '../../src/core/failure.ts';

export const START = '<!-- errors: drawn from src/core/failure.ts -->';
export const END = '<!-- end of errors -->';

export function errorsTable(): string {
  const rows = Object.entries(FAILURES).map(
    ([code, { status, title, oauth }]) => `| \`${code}\` | ${status} | \`${oauth}\` | ${title} |`,
  );
  return ['| code | HTTP | on the OAuth endpoints | what it says |', '|---|---|---|---|', ...rows].join('\n');
}

/** The page with its table drawn anew. */
export function withErrors(page: string): string {
  const [before, rest] = split(page, START);
  const [, after] = split(rest, END);
  return `${before}${START}\n${errorsTable()}\n${END}${after}`;
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`docs/reference.md lacks ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
