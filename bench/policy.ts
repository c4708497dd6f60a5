/** The policy by itself: a decision that nothing has kept, and a bundle of a thousand rules or cases. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { ENFORCED } from '../src/core/provider.ts';
import type { BundleFiles } from '../src/core/registers.ts';
import { instant } from '../src/core/time.ts';
import { loadBundle } from '../src/decide/bundle.ts';
import type { Bundle } from '../src/decide/bundle.ts';
import { findingsOf, placesOf } from '../src/decide/bundle/findings.ts';
import { runCases } from '../src/decide/cases.ts';
import { createCedar } from '../src/decide/cedar.ts';
import { createRulebook } from '../src/decide/rulebook.ts';
import { readBundle } from '../src/node/first-bundle.ts';
import { alternate, median, rowOf } from './figures.ts';
import { POLICY_DIR } from './servers/process.ts';
import type { Plan } from './plan.ts';
import type { Outcome } from './tokens.ts';

const RULES = 1_000;
const CASES = 1_000;

export async function measurePolicy(_folder: string, plan: Plan): Promise<Outcome> {
  const files = (await readBundle(POLICY_DIR)) ?? {};
  const shipped = load(files);
  const many = withRules(files, RULES - shipped.rules.size);
  const results = await alternate(
    plan.rounds,
    [
      { name: 'decision', run: () => Promise.resolve(decisionMicroseconds(shipped)) },
      { name: 'check', run: () => Promise.resolve(checkSeconds(many)) },
      { name: 'test', run: () => Promise.resolve(testSeconds(files)) },
    ],
    plan.told,
  );
  const of = (name: string): readonly number[] => results.get(name) ?? [];
  return {
    rows: [
      rowOf('decision', 'a decision of the shipped bundle, nothing kept', 'µs', of('decision')),
      rowOf('policy-check', `policy check, ${RULES} rules`, 's', of('check')),
      rowOf('policy-test', `policy test, ${CASES} cases`, 's', of('test')),
    ],
    ratios: {
      decision_us: median(of('decision')),
      policy_check_seconds: median(of('check')),
      policy_test_seconds: median(of('test')),
    },
  };
}

function load(files: BundleFiles): Bundle {
  const loaded = loadBundle(files, createCedar(cedar));
  if (!loaded.ok) throw new Error(`${loaded.error[0]?.file}: ${loaded.error[0]?.what}`);
  return loaded.value;
}

/** Each with a condition of its own, as a client's rules have. */
function withRules(files: BundleFiles, count: number): BundleFiles {
  const rules = Array.from(
    { length: count },
    (_, at) => `@id("added-${at}") @reason("A rule of a client.") @obligation("approval")
forbid (principal, action == Action::"perform", resource)
when { context.environment == "site-${at}" && context.data.containsAny(["phi", "pii"]) && !context.reads_only }
unless { context.approved };`,
  );
  return { ...files, 'rules/many.cedar': rules.join('\n') };
}

/** As `policy check` does, findings included. */
function checkSeconds(files: BundleFiles): number {
  const began = performance.now();
  findingsOf(load(files), placesOf(files), { now: instant(Date.now()), enforces: ENFORCED });
  return (performance.now() - began) / 1000;
}

/** The shipped cases over and over, until there are enough; nothing is kept, since cases seldom ask the same twice. */
function testSeconds(files: BundleFiles): number {
  const began = performance.now();
  const engine = createCedar(cedar);
  const loaded = loadBundle(files, engine);
  if (!loaded.ok) throw new Error('the shipped bundle does not load');
  const rulebook = createRulebook(engine, { keepAnswers: false });
  for (let run = 0; run < CASES;) run += runCases(loaded.value, rulebook).length;
  return (performance.now() - began) / 1000;
}

function decisionMicroseconds(bundle: Bundle): number {
  const rulebook = createRulebook(createCedar(cedar), { keepAnswers: false });
  runCases(bundle, rulebook);
  const began = performance.now();
  let count = 0;
  while (count < CASES) count += runCases(bundle, rulebook).length;
  return ((performance.now() - began) * 1000) / count;
}
