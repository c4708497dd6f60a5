/**
 * What a caller says of a change: why (`Brevet-Reason`), and which state of the item it was made for (`If-Match`,
 * `If-None-Match: *`).
 *
 * @see RFC 9110 section 13.1
 */
import type { Context } from 'hono';
import { canonicalDigest } from '../core/canonical.ts';
import type { Json } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Author, Place } from '../administer/author.ts';
import { operatorOf } from './caller.ts';
import type { Scope } from './scope.ts';
import { answer } from './wire.ts';

/** The item of a register as it is in that place, as its GET answers it; `undefined` where there is none. */
export type Find = (place: Place) => object | undefined | Promise<object | undefined>;

const tagOf = (item: object): string => `"${canonicalDigest(item as Json)}"`;

/** One item, with the tag that a later change of it can name. */
export function itemAnswer(c: Context<Scope>, item: object): Response {
  c.header('etag', tagOf(item));
  return answer(c, item);
}

/** @param find `null` where there is no item yet that could have been seen. */
export async function authorOf(c: Context<Scope>, find: Find | null): Promise<Result<Author>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const reason = reasonOf(c);
  if (!reason.ok) return reason;
  const expected = expectationOf(c);
  if (!expected.ok) return expected;
  const isAsExpected = expected.value;
  const isAsSeen = isAsExpected === null ? null : async (place: Place) => isAsExpected((await find?.(place)) ?? null);
  return ok({ ...operator.value, reason: reason.value, isAsSeen });
}

/** Percent-encoded UTF-8, since a header holds less than people write. */
function reasonOf(c: Context<Scope>): Result<string | null> {
  const given = c.req.header('brevet-reason');
  if (given === undefined) return ok(null);
  const text = decoded(given);
  const reason = text === null ? null : parseWith(words(1000), text);
  if (reason?.ok === true) return reason;
  const hint = 'Send 1 to 1,000 characters, percent-encoded in UTF-8.';
  return err(failure('invalid_field', 'the reason has the wrong form', { path: 'brevet-reason', hint }));
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (fault) {
    if (fault instanceof URIError) return null;
    throw fault;
  }
}

type Expectation = (item: object | null) => boolean;

const TAGS = /^(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*$/;

function expectationOf(c: Context<Scope>): Result<Expectation | null> {
  const [match, noneMatch] = [c.req.header('if-match'), c.req.header('if-none-match')];
  if (match !== undefined && noneMatch !== undefined) return badCondition('if-match');
  if (noneMatch !== undefined) return noneMatch === '*' ? ok((item) => item === null) : badCondition('if-none-match');
  if (match === undefined) return ok(null);
  if (match === '*') return ok((item) => item !== null);
  if (!TAGS.test(match)) return badCondition('if-match');
  // A weak tag is none that compares strongly. @see RFC 9110 section 8.8.3.2
  const tags = match.split(',').map((tag) => tag.trim());
  return ok((item) => item !== null && tags.includes(tagOf(item)));
}

const badCondition = (path: string): Result<never> =>
  err(
    failure('invalid_field', `${path} has the wrong form`, {
      path,
      hint: 'Send if-match with the etag of a GET, or if-none-match: * where nothing must be there yet.',
    }),
  );
