/**
 * Cedar as the rule engine. What is added to it: an evaluation that errs says so (Cedar skips a rule that errs, even a
 * forbid), requests are validated every time, and sets live in numbered slots, since Cedar frees none.
 */
import type * as Cedar from '@cedar-policy/cedar-wasm';
import type { JsonObject } from '../core/canonical.ts';
import type { Evaluation, Problem, RuleEngine, RuleInfo, RuleName, RuleSource } from '../core/policy.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { readRule as readText } from './cedar/read.ts';
import { LONGEST_RULE, LONGEST_SCHEMA, charactersBefore, lineAt, splitRules, tooComplex } from './cedar/text.ts';
import type { RuleText } from './cedar/text.ts';

/** The build for Node or the one for Workers: entries hand one in. */
export type CedarModule = Pick<
  typeof Cedar,
  | 'checkParseSchema'
  | 'policyToJson'
  | 'preparsePolicySet'
  | 'preparseSchema'
  | 'schemaToJson'
  | 'statefulIsAuthorized'
  | 'validate'
>;

/** Names of slots belong to the module, and two engines may share one. */
let engines = 0;

interface Slot {
  readonly id: string;
  readonly schema: string;
}

export function createCedar(cedar: CedarModule): RuleEngine {
  const engine = ++engines;
  const installed = new Map<string, Slot>();
  const free: string[] = [];
  const schemas = createSchemas(cedar, engine);
  const parsed = new WeakMap<RuleSource, Readonly<Record<string, string>>>();
  let slots = 0;

  const policiesOf = (source: RuleSource): Readonly<Record<string, string>> => {
    const known = parsed.get(source) ?? idsOf(cedar, source);
    parsed.set(source, known);
    return known;
  };

  const drop = (set: string): void => {
    const slot = installed.get(set);
    if (slot === undefined) return;
    installed.delete(set);
    cedar.preparsePolicySet(slot.id, { staticPolicies: {} });
    schemas.release(slot.schema);
    free.push(slot.id);
  };

  return {
    check: (schema, sources) => {
      const { problems, read } = readRules(cedar, sources);
      return rulesOf(read, [...problems, ...typeProblems(cedar, schema, read)]);
    },
    read: (sources) => {
      const { problems, read } = readRules(cedar, sources);
      return rulesOf(read, problems);
    },
    drop,
    install(set, schema, rules) {
      const before = installed.get(set);
      const id = before?.id ?? free.pop() ?? `brevet-${engine}-${++slots}`;
      const staticPolicies = Object.fromEntries(rules.flatMap((source) => Object.entries(policiesOf(source))));
      // A bad set leaves the one before it in place.
      refuseFailure(cedar.preparsePolicySet(id, { staticPolicies }), set);
      const slot = { id, schema: schemas.hold(schema.text) };
      if (before !== undefined) schemas.release(before.schema);
      installed.set(set, slot);
    },
    evaluate(set, input) {
      const slot = installed.get(set);
      return slot === undefined ? erred('the policy set is not installed') : evaluateIn(cedar, slot, input);
    },
  };
}

/** Schemas are shared by the sets of a bundle, and held while one of them is. */
function createSchemas(cedar: CedarModule, engine: number) {
  const held = new Map<string, { text: string; holders: number }>();
  const free: string[] = [];
  let made = 0;
  return {
    hold(text: string): string {
      for (const [id, schema] of held) {
        if (schema.text !== text) continue;
        schema.holders++;
        return id;
      }
      const id = free.pop() ?? `brevet-${engine}-schema-${++made}`;
      refuseFailure(cedar.preparseSchema(id, text), 'schema');
      held.set(id, { text, holders: 1 });
      return id;
    },
    release(id: string): void {
      const schema = held.get(id);
      if (schema === undefined || --schema.holders > 0) return;
      held.delete(id);
      free.push(id);
    },
  };
}

function refuseFailure(answer: Cedar.CheckParseAnswer, what: string): void {
  if (answer.type === 'failure') {
    throw new Error(`the engine does not take ${what}: ${answer.errors.map(({ message }) => message).join('; ')}`);
  }
}

const erred = (error: string): Evaluation => ({ allowed: false, rules: [], errors: [error] });

function evaluateIn(cedar: CedarModule, slot: Slot, input: JsonObject): Evaluation {
  try {
    const call = { ...input, entities: [], validateRequest: true } as unknown as Cedar.StatefulAuthorizationCall;
    const answer = cedar.statefulIsAuthorized({
      ...call,
      preparsedSchemaName: slot.schema,
      preparsedPolicySetId: slot.id,
    });
    return evaluationOf(answer);
  } catch (fault) {
    return erred(fault instanceof Error ? fault.message : 'the engine threw');
  }
}

function evaluationOf(answer: Cedar.AuthorizationAnswer): Evaluation {
  if (answer.type === 'failure') {
    return { allowed: false, rules: [], errors: answer.errors.map(({ message }) => message) };
  }
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`);
  const rules = diagnostics.reason.toSorted() as unknown as RuleName[];
  return { allowed: decision === 'allow' && errors.length === 0, rules, errors };
}

const RULE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A thousand tenants with ten rules each, twice over. */
const MOST_RULES = 20_000;

/** A rule that Cedar reads, with what it says of itself. */
interface ReadRule {
  readonly rule: RuleText;
  readonly info: RuleInfo;
}

/** By their names. */
type ReadRules = ReadonlyMap<string, ReadRule>;

const rulesOf = (read: ReadRules, problems: readonly Problem[]): Result<readonly RuleInfo[], readonly Problem[]> =>
  problems.length > 0 ? err(problems) : ok([...read.values()].map(({ info }) => info));

function readRules(
  cedar: CedarModule,
  sources: readonly RuleSource[],
): { readonly problems: readonly Problem[]; readonly read: ReadRules } {
  const problems: Problem[] = [];
  const read = new Map<string, ReadRule>();
  const rules = sources.flatMap(splitRules);
  if (rules.length > MOST_RULES) {
    return { problems: [{ file: 'rules', line: 1, what: `there are more than ${MOST_RULES} rules` }], read };
  }
  for (const rule of rules) {
    const found = readRule(cedar, rule);
    if (!found.ok) problems.push(...found.error);
    else if (read.has(found.value.name)) problems.push(doubled(found.value, read.get(found.value.name)));
    else read.set(found.value.name, { rule, info: found.value });
  }
  return { problems, read };
}

const doubled = ({ name, file, line }: RuleInfo, first: ReadRule | undefined): Problem => ({
  file,
  line,
  what: `@id("${name}") is also the id of the rule at ${first?.info.file}:${first?.info.line}`,
});

function readRule(cedar: CedarModule, rule: RuleText): Result<RuleInfo, readonly Problem[]> {
  const why = tooComplex(rule.text, LONGEST_RULE);
  if (why !== null) return err([{ file: rule.file, line: rule.line, what: `this rule is too much: ${why}` }]);
  const said = saidBy(cedar, rule);
  if (!said.ok) return said;
  const { effect, annotations } = said.value;
  const name = annotations['id'];
  const at = { file: rule.file, line: rule.line };
  if (name === undefined) return err([{ ...at, what: `this ${effect} has no @id` }]);
  if (!RULE_NAME.test(name)) return err([{ ...at, what: '@id must match [a-z0-9][a-z0-9-]{0,62}' }]);
  return ok({ ...at, name: name as RuleName, effect, annotations });
}

/** Without the engine where it can be: what it will not take, it refuses when it validates. */
function saidBy(
  cedar: CedarModule,
  rule: RuleText,
): Result<Pick<RuleInfo, 'effect' | 'annotations'>, readonly Problem[]> {
  const read = readText(rule.text);
  if (read !== null) return ok(read);
  const answer = cedar.policyToJson(rule.text);
  if (answer.type === 'failure') return err(answer.errors.map((error) => problemIn(rule, error)));
  const { effect, annotations = {} } = answer.json;
  return ok({ effect, annotations });
}

function typeProblems(cedar: CedarModule, schema: RuleSource, read: ReadRules): Problem[] {
  const why = tooComplex(schema.text, LONGEST_SCHEMA);
  if (why !== null) return [{ file: schema.file, line: 1, what: `the schema is too much: ${why}` }];
  const staticPolicies = Object.fromEntries([...read].map(([name, { rule }]) => [name, rule.text]));
  const answer = cedar.validate({ schema: schema.text, policies: { staticPolicies } });
  if (answer.type === 'failure') return parseProblems(cedar, schema, read, answer);
  // A warning is a rule that can never apply, or a name that only looks like another: never what was meant.
  const found = [...answer.validationErrors, ...answer.validationWarnings, ...answer.otherWarnings.map(unplaced)];
  return found.map(({ policyId, error }) => {
    const rule = read.get(policyId)?.rule;
    return rule === undefined ? { file: schema.file, line: 1, what: error.message } : problemIn(rule, error);
  });
}

/** Of a schema or rules that cannot be read, as far as the engine says where. */
function parseProblems(
  cedar: CedarModule,
  schema: RuleSource,
  read: ReadRules,
  { errors }: Extract<Cedar.ValidationAnswer, { type: 'failure' }>,
): Problem[] {
  const parse = cedar.checkParseSchema(schema.text);
  if (parse.type === 'failure') {
    return parse.errors.map((error) => problemIn({ ...schema, line: 1, offset: 0, whole: schema.text }, error));
  }
  const placed = [...read.values()].flatMap(({ rule }) => syntaxProblems(cedar, rule));
  return placed.length > 0 ? placed : errors.map(({ message }) => ({ file: schema.file, line: 1, what: message }));
}

function syntaxProblems(cedar: CedarModule, rule: RuleText): Problem[] {
  const answer = cedar.policyToJson(rule.text);
  return answer.type === 'failure' ? answer.errors.map((error) => problemIn(rule, error)) : [];
}

const unplaced = (error: Cedar.DetailedError): Cedar.ValidationError => ({ policyId: '', error });

function problemIn(rule: RuleText, { message, help, sourceLocations = [] }: Cedar.DetailedError): Problem {
  const [place] = sourceLocations;
  const line =
    place === undefined ? rule.line : lineAt(rule.whole, rule.offset + charactersBefore(rule.text, place.start));
  const why = [message, place?.label, help].filter((part) => part !== null && part !== undefined && part !== '');
  return { file: rule.file, line, what: why.join('; ') };
}

/** The rules of a file by their ids, as text. The file was checked. */
function idsOf(cedar: CedarModule, source: RuleSource): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitRules(source).map((rule) => {
      const read = readRule(cedar, rule);
      if (!read.ok) throw new Error(`a rule of ${rule.file} was installed unchecked: ${read.error[0]?.what}`);
      return [read.value.name, rule.text];
    }),
  );
}
