/**
 * The part of a task class that is for AWS: what its session may do, as statements whose resources and condition values
 * may name parameters. Everything else that stands in the session policy is Brevet's own.
 */
import { z } from 'zod';
import type { JsonObject } from '../canonical.ts';
import { partsOf, placeholdersIn } from '../placeholder.ts';

/** AWS reads more, but a task that takes as much does not fit into a session policy. */
const MOST_STATEMENTS = 20;
const MOST_VALUES = 50;
const LONGEST_VALUE = 1_024;

const action = () =>
  z.string().regex(/^[a-z0-9-]{1,64}:[A-Za-z0-9*?]{1,128}$/, 'it must be an action such as s3:GetObject');

const value = () =>
  z
    .string()
    .min(1)
    .max(LONGEST_VALUE)
    .refine((text) => partsOf(text) !== null, 'it has braces that are no placeholder, such as {{ticket}}')
    .refine(
      (text) => /^[\u0020-\u007e\u00a0-\u00ff]*$/.test(text),
      'it holds a character that AWS does not take in a session policy',
    );

const resource = () => value().refine((text) => text === '*' || text.startsWith('arn:'), 'it must be * or an ARN');

/** Where IAM resolves `${*}` and its kin, so that any text can stand there. */
const TEXT_OPERATORS = ['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'ArnEquals', 'ArnLike'] as const;
/** A value of a request would not narrow these: any other would do. */
const NEGATED_OPERATORS = [
  'StringNotEquals',
  'StringNotEqualsIgnoreCase',
  'StringNotLike',
  'ArnNotEquals',
  'ArnNotLike',
  'NumericNotEquals',
  'DateNotEquals',
  'NotIpAddress',
] as const;
const PLAIN_OPERATORS = [
  'NumericEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'DateEquals',
  'DateLessThan',
  'DateLessThanEquals',
  'DateGreaterThan',
  'DateGreaterThanEquals',
  'Bool',
  'IpAddress',
  'Null',
] as const;

type Operator = (typeof TEXT_OPERATORS | typeof NEGATED_OPERATORS | typeof PLAIN_OPERATORS)[number];
const OPERATORS: ReadonlySet<string> = new Set([...TEXT_OPERATORS, ...NEGATED_OPERATORS, ...PLAIN_OPERATORS]);

const bare = (operator: string): string =>
  operator.replace(/^(?:ForAllValues|ForAnyValue):/, '').replace(/IfExists$/, '');

/** What kind of place the values of an operator are, whatever stands around its name. */
export function placeUnder(operator: string): 'text' | 'plain' | 'negated' {
  const named = bare(operator) as Operator;
  if ((TEXT_OPERATORS as readonly string[]).includes(named)) return 'text';
  return (NEGATED_OPERATORS as readonly string[]).includes(named) ? 'negated' : 'plain';
}

const operator = () => z.string().refine((name) => OPERATORS.has(bare(name)), 'it is no operator of IAM conditions');
const key = () => z.string().regex(/^[A-Za-z0-9-]{1,64}:[A-Za-z0-9/._:=+@-]{1,190}$/, 'it must be a condition key');

const conditions = () =>
  z.record(operator(), z.record(key(), z.array(value()).min(1).max(MOST_VALUES))).superRefine((written, context) => {
    for (const [name, keys] of Object.entries(written)) {
      if (placeUnder(name) !== 'negated' || placeholdersIn(keys).length === 0) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'a parameter would not narrow it: any other value would do',
      });
    }
  });

const statement = () =>
  z.strictObject({
    actions: z.array(action()).min(1).max(MOST_VALUES),
    resources: z.array(resource()).min(1).max(MOST_VALUES),
    conditions: conditions().optional(),
  });

export const awsTemplate = z.strictObject({
  /** What a session of this class may do, as far as the role may. */
  allow: z.array(statement()).min(1).max(MOST_STATEMENTS),
});

export type AwsTemplate = z.infer<typeof awsTemplate>;
export type AwsStatement = AwsTemplate['allow'][number];

const known = new WeakMap<JsonObject, readonly string[]>();

/** Parameters that hold a session of this class. Every decision asks for them, of templates that never change. */
export function enforcedByAws(written: JsonObject): readonly string[] {
  const before = known.get(written);
  if (before !== undefined) return before;
  const parsed = awsTemplate.safeParse(written);
  const rules = parsed.success ? parsed.data.allow.flatMap(rulesOf) : [];
  const enforced = placeholdersIn(written).filter((name) => isHeldTo(name, rules));
  known.set(written, enforced);
  return enforced;
}

/** What one statement allows at one resource, and the parameters that narrow it. */
interface Rule {
  readonly actions: readonly string[];
  readonly resource: string;
  readonly narrowedBy: ReadonlySet<string>;
}

/** What a parameter narrows in one place may be allowed without it in another: statements and resources add up. */
function isHeldTo(name: string, rules: readonly Rule[]): boolean {
  const narrowed = rules.filter(({ narrowedBy }) => narrowedBy.has(name));
  const free = rules.filter(({ narrowedBy }) => !narrowedBy.has(name));
  return narrowed.length > 0 && !free.some((one) => narrowed.some((other) => overlap(one, other)));
}

const overlap = (one: Rule, other: Rule): boolean =>
  meet(one.resource, other.resource) && one.actions.some((a) => other.actions.some((b) => meet(a, b)));

function rulesOf({ actions, resources, conditions = {} }: AwsStatement): readonly Rule[] {
  const everywhere = Object.entries(conditions).flatMap(([operator, keys]) =>
    holdsWithoutKey(operator) ? [] : Object.values(keys).flatMap(inEach),
  );
  return resources.map((resource) => ({
    actions: actions.map((action) => action.toLowerCase()),
    resource: resource.replace(/\{\{[a-z0-9_]+\}\}|\$\{[^}]*\}/g, '*'),
    narrowedBy: new Set([...placeholdersIn(resource), ...everywhere]),
  }));
}

/** A request without the key passes: `s3:prefix` is left out, and everything is listed. */
const holdsWithoutKey = (operator: string): boolean =>
  operator.startsWith('ForAllValues:') || operator.endsWith('IfExists');

/** Any one of the values will do. */
const inEach = (values: readonly string[]): readonly string[] =>
  placeholdersIn(values).filter((name) => values.every((value) => placeholdersIn(value).includes(name)));

/** Whether there is a text that both patterns take. Of each place in the one, at which places in the other one can be. */
export function meet(one: string, other: string): boolean {
  let at = reached(other, new Set([0]));
  for (const character of one) {
    const next = new Set<number>();
    for (const place of at) {
      const facing = other[place];
      if (character === '*') for (let on = place; on <= other.length; on += 1) next.add(on);
      else if (facing === '*') next.add(place);
      else if (facing !== undefined && (facing === character || facing === '?' || character === '?'))
        next.add(place + 1);
    }
    at = reached(other, next);
  }
  return at.has(other.length);
}

/** A star may also stand for nothing. */
function reached(pattern: string, places: Set<number>): ReadonlySet<number> {
  for (const place of places) if (pattern[place] === '*') places.add(place + 1);
  return places;
}
