/**
 * Whether a call is one that its lease lets through: by the very first line of the request, as it was sent, and not by what
 * somebody made of it. What goes out is written anew from what was approved.
 */
import { failure } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import type { SpecifiedCall } from '../../core/gateway/specification.ts';
import { fieldsOf, segmentsOf } from '../../core/gateway/text.ts';
import { METHOD_FIELDS } from '../../core/templates/http.ts';
import { readPattern } from '../../core/pattern.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

/** A call as it came in, below the lease's own path. */
export interface Called {
  readonly method: string;
  /** The path and what follows it, as it stood on the request's first line; `null` where that was no path at all. */
  readonly target: string | null;
  /** Names in lower case, each once. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface Matched {
  readonly call: SpecifiedCall;
  /** In the order of the task class. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

export function matchCall(calls: readonly SpecifiedCall[], called: Called): Result<Matched> {
  const { target } = called;
  const odd = whyOdd(called);
  if (odd !== null || target === null) return err(twoWays(odd ?? 'its target is no path'));
  const mark = target.indexOf('?');
  const segments = segmentsOf(mark < 0 ? target : target.slice(0, mark));
  const fields = fieldsOf(mark < 0 ? '' : target.slice(mark + 1));
  if (segments === null) return err(twoWays('its path is not plain'));
  if (fields === null) return err(twoWays('its query is not plain, or says a field twice'));
  const there = calls.filter((call) => call.method === called.method && isSame(segmentsIn(call), segments));
  if (there.length === 0) {
    const hint = 'Call what the task class names, with the parameters that were asked for.';
    return err(failure('gateway_call_refused', `the task class has no such ${called.method}`, { hint }));
  }
  let why = '';
  for (const call of there) {
    const query = queryFor(call, fields);
    if (query.ok) return ok({ call, query: query.value });
    why = query.error;
  }
  return err(failure('gateway_call_refused', `the query does not fit: ${why}`));
}

const twoWays = (why: string): Failure =>
  failure('gateway_request_refused', `this could be read in two ways: ${why}`, {
    hint: 'Send a plain path, each field once, and the method itself.',
  });

/** @see RFC 9112 section 6.3 */
function whyOdd({ headers }: Called): string | null {
  if (headers.has('content-length') && headers.has('transfer-encoding')) return 'it states two lengths';
  if (!/^\d{1,15}$/.test(headers.get('content-length') ?? '0')) return 'its length is no number';
  const override = METHOD_FIELDS.find((name) => headers.has(name));
  if (override !== undefined) return `${override} names another method`;
  if (headers.has('upgrade')) return 'it asks for another protocol';
  return (headers.get('content-encoding') ?? 'identity') === 'identity' ? null : 'its body is encoded';
}

const approved = new WeakMap<SpecifiedCall, readonly string[] | null>();

/** Of the path that was approved, taken apart once. */
function segmentsIn(call: SpecifiedCall): readonly string[] | null {
  const known = approved.get(call);
  if (known !== undefined) return known;
  const segments = segmentsOf(call.path);
  approved.set(call, segments);
  return segments;
}

const isSame = (wanted: readonly string[] | null, segments: readonly string[]): boolean =>
  wanted?.length === segments.length && wanted.every((segment, at) => segment === segments[at]);

function queryFor({ query }: SpecifiedCall, fields: ReadonlyMap<string, string>): Result<Matched['query'], string> {
  const unknown = [...fields.keys()].find((name) => !Object.hasOwn(query, name));
  if (unknown !== undefined) return err(`${JSON.stringify(unknown.slice(0, 64))} is no field of it`);
  const given: (readonly [string, string])[] = [];
  for (const [name, rule] of Object.entries(query)) {
    const value = fields.get(name);
    if ('equals' in rule) {
      if (value !== undefined && value !== rule.equals) return err(`${name} has another value`);
      given.push([name, rule.equals]);
    } else if (value !== undefined) {
      if (!isMatch(rule.matches, value)) return err(`${name} has another form`);
      given.push([name, value]);
    } else if (rule.required) return err(`${name} is missing`);
  }
  return ok(given);
}

/** What a pattern is tried on is short, whatever the pattern. */
const LONGEST_VALUE = 256;

function isMatch(source: string, value: string): boolean {
  const pattern = readPattern(source);
  return value.length <= LONGEST_VALUE && pattern.ok && pattern.value.matches(value);
}
