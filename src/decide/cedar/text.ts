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

/**
 * What the engine can recurse over: past some 200 of either it overflows its stack, and one overflow leaves the whole
 * module broken for every later call (measured with 4.13.0). So text is bounded before it gets there.
 */
const DEEPEST = 32;
const MOST_OPERATORS = 128;
export const LONGEST_RULE = 8 * 1024;
export const LONGEST_SCHEMA = 64 * 1024;

const OPERATOR = /[.+*!-]|\bif\b/g;

/** Why the engine should not see this text; `null` where it may. */
export function tooComplex(text: string, longest: number): string | null {
  if (text.length > longest) return `it is longer than ${longest} characters`;
  const code = text.replace(TOKEN, (token) => (token === ';' ? token : ' '));
  if (nesting(code) > DEEPEST) return `it is nested more than ${DEEPEST} deep`;
  return (code.match(OPERATOR)?.length ?? 0) > MOST_OPERATORS ? `it has more than ${MOST_OPERATORS} operators` : null;
}

/** `<` opens in a schema. In a rule it compares, and counts until the next `>` all the same: few rules compare 32 times. */
function nesting(code: string): number {
  let [depth, deepest] = [0, 0];
  for (const character of code) {
    if ('([{<'.includes(character)) deepest = Math.max(deepest, ++depth);
    else if (')]}>'.includes(character)) depth = Math.max(0, depth - 1);
  }
  return deepest;
}
