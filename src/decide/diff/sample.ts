/** Parameters that fit a schema: the least that it takes, and the values of a closed parameter that may matter. */
import type { Json, JsonObject } from '../../core/canonical.ts';
import type { TaskClass } from '../bundle/model.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const propertiesOf = ({ properties }: JsonObject): JsonObject => (isObject(properties) ? properties : {});

/** `null` where none could be made that fits. */
export function leastParameters({ schema, parameters }: Pick<TaskClass, 'schema' | 'parameters'>): JsonObject | null {
  const made = leastObject(schema);
  return parameters.misfitIn(made) === null ? made : null;
}

function leastObject(schema: JsonObject): JsonObject {
  const properties = propertiesOf(schema);
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  return Object.fromEntries(required.map((name) => [name, leastOf(properties[name])]));
}

function leastOf(node: Json | undefined): Json {
  if (!isObject(node)) return null;
  const { const: only, enum: values } = node;
  if (only !== undefined) return only;
  if (Array.isArray(values)) return (values as readonly Json[])[0] ?? null;
  const { type } = node;
  const make = typeof type === 'string' ? BY_TYPE[type] : undefined;
  return make === undefined ? null : make(node);
}

const BY_TYPE: Readonly<Record<string, (node: JsonObject) => Json>> = {
  object: leastObject,
  array: ({ minItems = 0, items }) => Array.from({ length: Number(minItems) }, () => leastOf(items)),
  string: ({ minLength = 1, pattern }) =>
    typeof pattern === 'string' ? textLike(pattern) : 'a'.repeat(Math.max(1, Number(minLength))),
  boolean: () => false,
  integer: ({ minimum = 0 }) => minimum,
  number: ({ minimum = 0 }) => minimum,
};

const PIECE = /\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|([^\\[\](){}*+?^$|])/u;
const PART = new RegExp(`(?:${PIECE.source})(?:\\{(\\d+)(?:,\\d*)?\\}|([*?])|\\+)?`, 'gu');
const ESCAPES: Readonly<Record<string, string>> = { d: '0', w: 'a', s: ' ' };

/** A text of a plain pattern: each of its pieces as often as it must come. What it cannot read, it gets wrong. */
function textLike(pattern: string): string {
  return [...pattern.slice(1, -1).matchAll(PART)]
    .map(([, negated, inside, escaped, plain, least, loose]) => {
      const times = loose === undefined ? Number(least ?? 1) : 0;
      const character = inside === undefined ? (escaped ?? plain ?? '') : negated === '^' ? '-' : firstOf(inside);
      return (escaped === undefined ? character : (ESCAPES[escaped] ?? escaped)).repeat(times);
    })
    .join('');
}

const firstOf = (inside: string): string =>
  inside.startsWith('\\') ? (ESCAPES[inside[1] ?? ''] ?? inside[1] ?? '') : (inside[0] ?? '');

/** For an integer the ends of its range, and either side of every number that a rule compares with. */
export function valuesOf(schema: JsonObject, name: string, compared: readonly number[]): readonly Json[] {
  const node = propertiesOf(schema)[name];
  if (!isObject(node)) return [];
  if (Array.isArray(node['enum'])) return node['enum'] as readonly Json[];
  if (node['type'] === 'boolean') return [false, true];
  const [least, most] = [Number(node['minimum'] ?? 0), Number(node['maximum'] ?? 0)];
  const near = compared.flatMap((number) => [number - 1, number, number + 1]);
  const within = [least, ...near.filter((number) => number > least && number < most), most];
  return [...new Set(within)].toSorted((a, b) => a - b);
}
