/**
 * Input is parsed once, at the edge, by a strict schema: a field that is not defined is refused with its path.
 */
import { z } from 'zod';
import { failure } from './failure.ts';
import type { Failure } from './failure.ts';
import { err, ok } from './result.ts';
import type { Result } from './result.ts';
import { isName, isTaskName } from './ids.ts';
import { misfit } from './misfit.ts';
import { parseInstant } from './time.ts';
import type { Instant } from './time.ts';

export function parseWith<T>(schema: z.ZodType<T>, input: unknown): Result<T> {
  const parsed = schema.safeParse(input, { error: misfit });
  return parsed.success ? ok(parsed.data) : err(refusalOf(parsed.error.issues));
}

function refusalOf(issues: readonly z.core.$ZodIssue[]): Failure {
  const [first] = issues;
  if (first === undefined) return failure('invalid_request', 'the request is malformed');
  const at = first.path.map(String).join('.');
  if (first.code === 'unrecognized_keys') {
    const path = [...first.path.map(String), first.keys[0] ?? ''].join('.');
    return failure('unknown_field', `${path} is not a field of this request`, { path, hint: 'Leave it out.' });
  }
  const where = at === '' ? 'the body' : at;
  return failure('invalid_field', `${where}: ${first.message}`, at === '' ? {} : { path: at });
}

const C0_LAST = 0x1f;
const DEL = 0x7f;
const C1_LAST = 0x9f;

/** Postgres cannot hold NUL, and a control character in a log or on a page is never what was meant. */
export const hasControl = (text: string): boolean =>
  Array.from(text).some((character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= C0_LAST ? character !== '\n' && character !== '\t' : code >= DEL && code <= C1_LAST;
  });

/** A lone surrogate has no UTF-8. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** Text for people, bounded. */
export const words = (limit: number) =>
  z
    .string()
    .min(1)
    .max(limit)
    .refine((text) => !hasControl(text) && isWellFormed(text), 'it holds a control or broken character');

export const name = () => z.string().refine(isName, 'it must match [a-z0-9][a-z0-9-]{0,62}');
export const taskName = () => z.string().refine(isTaskName, 'it must be names joined by dots, such as service.restart');

export const when = () =>
  z.string().transform((text, context): Instant => {
    const at = parseInstant(text);
    if (at !== null) return at;
    context.issues.push({
      code: 'custom',
      message: 'it must be an RFC 3339 time, such as 2026-12-31T18:00:00Z',
      input: text,
    });
    return z.NEVER;
  });
