/** What one rule means beside all others: whether it can apply, and whether it makes a difference where it does. */
import type { JsonObject } from '../../../core/canonical.ts';
import type { TaskName, TenantName } from '../../../core/ids.ts';
import type { RuleInfo } from '../../../core/policy.ts';
import { readRule } from '../../cedar/read.ts';
import type { Expression } from '../../cedar/read.ts';
import { splitRules } from '../../cedar/text.ts';
import type { Bundle, Role } from '../model.ts';
import { circumstancesOf } from './circumstances.ts';
import type { Circumstances } from './circumstances.ts';
import { holds } from './holds.ts';
import { canHold, conjunctsOf, namedIn } from './reach.ts';

/** A role and a task class that it carries: what a rule is ever asked about. */
export interface Pair {
  readonly role: Role;
  readonly task: TaskName;
  readonly at: Circumstances;
}

export interface SeenRule {
  readonly info: RuleInfo;
  /** Whose own it is; `null`: for all. */
  readonly tenant: TenantName | null;
  readonly conjuncts: readonly Expression[];
  /** The same as text, by which two rules are found to say the same. */
  readonly keys: readonly string[];
  readonly parameters: ReadonlySet<string>;
  readonly reaches: readonly Pair[];
}

/** @param schemas the parameters' schema of each task class. What people alone do reaches no rule. */
export const pairsOf = ({ roles, tasks }: Bundle, schemas: ReadonlyMap<string, JsonObject>): readonly Pair[] =>
  [...roles.values()].flatMap((role) =>
    [...role.tasks].flatMap((name) => {
      const task = tasks.get(name);
      if (task === undefined || task.humanOnly) return [];
      return [{ role, task: name, at: circumstancesOf(role, task, schemas.get(name) ?? {}) }];
    }),
  );

/** One that says what is not read here is left out, and nothing is found of it. */
export function seeRules(bundle: Bundle, pairs: readonly Pair[]): readonly SeenRule[] {
  const infos = new Map([...bundle.rules.values()].map((info) => [`${info.file}:${info.line}`, info]));
  const sources = [
    ...bundle.shared.map((source) => ({ source, tenant: null })),
    ...[...bundle.own].flatMap(([tenant, own]) => own.map((source) => ({ source, tenant }))),
  ];
  return sources.flatMap(({ source, tenant }) =>
    splitRules(source).flatMap(({ text, line }) => {
      const info = infos.get(`${source.file}:${line}`);
      const read = readRule(text);
      return info === undefined || read === null ? [] : [seen(info, tenant, conjunctsOf(read.conditions), pairs)];
    }),
  );
}

function seen(
  info: RuleInfo,
  tenant: TenantName | null,
  conjuncts: readonly Expression[],
  pairs: readonly Pair[],
): SeenRule {
  const named = namedIn(conjuncts);
  const reaches = ({ role, at }: Pair): boolean =>
    (tenant === null || role.tenants === null || role.tenants.has(tenant)) && canHold(conjuncts, named, at);
  return {
    info,
    tenant,
    conjuncts,
    keys: conjuncts.map((one) => JSON.stringify(one)),
    parameters: named.parameters,
    // Of a forbid it is enough to know that there is one.
    reaches: info.effect === 'permit' ? pairs.filter(reaches) : first(pairs, reaches),
  };
}

function first(pairs: readonly Pair[], is: (pair: Pair) => boolean): readonly Pair[] {
  const found = pairs.find(is);
  return found === undefined ? [] : [found];
}

/** What takes the meaning from a permit: forbids that nobody lifts, and permits that say more. */
export function shadowsOf(rules: readonly SeenRule[]): ReadonlyMap<SeenRule, readonly SeenRule[]> {
  const deciding = rules.filter(({ info }) => info.effect === 'permit' || info.annotations['obligation'] === undefined);
  const shadowed = new Map<SeenRule, readonly SeenRule[]>();
  const at = createIndex(deciding);
  // Of two that say the same the later one goes, and takes nothing with it.
  for (const permit of rules.toReversed()) {
    if (permit.info.effect !== 'permit' || permit.reaches.length === 0) continue;
    const keys = new Set(permit.keys);
    const takes = ({ rule, rest }: Residue): boolean =>
      rule !== permit &&
      !shadowed.has(rule) &&
      (rule.tenant === null || rule.tenant === permit.tenant) &&
      rest.every((key) => keys.has(key));
    const others = permit.reaches.map((pair) => at(pair, ['', ...permit.keys]).find(takes)?.rule);
    if (others.every((other) => other !== undefined)) shadowed.set(permit, [...new Set(others)]);
  }
  return shadowed;
}

/** A rule at a pair, with those of its conditions that are not sure to hold there. */
interface Residue {
  readonly rule: SeenRule;
  readonly rest: readonly string[];
}

/** By the first condition that is left of them, made for a pair when it is first asked for. */
function createIndex(rules: readonly SeenRule[]) {
  const made = new Map<Pair, ReadonlyMap<string, readonly Residue[]>>();
  return (pair: Pair, keys: readonly string[]): readonly Residue[] => {
    const known =
      made.get(pair) ??
      Map.groupBy(
        rules.flatMap((rule) => residueOf(rule, pair)),
        ({ rest }) => rest[0] ?? '',
      );
    made.set(pair, known);
    return keys.flatMap((key) => known.get(key) ?? []);
  };
}

function residueOf(rule: SeenRule, { at }: Pair): Residue[] {
  const rest: string[] = [];
  for (const [place, conjunct] of rule.conjuncts.entries()) {
    const answer = holds(conjunct, at);
    if (answer === 'no') return [];
    if (answer === 'maybe') rest.push(rule.keys[place] ?? '');
  }
  return [{ rule, rest }];
}
