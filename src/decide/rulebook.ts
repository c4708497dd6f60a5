/**
 * The rules of loaded bundles, ready in the engine: one set for all tenants without rules of their own, and one for
 * each that has some, so that a tenant pays for no other's rules.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { TenantName } from '../core/ids.ts';
import type { Evaluation, RuleEngine } from '../core/policy.ts';
import { createAnswers, keepNoAnswers } from './answers.ts';
import type { Bundle } from './bundle/model.ts';
import { inputText } from './input.ts';

/** A set of 30 rules takes about 100 kB of the engine's memory, so these come to some 60 MB. */
const MOST_RULES = 20_000;

export interface Rulebook {
  evaluate(bundle: Bundle, tenant: TenantName, input: JsonObject): Evaluation;
  /** How many sets are ready: for looking at memory. */
  readonly sets: number;
}

export function createRulebook(engine: RuleEngine, { keepAnswers = true, mostRules = MOST_RULES } = {}): Rulebook {
  const answers = keepAnswers ? createAnswers() : keepNoAnswers;
  /** By name, how many files' worth of text: the one unused for longest comes first. */
  const ready = new Map<string, number>();
  let rules = 0;

  const makeReady = (set: string, bundle: Bundle, tenant: TenantName): void => {
    const before = ready.get(set);
    if (before !== undefined) {
      ready.delete(set);
      ready.set(set, before);
      return;
    }
    const own = bundle.own.get(tenant) ?? [];
    const files = new Set([...bundle.shared, ...own].map(({ file }) => file));
    const size = [...bundle.rules.values()].filter(({ file }) => files.has(file)).length;
    engine.install(set, bundle.schema, [...bundle.shared, ...own]);
    ready.set(set, size);
    rules += size;
    for (const [oldest, weight] of ready) {
      if (rules <= mostRules || oldest === set) break;
      engine.drop(oldest);
      ready.delete(oldest);
      rules -= weight;
    }
  };

  return {
    get sets() {
      return ready.size;
    },
    evaluate(bundle, tenant, input) {
      const set = bundle.own.has(tenant) ? `${bundle.version}/${tenant}` : bundle.version;
      return answers.of(`${set} ${inputText(input)}`, () => {
        makeReady(set, bundle, tenant);
        return engine.evaluate(set, input);
      });
    },
  };
}
