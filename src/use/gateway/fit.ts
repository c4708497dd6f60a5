/** JSON held against the rules of a call: what is fixed is set, what is free is of its kind, and nothing else is there. */
import { canonicalText } from '../../core/canonical.ts';
import type { Json, JsonObject } from '../../core/canonical.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { BodyRule } from '../../core/templates/http.ts';

/** What of it the far side would read otherwise than Brevet: in words, or `null`. */
export function oddity(value: Json | undefined): string | null {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? 'it holds a number that loses digits' : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (Object.hasOwn(value, '__proto__')) return 'it holds a name that is none';
  const members: readonly (Json | undefined)[] = Object.values(value as JsonObject);
  return members.map(oddity).find((why) => why !== null) ?? null;
}

type Rules = Readonly<Record<string, BodyRule>>;

/** @returns the members as they are sent; or what of them does not fit, by its path. */
export function fitMembers(rules: Rules, value: Json, path: string): Result<JsonObject, string> {
  const here = path === '' ? 'it' : path;
  if (kindOf(value) !== 'object') return err(`${here} is no object`);
  const given = value as JsonObject;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(rules, name));
  if (unknown !== undefined) return err(`${JSON.stringify(unknown.slice(0, 64))} is no member of ${here}`);
  const made: Record<string, Json> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const said = Object.hasOwn(given, name) ? given[name] : undefined;
    const member = fit(rule, said, path === '' ? name : `${path}.${name}`);
    if (!member.ok) return member;
    if (member.value !== undefined) made[name] = member.value;
  }
  return ok(made);
}

function fit(rule: BodyRule, value: Json | undefined, path: string): Result<Json | undefined, string> {
  if ('equals' in rule) {
    const isSame = value === undefined || isEqual(value, rule.equals);
    return isSame ? ok(rule.equals) : err(`${path} has another value`);
  }
  if (value === undefined) return whereAbsent(rule, path);
  if ('members' in rule) return fitMembers(rule.members, value, path);
  if ('one_of' in rule) {
    return rule.one_of.some((one) => isEqual(one, value)) ? ok(value) : err(`${path} is none of what it may be`);
  }
  return isOf(rule, value) ? ok(value) : err(`${path} is of another kind, or too long`);
}

function whereAbsent(
  rule: Exclude<BodyRule, { readonly equals: unknown }>,
  path: string,
): Result<Json | undefined, string> {
  if ('members' in rule && Object.values(rule.members).some(holdsFixed)) return fitMembers(rule.members, {}, path);
  return rule.required === true ? err(`${path} is missing`) : ok(undefined);
}

const holdsFixed = (rule: BodyRule): boolean =>
  'equals' in rule || ('members' in rule && Object.values(rule.members).some(holdsFixed));

const isEqual = (a: Json, b: Json): boolean => canonicalText(a) === canonicalText(b);

function isOf({ type, longest }: Extract<BodyRule, { readonly type: unknown }>, value: Json): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (kindOf(value) !== type) return false;
  return typeof value !== 'string' || longest === undefined || Array.from(value).length <= longest;
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
