/**
 * The JSON Schemas of parameters: a part of draft 2020-12 in which everything is closed and bounded, so that what
 * passes is known whole. No references: nothing explodes and nothing is fetched.
 */
import { Validator } from '@cfworker/json-schema';
import type { Json, JsonObject } from '../../core/canonical.ts';
import { readPattern } from '../../core/pattern.ts';
import type { Possible, Scalar } from './findings/possible.ts';
import type { Path } from './yaml.ts';

export interface ParameterProblem {
  readonly path: Path;
  readonly what: string;
}

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'] as const;
type SchemaType = (typeof TYPES)[number];

const ANY = ['type', 'title', 'description', 'enum', 'const'];
const WORDS: Readonly<Record<SchemaType, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'pattern'],
  integer: ['minimum', 'maximum'],
  number: ['minimum', 'maximum'],
  boolean: [],
};
const DEEPEST = 6;

/** `null` where it is bounded by its values. */
const BOUNDS: Readonly<Record<SchemaType, readonly string[]>> = {
  object: [],
  array: ['maxItems', 'items'],
  string: ['maxLength'],
  integer: ['minimum', 'maximum'],
  number: ['minimum', 'maximum'],
  boolean: [],
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function parameterProblems(schema: Json): ParameterProblem[] {
  const found = nodeProblems(schema, [], 0);
  if (isObject(schema) && schema['type'] !== 'object') found.push({ path: [], what: 'parameters are an object' });
  return found;
}

/** Compiled once, and held to what agents send. */
export interface ParameterForm {
  /** `null` where they fit. */
  misfitIn(parameters: JsonObject): Misfit | null;
}

export interface Misfit {
  /** A JSON Pointer, empty for the whole. */
  readonly place: string;
  readonly what: string;
}

/** Patterns come last, and apart: the validator would match them by JavaScript's engine. */
export function compileParameters(schema: JsonObject): ParameterForm {
  const validator = new Validator(withoutPatterns(schema) as object, '2020-12', true);
  return {
    misfitIn(parameters) {
      const { valid, errors } = validator.validate(parameters);
      if (valid) return mismatchIn(schema, parameters, '');
      const last = errors.at(-1);
      const what = last?.keyword === 'false' ? 'it takes no such parameter' : (last?.error ?? 'wrong form');
      return { place: (last?.instanceLocation ?? '#').slice(1), what };
    },
  };
}

function withoutPatterns(node: Json | undefined): Json | undefined {
  if (!isObject(node)) return structuredClone(node);
  const { pattern: _, properties, items, ...rest } = node;
  return {
    ...structuredClone(rest),
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutPatterns(one)])),
    }),
    ...(items !== undefined && { items: withoutPatterns(items) }),
  };
}

/** In what fits otherwise: no longer than it may be, and with nothing that has no schema. */
function mismatchIn(node: Json | undefined, value: Json | undefined, place: string): Misfit | null {
  if (!isObject(node)) return null;
  for (const [schema, one, name] of insideOf(node, value)) {
    const found = mismatchIn(schema, one, `${place}/${name}`);
    if (found !== null) return found;
  }
  const { pattern } = node;
  if (typeof value !== 'string' || typeof pattern !== 'string') return null;
  const read = readPattern(pattern);
  return read.ok && read.value.matches(value) ? null : { place, what: `it does not match ${pattern}` };
}

type Inside = readonly [schema: Json | undefined, value: Json | undefined, name: string | number];

function insideOf({ properties, items }: JsonObject, value: Json | undefined): readonly Inside[] {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one, at) => [items, one, at]);
  if (!isObject(value) || !isObject(properties)) return [];
  return Object.entries(value).map(([name, one]) => [properties[name], one, name]);
}

function nodeProblems(node: Json | undefined, path: Path, depth: number): ParameterProblem[] {
  if (!isObject(node)) return [{ path, what: 'this is no schema' }];
  if (depth > DEEPEST) return [{ path, what: 'it is nested too deeply' }];
  const type = TYPES.find((known) => known === node['type']);
  if (type === undefined) return [{ path: [...path, 'type'], what: `type must be one of ${TYPES.join(', ')}` }];
  return [
    ...unknownWords(node, type, path),
    ...unbounded(node, type, path),
    ...valueProblems(node, type, path),
    ...(type === 'object' ? objectProblems(node, path, depth) : []),
    ...(type === 'array' && node['items'] !== undefined
      ? nodeProblems(node['items'], [...path, 'items'], depth + 1)
      : []),
  ];
}

function unknownWords(node: JsonObject, type: SchemaType, path: Path): ParameterProblem[] {
  const known = [...ANY, ...WORDS[type]];
  return Object.keys(node)
    .filter((word) => !known.includes(word))
    .map((word) => ({ path: [...path, word], what: `${word} is not taken in a schema of type ${type}` }));
}

function unbounded(node: JsonObject, type: SchemaType, path: Path): ParameterProblem[] {
  if (node['enum'] !== undefined || node['const'] !== undefined) return [];
  const missing = BOUNDS[type].filter((word) => node[word] === undefined);
  return missing.map((word) => ({ path, what: `a schema of type ${type} must say ${word}` }));
}

const WHOLE = ['minItems', 'maxItems', 'minLength', 'maxLength'];

function valueProblems(node: JsonObject, type: SchemaType, path: Path): ParameterProblem[] {
  const at = (word: string, what: string): ParameterProblem => ({ path: [...path, word], what });
  const found: ParameterProblem[] = [];
  for (const word of WHOLE) {
    const value = node[word];
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0)) {
      found.push(at(word, `${word} must be a whole number`));
    }
  }
  for (const word of ['minimum', 'maximum']) {
    if (node[word] !== undefined && typeof node[word] !== 'number') found.push(at(word, `${word} must be a number`));
  }
  const values = node['enum'];
  if (values !== undefined && !(Array.isArray(values) && values.length > 0 && values.every((v) => fits(v, type)))) {
    found.push(at('enum', `enum must be a list of values of type ${type}`));
  }
  if (node['const'] !== undefined && !fits(node['const'], type))
    found.push(at('const', `const must be of type ${type}`));
  return [...found, ...patternProblems(node['pattern'], path)];
}

function fits(value: unknown, type: SchemaType): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}

function patternProblems(pattern: Json | undefined, path: Path): ParameterProblem[] {
  if (pattern === undefined) return [];
  const at = [...path, 'pattern'];
  if (typeof pattern !== 'string' || !/^\^.*\$$/s.test(pattern)) {
    return [{ path: at, what: 'a pattern begins with ^ and ends with $' }];
  }
  if (hasAlternatives(pattern)) {
    return [{ path: at, what: 'its first alternative is open at its end, and its last at its beginning: ^(?:a|b)$' }];
  }
  const read = readPattern(pattern);
  return read.ok ? [] : [{ path: at, what: `the pattern does not parse: ${read.error}` }];
}

/** Outside every group: there each alternative has but one of the two anchors. */
function hasAlternatives(pattern: string): boolean {
  let depth = 0;
  for (const [part] of pattern.matchAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]|[()|]/g)) {
    if (part === '(') depth++;
    else if (part === ')') depth--;
    else if (part === '|' && depth === 0) return true;
  }
  return false;
}

function objectProblems(node: JsonObject, path: Path, depth: number): ParameterProblem[] {
  const { properties = {}, required = [], additionalProperties } = node;
  if (!isObject(properties)) return [{ path: [...path, 'properties'], what: 'properties must be a mapping' }];
  const names = Object.keys(properties);
  const open = additionalProperties !== false ? [{ path, what: 'it must say additionalProperties: false' }] : [];
  const needs = Array.isArray(required) ? required : [null];
  const unknown = needs.filter((name) => typeof name !== 'string' || !names.includes(name));
  return [
    ...open,
    ...unknown.map((name) => ({ path: [...path, 'required'], what: `required names no property ${String(name)}` })),
    ...names
      .filter((name) => !/^[a-z][a-z0-9_]{0,62}$/.test(name))
      .map((name) => ({ path: [...path, 'properties', name], what: `${name} must match [a-z][a-z0-9_]{0,62}` })),
    ...names.flatMap((name) => nodeProblems(properties[name], [...path, 'properties', name], depth + 1)),
  ];
}

/** Whether rules may look at it: its values are few, and none is free text or an id. */
export function isClosed(schema: JsonObject, name: string): boolean {
  const properties = schema['properties'];
  const node = isObject(properties) ? properties[name] : undefined;
  if (!isObject(node)) return false;
  return node['type'] === 'boolean' || node['type'] === 'integer' || (node['type'] === 'string' && 'enum' in node);
}

/** A value that fits a closed parameter, to try the rules' schema with. */
export function sampleOf(schema: JsonObject, name: string): Json {
  const properties = schema['properties'];
  const node = isObject(properties) ? properties[name] : undefined;
  if (!isObject(node)) return null;
  const values = node['enum'];
  if (Array.isArray(values)) return (values as readonly Json[])[0] ?? null;
  return node['type'] === 'boolean' ? false : (node['minimum'] ?? 0);
}

/** What a closed parameter can be. */
export function valuesOf(schema: JsonObject, name: string): Possible {
  const properties = schema['properties'];
  const node = isObject(properties) ? properties[name] : undefined;
  if (!isObject(node)) return { is: 'any' };
  const { enum: values, const: only, minimum, maximum } = node;
  if (Array.isArray(values)) return { is: 'among', values: values.filter(isScalar) };
  if (isScalar(only)) return { is: 'one', value: only };
  if (node['type'] === 'boolean') return { is: 'among', values: [true, false] };
  if (typeof minimum !== 'number' || typeof maximum !== 'number') return { is: 'any' };
  return { is: 'between', least: minimum, most: maximum };
}

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value);
