/**
 * What does not fit a form, in words for whoever wrote it: zod's own speak of its types, and of `undefined` where a
 * field is missing. A form that says it in words of its own keeps them.
 */
import type { z } from 'zod';

/** @returns the half of a sentence that follows the field, such as `it must be text`; zod puts it into the issue. */
export const misfit: z.core.$ZodErrorMap = (issue) =>
  issue.input === undefined && issue.code !== 'custom' ? 'it is missing' : wrong(issue);

function wrong(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `it must be ${KINDS.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'too_big':
      return bound('at most', issue.maximum, issue);
    case 'too_small':
      return bound('at least', issue.minimum, issue);
    case 'not_multiple_of':
      return `it must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'it must be a URL' : `it must match ${issue.pattern ?? issue.format}`;
    case 'invalid_union':
      return fitsNone(issue);
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return undefined;
  }
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['null', 'null'],
]);

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `it must be ${String(values[0])}` : `it is one of ${values.map(String).join(', ')}`;

const COUNTED: ReadonlyMap<string, string> = new Map([
  ['string', ' characters'],
  ['array', ' items'],
  ['record', ' fields'],
]);

function bound(
  than: 'at most' | 'at least',
  limit: number | bigint,
  { origin, inclusive }: { readonly origin: string; readonly inclusive?: boolean | undefined },
): string {
  const counted = COUNTED.get(origin);
  if (counted !== undefined && than === 'at least' && Number(limit) === 1) return 'it must not be empty';
  if (inclusive !== false) return `it must be ${than} ${limit}${counted ?? ''}`;
  return `it must be ${than === 'at most' ? 'less' : 'more'} than ${limit}${counted ?? ''}`;
}

/** What keeps it out of each of the forms that it may have. */
function fitsNone({ errors }: { readonly errors: readonly (readonly z.core.$ZodIssue[])[] }): string | undefined {
  const each = errors.flatMap(([first]) => (first === undefined ? [] : [placed(first)]));
  return each.length === 0 ? 'it has none of the forms that are taken here' : [...new Set(each)].join(', or ');
}

const placed = ({ path, message }: z.core.$ZodIssue): string => [...path.map(String), message].join(': ');
