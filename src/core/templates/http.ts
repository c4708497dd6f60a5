/**
 * What a task class says of calls through the gateway: each call whole, with the places that the request's parameters
 * fill. Nothing that is not named here is let through.
 */
import { z } from 'zod';
import type { Json, JsonObject } from '../canonical.ts';
import { hasControl } from '../parse.ts';
import { readPattern } from '../pattern.ts';
import { partsOf, placeholdersIn } from '../placeholder.ts';

export const CALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type CallMethod = (typeof CALL_METHODS)[number];

/** Fields that some servers read for another method than the one of the request. */
export const METHOD_FIELDS = [
  '_method',
  '_httpmethod',
  'httpmethod',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
];

/** Endpoints that run whatever they are sent: they take what is fixed, and nothing else. */
const RUNS_WHAT_IT_IS_SENT = /^\$?(?:graphql|gql|batch(?:es)?|bulk|multi|rpc|jsonrpc)$/i;

/** A field of such a body could name another method, or another client's object: JSON in lines or in YAML too. */
const HAS_FIELDS = /^(?:multipart\/|application\/x-www-form-urlencoded$)|json|graphql|[/+]xml$|[/+-]yaml$/;

const MOST_CALLS = 32;
const MOST_FIELDS = 64;
const DEEPEST_RULE = 6;

const placed = (limit: number) =>
  z
    .string()
    .max(limit)
    .refine((text) => !hasControl(text), 'it holds a control character')
    .refine((text) => partsOf(text) !== null, 'it holds braces that name no parameter');

const fieldName = z
  .string()
  .regex(/^[A-Za-z0-9_$@.:[\]-]{1,128}$/, 'it must be a plain name')
  .refine((name) => name !== '__proto__', 'no field has this name')
  .refine((name) => !METHOD_FIELDS.includes(name.toLowerCase()), 'it would be read for another method');

/** A parameter fills one whole segment; the rest is plain, so that it is sent as it is written. */
const PATH =
  /^\/(?:(?:\{\{[a-z][a-z0-9_]{0,63}\}\}|[A-Za-z0-9._~$@:,=+-]+)\/)*(?:\{\{[a-z][a-z0-9_]{0,63}\}\}|[A-Za-z0-9._~$@:,=+-]+)?$/;

const path = z
  .string()
  .max(512)
  .regex(PATH, 'it must be a path of plain segments, a parameter alone in its own')
  .refine((text) => !text.split('/').some((segment) => segment === '.' || segment === '..'), 'it holds a dot segment');

const queryRule = z.union(
  [
    z.strictObject({ equals: placed(512) }),
    z.strictObject({
      /** The whole of the value. */
      matches: z
        .string()
        .max(200)
        .refine((text) => readPattern(text).ok, 'it is no regular expression, or one of those that RE2 has not'),
      required: z.boolean().optional(),
    }),
  ],
  'it must say equals, or matches',
);

export type BodyRule =
  /** Set by Brevet; the agent may say the same, or leave it out. */
  | { readonly equals: Json }
  | { readonly one_of: readonly Json[]; readonly required?: boolean | undefined }
  | {
      readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array';
      /** In characters, of a string. */
      readonly longest?: number | undefined;
      readonly required?: boolean | undefined;
    }
  | { readonly members: Readonly<Record<string, BodyRule>>; readonly required?: boolean | undefined };

const placedJson: z.ZodType<Json> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    placed(4096),
    z.array(placedJson).max(64),
    z.record(fieldName, placedJson),
  ]),
);

const bodyRule: z.ZodType<BodyRule> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ equals: placedJson }),
      z.strictObject({ one_of: z.array(z.json()).min(1).max(64), required: z.boolean().optional() }),
      z.strictObject({
        type: z.enum(['string', 'number', 'integer', 'boolean', 'object', 'array']),
        longest: z.int().min(0).max(1_000_000).optional(),
        required: z.boolean().optional(),
      }),
      z.strictObject({ members, required: z.boolean().optional() }),
    ],
    'it must say equals, one_of, type or members',
  ),
);

const members = z
  .record(fieldName, bodyRule)
  .refine((rules) => Object.keys(rules).length <= MOST_FIELDS, `at most ${MOST_FIELDS} members`);

const isTooDeep = (rule: BodyRule, depth = 1): boolean =>
  'members' in rule &&
  (depth >= DEEPEST_RULE || Object.values(rule.members).some((inner) => isTooDeep(inner, depth + 1)));

const body = z.union(
  [
    z.strictObject({ members }).refine((rule) => !isTooDeep(rule), `at most ${DEEPEST_RULE} deep`),
    /** Bytes of this content type, which nobody looks into. */
    z.strictObject({
      stream: z
        .string()
        .max(128)
        .regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/, 'it must be a content type')
        .refine((type) => !HAS_FIELDS.test(type), 'what has fields is not streamed unseen: say members'),
    }),
  ],
  'it must say members, or stream',
);

export type CallBody = z.infer<typeof body>;

const isFixed = (rule: BodyRule): boolean =>
  'equals' in rule || ('members' in rule && Object.values(rule.members).every(isFixed));

const call = z
  .strictObject({
    method: z.enum(CALL_METHODS),
    path,
    query: z.record(fieldName, queryRule).default({}),
    body: body.optional(),
    /** What of it names an object of the client's, by the target's look-up that says whose it is. */
    objects: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), placed(256)).default({}),
    /** Parameters of its query and body that name nothing: a queue, a state. What is in a path always does. */
    names_no_object: z
      .array(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/))
      .max(MOST_FIELDS)
      .default([]),
  })
  .refine(({ method, body: sent }) => sent === undefined || (method !== 'GET' && method !== 'HEAD'), {
    path: ['body'],
    message: 'a GET or HEAD has no body',
  })
  .refine(
    ({ path: to, query, body: sent }) =>
      !to.split('/').some((segment) => RUNS_WHAT_IT_IS_SENT.test(segment)) ||
      (Object.values(query).every((rule) => 'equals' in rule) &&
        sent !== undefined &&
        'members' in sent &&
        isFixed(sent)),
    { path: ['body'], message: 'what such an endpoint runs must be fixed: every field says equals' },
  );

export type TemplateCall = z.infer<typeof call>;

export const httpTemplate = z.strictObject({
  calls: z.array(call).min(1).max(MOST_CALLS),
  /** Some of them make credentials, or begin what goes on by itself: its death cannot be proven by the lease's. */
  leaves_effects: z.boolean().default(false),
});

export type HttpTemplate = z.infer<typeof httpTemplate>;

const known = new WeakMap<JsonObject, readonly string[]>();

/** Parameters that hold whatever call is let through. Every decision asks for them, of templates that never change. */
export function enforcedByHttp(written: JsonObject): readonly string[] {
  const before = known.get(written);
  if (before !== undefined) return before;
  const parsed = httpTemplate.safeParse(written);
  const [first = [], ...others] = parsed.success ? parsed.data.calls.map(boundBy) : [];
  // An agent chooses among the calls: what one of them leaves open, none holds it to.
  const enforced = first.filter((name) => others.every((bound) => bound.includes(name)));
  known.set(written, enforced);
  return enforced;
}

/**
 * Where a value stands that is checked or set: the path, and each field that says `equals`. A look-up asks whose an
 * object is, and never whether the call is about it.
 */
const boundBy = ({ path: to, query, body: sent }: TemplateCall): readonly string[] =>
  placeholdersIn([to, ...Object.values(query).flatMap(fixedIn), ...(sent === undefined ? [] : fixedIn(sent))]);

function fixedIn(rule: BodyRule | TemplateCall['query'][string] | CallBody): readonly Json[] {
  if ('equals' in rule) return [rule.equals];
  return 'members' in rule ? Object.values(rule.members).flatMap(fixedIn) : [];
}
