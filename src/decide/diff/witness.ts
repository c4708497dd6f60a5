/**
 * A rulebook for very many questions to bundles that are nearly alike: each rule is asked alone, and asked again only
 * for what it has not been asked. Rules do not know of each other, so that what the whole set answers follows: any
 * forbid denies, any permit allows where none does, and one that errs makes all of it a fault.
 *
 * It remembers what the last decision asked, so that the rules that took part can be found.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { TenantName } from '../../core/ids.ts';
import type { Evaluation } from '../../core/policy.ts';
import type { Bundle } from '../bundle/model.ts';
import { inputText } from '../input.ts';
import type { Rulebook } from '../rulebook.ts';
import { aloneIn, writtenRules } from '../written.ts';
import type { WrittenRule } from '../written.ts';
import { sightOf } from './sight.ts';

export interface Witness extends Rulebook {
  /** What was asked since it was last looked at. */
  take(): readonly JsonObject[];
  /** Whether one rule has a part in the answer to an input: it says something, or errs. */
  takesPart(bundle: Bundle, rule: WrittenRule, tenant: TenantName, input: JsonObject): boolean;
}

/** One rule, and what it said so far, by what it looks at. */
interface Witnessed {
  readonly rule: WrittenRule;
  /** The bundle as if it had this rule alone. */
  readonly alone: Bundle;
  /** The members of an input that it looks at. */
  readonly looks: readonly string[];
  readonly said: Map<string, Evaluation>;
}

/** The rules that hold at a tenant, and what they answered so far. */
interface RuleSet {
  readonly rules: readonly Witnessed[];
  readonly answers: Map<string, Evaluation>;
}

export function createWitness(rulebook: Rulebook): Witness {
  /** One that is written alike in both bundles is asked once. */
  const byText = new Map<string, Witnessed>();
  const byRule = new WeakMap<WrittenRule, Witnessed>();
  const ofBundles = new WeakMap<Bundle, Map<TenantName, RuleSet>>();
  let asked: JsonObject[] = [];

  const witnessed = (bundle: Bundle, rule: WrittenRule, input: JsonObject): Witnessed => {
    const before = byRule.get(rule);
    if (before !== undefined) return before;
    const key = JSON.stringify([bundle.schema.text, rule.name, rule.text]);
    const one = byText.get(key) ?? { rule, alone: aloneIn(bundle, rule), looks: looksOf(rule, input), said: new Map() };
    byText.set(key, one);
    byRule.set(rule, one);
    return one;
  };

  const setAt = (bundle: Bundle, tenant: TenantName, input: JsonObject): RuleSet => {
    const kept = ofBundles.get(bundle) ?? new Map<TenantName, RuleSet>();
    ofBundles.set(bundle, kept);
    const known = kept.get(tenant);
    if (known !== undefined) return known;
    const here = [...writtenRules(bundle).values()].filter((rule) => rule.tenant === null || rule.tenant === tenant);
    const set = { rules: here.map((rule) => witnessed(bundle, rule, input)), answers: new Map<string, Evaluation>() };
    kept.set(tenant, set);
    return set;
  };

  const saidBy = (one: Witnessed, tenant: TenantName, input: JsonObject, textOf: TextOf): Evaluation => {
    const key = one.looks.map(textOf).join('\n');
    const known = one.said.get(key);
    if (known !== undefined) return known;
    const evaluation = rulebook.evaluate(one.alone, tenant, input);
    one.said.set(key, evaluation);
    return evaluation;
  };

  return {
    get sets() {
      return rulebook.sets;
    },
    take() {
      const taken = asked;
      asked = [];
      return taken;
    },
    takesPart(bundle, rule, tenant, input) {
      if (rule.tenant !== null && rule.tenant !== tenant) return false;
      const { rules, errors } = saidBy(witnessed(bundle, rule, input), tenant, input, (name) => textIn(input, name));
      return rules.length + errors.length > 0;
    },
    evaluate(bundle, tenant, input) {
      asked.push(input);
      const { rules, answers } = setAt(bundle, tenant, input);
      const text = inputText(input);
      const known = answers.get(text);
      if (known !== undefined) return known;
      const texts = new Map(membersOf(input).map((name) => [name, textIn(input, name)]));
      const textOf: TextOf = (name) => texts.get(name) ?? '';
      const answer = together(rules.map((one) => ({ rule: one.rule, evaluation: saidBy(one, tenant, input, textOf) })));
      answers.set(text, answer);
      return answer;
    },
  };
}

const contextOf = ({ context }: JsonObject): JsonObject => (context ?? {}) as JsonObject;

/** What a member of an input reads as. */
type TextOf = (name: string) => string;

/** A member has one type in all inputs, and no text in it has a new line. */
function textIn(input: JsonObject, name: string): string {
  const context = contextOf(input);
  const value = name in context ? context[name] : input[name];
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Every input has the same. */
const membersOf = (input: JsonObject): readonly string[] => ['principal', 'resource', ...Object.keys(contextOf(input))];

const looksOf = (rule: WrittenRule, input: JsonObject): readonly string[] =>
  membersOf(input).filter(sightOf([rule]).looksAt);

function together(each: readonly { readonly rule: WrittenRule; readonly evaluation: Evaluation }[]): Evaluation {
  const errors = each.flatMap(({ evaluation }) => evaluation.errors);
  const says = (effect: WrittenRule['effect']) =>
    each.flatMap(({ rule, evaluation }) => (rule.effect === effect && evaluation.rules.length > 0 ? [rule.name] : []));
  const forbids = says('forbid');
  const rules = (forbids.length > 0 ? forbids : says('permit')).toSorted();
  return { allowed: forbids.length === 0 && rules.length > 0 && errors.length === 0, rules, errors };
}
