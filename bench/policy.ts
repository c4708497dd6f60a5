/** The policy by itself: a decision, a bundle of a thousand rules or cases, and what a change of it changes. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { enforcedBy } from '../src/core/provider.ts';
import type { BundleFiles } from '../src/core/registers.ts';
import { instant } from '../src/core/time.ts';
import { loadBundle } from '../src/decide/bundle.ts';
import type { Bundle } from '../src/decide/bundle.ts';
import { findingsOf, placesOf } from '../src/decide/bundle/findings.ts';
import { posedBy, runCases } from '../src/decide/cases.ts';
import type { Posed } from '../src/decide/cases.ts';
import { createCedar } from '../src/decide/cedar.ts';
import { decide } from '../src/decide/decide.ts';
import { diffBundles, exampleTrial } from '../src/decide/diff.ts';
import { createRulebook } from '../src/decide/rulebook.ts';
import { readBundle } from '../src/node/first-bundle.ts';
import { clientRules } from './client-rules.ts';
import { alternate, median, rowOf } from './figures.ts';
import { POLICY_DIR } from './servers/process.ts';
import type { Plan } from './plan.ts';
import type { Outcome } from './tokens.ts';

const RULES = 1_000;
const CASES = 1_000;
const DECISIONS = 5_000;
/** Each goes once: what holds much back, what holds a whole tier back, and what looks at the hour. */
const LEFT_OUT = ['personal-data-asks', 'tier-three-asks', 'changes-in-their-window'] as const;

export async function measurePolicy(_folder: string, plan: Plan): Promise<Outcome> {
  const files = (await readBundle(POLICY_DIR)) ?? {};
  const shipped = load(files);
  const many = { ...files, 'rules/many.cedar': clientRules('added', RULES - shipped.rules.size) };
  const kept = posed(shipped, { keepAnswers: true });
  const unkept = posed(shipped, { keepAnswers: false });
  const lessened = LEFT_OUT.map((rule) => load(withoutRule(files, rule)));
  const results = await alternate(
    plan.rounds,
    [
      { name: 'decision', run: () => Promise.resolve(decisionMicroseconds(kept)) },
      { name: 'unkept', run: () => Promise.resolve(decisionMicroseconds(unkept)) },
      { name: 'check', run: () => Promise.resolve(checkSeconds(many)) },
      { name: 'test', run: () => Promise.resolve(testSeconds(files)) },
      { name: 'diff', run: () => Promise.resolve(Math.max(...lessened.map((after) => diffSeconds(shipped, after)))) },
    ],
    plan.told,
  );
  const of = (name: string): readonly number[] => results.get(name) ?? [];
  return {
    rows: [
      rowOf('decision', 'a decision of the shipped bundle', 'µs', of('decision')),
      rowOf('decision-unkept', 'the same, every one evaluated', 'µs', of('unkept')),
      rowOf('policy-check', `policy check, ${RULES} rules`, 's', of('check')),
      rowOf('policy-test', `policy test, ${CASES} cases`, 's', of('test')),
      rowOf('policy-diff', 'policy diff of the shipped bundle less one rule, the slowest of 3', 's', of('diff')),
    ],
    ratios: {
      decision_us: median(of('decision')),
      decision_unkept_us: median(of('unkept')),
      policy_check_seconds: median(of('check')),
      policy_test_seconds: median(of('test')),
      policy_diff_seconds: median(of('diff')),
    },
  };
}

function load(files: BundleFiles): Bundle {
  const loaded = loadBundle(files, createCedar(cedar));
  if (!loaded.ok) throw new Error(`${loaded.error[0]?.file}: ${loaded.error[0]?.what}`);
  return loaded.value;
}

/** As `policy check` does, findings included. */
function checkSeconds(files: BundleFiles): number {
  const began = performance.now();
  findingsOf(load(files), placesOf(files), { now: instant(Date.now()), enforces: enforcedBy });
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

/** What the shipped cases ask, with their examples made beforehand. */
function posed(bundle: Bundle, options: { readonly keepAnswers: boolean }): readonly Posed[] {
  const rulebook = createRulebook(createCedar(cedar), options);
  const cases = bundle.cases.flatMap(({ holds }) => holds.cases ?? []);
  return cases.map((example) => posedBy(bundle, rulebook, example)).flatMap((one) => (one.ok ? [one.value] : []));
}

/** A pass beforehand, so that what is kept is kept and the rules are in the engine. */
function decisionMicroseconds(cases: readonly Posed[]): number {
  const decideAll = (): number => cases.map(({ policy, asking }) => decide(policy, asking)).length;
  decideAll();
  const began = performance.now();
  let count = 0;
  while (count < DECISIONS) count += decideAll();
  return ((performance.now() - began) * 1000) / count;
}

/** Its cases say nothing of rules then, so that the rule may go. */
function withoutRule(files: BundleFiles, rule: string): BundleFiles {
  const block = new RegExp(`@id\\("${rule}"\\)[^;]*;`);
  if (!Object.values(files).some((text) => block.test(text))) throw new Error(`there is no rule ${rule}`);
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      path.startsWith('cases/') ? text.replace(/rules: \[[^\]]*\],?/g, '') : text.replace(block, ''),
    ]),
  );
}

/** As `policy diff` does once both are loaded, with nothing kept from the comparison before. */
function diffSeconds(before: Bundle, after: Bundle): number {
  const rulebook = createRulebook(createCedar(cedar), { keepAnswers: false });
  const began = performance.now();
  const { rules } = diffBundles(exampleTrial(before, after, rulebook));
  if (rules.length !== 1) throw new Error('the bundles differ in more than one rule');
  return (performance.now() - began) / 1000;
}
