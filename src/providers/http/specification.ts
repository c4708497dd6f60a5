/** The calls of a task class with a request's parameters in their places, each escaped for its own. */
import type { Json, JsonObject } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { gatewayUrl } from '../../core/gateway/specification.ts';
import type { GatewaySpecification, SpecifiedCall } from '../../core/gateway/specification.ts';
import { ownPlaces } from '../../core/gateway/target.ts';
import type { HttpTarget, Place } from '../../core/gateway/target.ts';
import { segmentOf } from '../../core/gateway/text.ts';
import { hasControl, isWellFormed, parseWith } from '../../core/parse.ts';
import { fillIn, partsOf, placeholdersIn } from '../../core/placeholder.ts';
import type { MintTerms } from '../../core/provider.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { httpTemplate } from '../../core/templates/http.ts';
import type { BodyRule, TemplateCall } from '../../core/templates/http.ts';

/** Thrown and caught in this file alone, where a value may not stand in its place. */
class Unfit extends Error {}

export function specify(terms: MintTerms, target: HttpTarget, issuer: string): Result<GatewaySpecification> {
  const template = parseWith(httpTemplate, terms.template);
  if (!template.ok) return template;
  for (const call of template.value.calls) {
    const why = whyNotAt(target, call);
    if (why !== null) return err(failure('invalid_target', `${call.method} ${call.path}: ${why}`));
  }
  try {
    return ok({
      provider: 'http',
      tenant: terms.tenant,
      token: {
        iss: issuer,
        sub: terms.agent,
        aud: gatewayUrl(issuer, '{lease}'),
        jti: '{lease}',
        iat: '{issued_at}',
        exp: '{expires_at}',
      },
      calls: template.value.calls.map((call) => filled(call, terms.parameters)),
      leaves_effects: template.value.leaves_effects,
    });
  } catch (fault) {
    if (!(fault instanceof Unfit)) throw fault;
    const hint = 'Slashes, dots alone, escapes and control characters cannot stand there.';
    return err(failure('invalid_parameters', fault.message, { path: 'parameters', hint }));
  }
}

/** A call is made only where it is certain whose it is, and where nobody but Brevet sets what Brevet sets. */
function whyNotAt(target: HttpTarget, call: TemplateCall): string | null {
  const taken = ownPlaces(target).find((place) => isSetBy(call, place));
  if (taken !== undefined) return `Brevet sets ${taken.name} itself`;
  const { tenant_tie: tie, key_reaches: reaches } = target;
  const unknown = Object.keys(call.objects).find((kind) => tie !== undefined && !Object.hasOwn(tie.lookups, kind));
  if (unknown !== undefined) return `the target has no look-up for ${unknown}`;
  if (reaches === 'this-tenant' || tie === undefined) return null;
  const lookedUp = placeholdersIn(call.objects);
  const loose = namingIn(call).find((name) => !lookedUp.includes(name));
  if (loose !== undefined) return `the key reaches several clients, and nothing says whose ${loose} is`;
  const isTied = lookedUp.length > 0 || tie.forced.in !== 'body' || (call.body !== undefined && 'members' in call.body);
  return isTied ? null : 'the key reaches several clients, and nothing ties this call to one';
}

/** The parameters by which it can name an object, wherever the tool reads it from. */
function namingIn({ path, query, body, names_no_object: none }: TemplateCall): readonly string[] {
  const fields = [...Object.values(query), ...(body !== undefined && 'members' in body ? [body.members] : [])];
  const others = placeholdersIn(fields as unknown as Json).filter((name) => !none.includes(name));
  return [...placeholdersIn(path), ...others];
}

function isSetBy(call: TemplateCall, { in: where, name }: Place): boolean {
  const same = (other: string): boolean => other.toLowerCase() === name.toLowerCase();
  if (where === 'query') return Object.keys(call.query).some(same);
  return (
    where === 'body' && call.body !== undefined && 'members' in call.body && Object.keys(call.body.members).some(same)
  );
}

function filled(call: TemplateCall, parameters: JsonObject): SpecifiedCall {
  const { body } = call;
  return {
    method: call.method,
    template: call.path,
    path: call.path
      .split('/')
      .map((segment) => textIn(segment, parameters, segmentOf))
      .join('/'),
    query: Object.fromEntries(
      Object.entries(call.query).map(([name, rule]) => [
        name,
        'equals' in rule
          ? { equals: textIn(rule.equals, parameters, plain) }
          : { matches: rule.matches, required: rule.required ?? false },
      ]),
    ),
    body: body !== undefined && 'members' in body ? { members: rulesIn(body.members, parameters) } : (body ?? null),
    objects: Object.entries(call.objects).map(([lookup, text]) => {
      const object = textIn(text, parameters, plain);
      if (segmentOf(object) === null) throw new Unfit(`what ${text} becomes names no ${lookup}`);
      return { lookup, object };
    }),
  };
}

/** Nothing but text: where it stands, it is escaped as it is sent. */
const plain = (value: string): string | null => (hasControl(value) || !isWellFormed(value) ? null : value);

function textIn(text: string, parameters: JsonObject, escape: (value: string) => string | null): string {
  const made = fillIn(text, parameters, escape);
  if (made === null) throw new Unfit(`a parameter cannot stand in ${text}`);
  return made;
}

const rulesIn = (rules: Readonly<Record<string, BodyRule>>, parameters: JsonObject): Record<string, BodyRule> =>
  Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, ruleIn(rule, parameters)]));

function ruleIn(rule: BodyRule, parameters: JsonObject): BodyRule {
  if ('equals' in rule) return { equals: jsonIn(rule.equals, parameters) };
  if ('members' in rule) return { ...rule, members: rulesIn(rule.members, parameters) };
  return rule;
}

function jsonIn(value: Json, parameters: JsonObject): Json {
  if (typeof value === 'string') return wholeOf(value, parameters) ?? textIn(value, parameters, plain);
  if (Array.isArray(value)) return (value as readonly Json[]).map((member) => jsonIn(member, parameters));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, member]) => [name, jsonIn(member ?? null, parameters)]),
  );
}

/** A parameter that is the whole of a value keeps its kind: a number stays one. */
function wholeOf(text: string, parameters: JsonObject): number | boolean | null {
  const [part, ...more] = partsOf(text) ?? [];
  if (part === undefined || more.length > 0 || !('parameter' in part)) return null;
  const value = Object.hasOwn(parameters, part.parameter) ? parameters[part.parameter] : undefined;
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
