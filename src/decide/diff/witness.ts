/**
 * A rulebook for very many questions to bundles that are nearly alike. Rules do not know of each other, so that what
 * the whole set answers follows from what each says: any forbid denies, any permit allows where none does, and one that
 * errs makes all of it a fault. So each is asked again only for what it has not been asked, and those of one effect are
 * asked together, since of these the engine names every one that says something.
 *
 * It remembers what the last decision asked, so that the rules that took part can be found.
 */
import type { Json, JsonObject } from '../../core/canonical.ts';
import type { TenantName } from '../../core/ids.ts';
import type { Evaluation } from '../../core/policy.ts';
import type { Bundle } from '../bundle/model.ts';
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

/** Of several rules, those that say something. */
type Said = Pick<Evaluation, 'rules' | 'errors'>;

/** What was said so far, by what is looked at. */
interface Looking {
  /** Members of an input, by their places in it. */
  readonly looks: readonly number[];
  readonly said: Map<string, Said>;
  /** The bundle as if it had nothing else. */
  readonly alone: Bundle;
}

interface Witnessed extends Looking {
  readonly rule: WrittenRule;
}

/** Rules that hold at the same tenants, of one effect, and all or none of which look at an approval. */
interface Peers extends Looking {
  readonly effect: WrittenRule['effect'];
  readonly rules: readonly Witnessed[];
}

/** Those for all tenants are at `null`. */
type PeersByTenant = ReadonlyMap<TenantName | null, readonly Peers[]>;

type Value = Json | undefined;

interface Known {
  /** One that is written alike in both bundles is asked once. */
  readonly byText: Map<string, Witnessed>;
  readonly byRule: WeakMap<WrittenRule, Witnessed>;
  readonly ofBundles: WeakMap<Bundle, PeersByTenant>;
  /** Of each value that a member had; a list by its text. */
  readonly numbers: Map<Value, number>;
}

const nothing = (): Known => ({
  byText: new Map(),
  byRule: new WeakMap(),
  ofBundles: new WeakMap(),
  numbers: new Map(),
});

/** Their numbers are told as characters, of which there are no more; one input has far fewer than are left over. */
const MOST_VALUES = 0xff_00;

/** @param mostValues that members had; once there are more, everything is forgotten. */
export function createWitness(rulebook: Rulebook, { mostValues = MOST_VALUES } = {}): Witness {
  let known = nothing();
  let asked: JsonObject[] = [];

  const numbersOf = (input: JsonObject): Numbers => {
    if (known.numbers.size > mostValues) known = nothing();
    return valuesOf(input).map((value) => numberOf(value, known.numbers));
  };

  const saidBy = (one: Looking, tenant: TenantName, input: JsonObject, numbers: Numbers): Said => {
    const key = keyOf(one, numbers);
    const before = one.said.get(key);
    if (before !== undefined) return before;
    const said = rulebook.evaluate(one.alone, tenant, input);
    one.said.set(key, said);
    return said;
  };

  const askTogether = ({ rules, alone }: Peers, tenant: TenantName, input: JsonObject, numbers: Numbers): void => {
    const said = rulebook.evaluate(alone, tenant, input);
    // Which of them errs is seen when each is asked alone.
    if (said.errors.length > 0) return;
    for (const one of rules) {
      const names = said.rules.filter((name) => name === one.rule.name);
      one.said.set(keyOf(one, numbers), { rules: names, errors: [] });
    }
  };

  const saidByAll = (peers: Peers, tenant: TenantName, input: JsonObject, numbers: Numbers): Said => {
    const key = keyOf(peers, numbers);
    const before = peers.said.get(key);
    if (before !== undefined) return before;
    if (peers.rules.some((one) => !one.said.has(keyOf(one, numbers)))) askTogether(peers, tenant, input, numbers);
    const each = peers.rules.map((one) => saidBy(one, tenant, input, numbers));
    const said = { rules: each.flatMap(({ rules }) => rules), errors: each.flatMap(({ errors }) => errors) };
    peers.said.set(key, said);
    return said;
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
      const numbers = numbersOf(input);
      const { rules, errors } = saidBy(witnessed(known, bundle, rule, input), tenant, input, numbers);
      return rules.length + errors.length > 0;
    },
    evaluate(bundle, tenant, input) {
      asked.push(input);
      const numbers = numbersOf(input);
      const peers = peersIn(known, bundle, input);
      const here = [...(peers.get(null) ?? []), ...(peers.get(tenant) ?? [])];
      return together(here.map((some) => ({ effect: some.effect, said: saidByAll(some, tenant, input, numbers) })));
    },
  };
}

function witnessed({ byText, byRule }: Known, bundle: Bundle, rule: WrittenRule, input: JsonObject): Witnessed {
  const before = byRule.get(rule);
  if (before !== undefined) return before;
  const key = JSON.stringify([bundle.schema.text, rule.name, rule.text]);
  const one = byText.get(key) ?? { rule, ...looking(bundle, [rule], input) };
  byText.set(key, one);
  byRule.set(rule, one);
  return one;
}

function peersIn(known: Known, bundle: Bundle, input: JsonObject): PeersByTenant {
  const before = known.ofBundles.get(bundle);
  if (before !== undefined) return before;
  const peers = [...Map.groupBy(writtenRules(bundle).values(), likeness).values()].flatMap((rules) =>
    rules.slice(0, 1).map(({ tenant, effect }) => ({
      tenant,
      effect,
      rules: rules.map((rule) => witnessed(known, bundle, rule, input)),
      ...looking(bundle, rules, input),
    })),
  );
  const found = Map.groupBy(peers, ({ tenant }) => tenant);
  known.ofBundles.set(bundle, found);
  return found;
}

/** Those that do not look at an approval have answered with one what they did without. */
const likeness = (rule: WrittenRule): string =>
  JSON.stringify([rule.tenant, rule.effect, sightOf([rule]).looksAt('approved')]);

function looking(bundle: Bundle, rules: readonly WrittenRule[], input: JsonObject): Looking {
  const { looksAt } = sightOf(rules);
  const looks = membersOf(input).flatMap((name, at) => (looksAt(name) ? [at] : []));
  return { looks, said: new Map(), alone: aloneIn(bundle, rules) };
}

const contextOf = ({ context }: JsonObject): JsonObject => (context ?? {}) as JsonObject;

/** Every input has the same, in one order. */
const membersOf = (input: JsonObject): readonly string[] => ['principal', 'resource', ...Object.keys(contextOf(input))];

const valuesOf = (input: JsonObject): readonly Value[] => [
  input['principal'],
  input['resource'],
  ...Object.values(contextOf(input)),
];

/** What the members of an input are, each at its place. */
type Numbers = readonly number[];

/** A member has one type in all inputs, so that a list is taken for no text. */
function numberOf(value: Value, numbers: Map<Value, number>): number {
  const key = typeof value === 'object' ? JSON.stringify(value) : value;
  const before = numbers.get(key);
  if (before !== undefined) return before;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}

const keyOf = ({ looks }: Looking, numbers: Numbers): string =>
  String.fromCharCode(...looks.map((at) => numbers[at] ?? 0));

function together(each: readonly { readonly effect: WrittenRule['effect']; readonly said: Said }[]): Evaluation {
  const errors = each.flatMap(({ said }) => said.errors);
  const saying = (wanted: WrittenRule['effect']) =>
    each.flatMap(({ effect, said }) => (effect === wanted ? said.rules : []));
  const forbids = saying('forbid');
  const rules = (forbids.length > 0 ? forbids : saying('permit')).toSorted();
  return { allowed: forbids.length === 0 && rules.length > 0 && errors.length === 0, rules, errors };
}
