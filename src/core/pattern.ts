/**
 * Regular expressions that people write, and texts that agents choose. Matched by RE2, in a time that grows with the
 * text alone: JavaScript's own engine takes hours over forty characters and `(?:([a-z]+-?)+)`, and its node with it.
 */
import { RE2JS, RE2JSException } from 're2js';
import { err, ok } from './result.ts';
import type { Result } from './result.ts';

export interface Pattern {
  /** Of the whole of a text. */
  matches(text: string): boolean;
}

/** What a bundle and the leases of the day name, several times over. */
const MOST_KEPT = 512;
const kept = new Map<string, Pattern>();

/**
 * @param source what RE2 and JavaScript (with `u`) both read: without references back, looks ahead or behind, and
 *   repetitions of more than 1,000.
 * @returns why it is none.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function readPattern(source: string): Result<Pattern, string> {
  const known = kept.get(source);
  if (known !== undefined) return ok(known);
  try {
    // What only the one of them reads may say something else in the other, and people know JavaScript's.
    void new RegExp(source, 'u');
    const pattern = RE2JS.compile(source);
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(source, pattern);
    return ok(pattern);
  } catch (fault) {
    if (!(fault instanceof SyntaxError || fault instanceof RE2JSException)) throw fault;
    return err(fault.message);
  }
}
