/**
 * Cedar's text, cut into rules with the place of each. Cedar itself forgets the order and the lines of a file, and a
 * rule ends at the one semicolon outside strings and comments.
 */
import { utf8 } from '../../core/digest.ts';
import type { RuleSource } from '../../core/policy.ts';

export interface RuleText {
  readonly file: string;
  readonly text: string;
  /** Where `text` begins in `whole`. */
  readonly offset: number;
  /** Where its first word stands, after comments. */
  readonly line: number;
  /** The text of the file. */
  readonly whole: string;
}

const TOKEN = /\/\/[^\n]*|"(?:[^"\\]|\\[^])*"|;/g;
const LEADING = /^(?:\s+|\/\/[^\n]*)*/;

export function splitRules({ file, text: whole }: RuleSource): RuleText[] {
  const ends = [...whole.matchAll(TOKEN)].filter(([token]) => token === ';').map(({ index }) => index + 1);
  const rules: RuleText[] = [];
  let offset = 0;
  let line = 1;
  for (const end of [...ends, whole.length]) {
    const text = whole.slice(offset, end);
    const lead = LEADING.exec(text)?.[0] ?? '';
    if (lead.length < text.length) {
      rules.push({ file, text, offset, line: line + lineAt(lead, lead.length) - 1, whole });
    }
    line += lineAt(text, text.length) - 1;
    offset = end;
  }
  return rules;
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Cedar counts bytes of UTF-8. */
export function charactersBefore(text: string, bytes: number): number {
  return new TextDecoder().decode(utf8(text).subarray(0, bytes)).length;
}

/** The same text with comments blanked, places kept. */
export const withoutComments = (text: string): string =>
  text.replace(TOKEN, (token) => (token.startsWith('//') ? ' '.repeat(token.length) : token));
