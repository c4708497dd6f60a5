/** The cases of the shipped bundle hold, and would notice the loss of any rule. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RuleInfo } from '../../src/core/policy.ts';
import { REGULATIONS } from '../../src/core/registers.ts';
import type { BundleFiles } from '../../src/core/registers.ts';
import { loadBundle } from '../../src/decide/bundle.ts';
import type { Bundle } from '../../src/decide/bundle.ts';
import { runCases } from '../../src/decide/cases.ts';
import { createCedar } from '../../src/decide/cedar.ts';
import { splitRules } from '../../src/decide/cedar/text.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { policyFiles } from './folder.ts';

const engine = createCedar(cedar);

function load(files: BundleFiles): Bundle {
  const loaded = loadBundle(files, engine);
  if (!loaded.ok) throw new Error(loaded.error.map(({ file, line, what }) => `${file}:${line}: ${what}`).join('\n'));
  return loaded.value;
}

const failuresOf = (bundle: Bundle): string[] =>
  runCases(bundle, createRulebook(engine))
    .filter(({ differences }) => differences.length > 0)
    .map(({ file, name, differences }) => `${file}: ${name}: ${differences.join('; ')}`);

/** The bundle as it would be without one rule, its cases untouched. */
function without(bundle: Bundle, rule: RuleInfo): Bundle {
  const text = policyFiles[rule.file] ?? '';
  const found = splitRules({ file: rule.file, text }).find(({ line }) => line === rule.line);
  if (found === undefined) throw new Error(`${rule.name} is not where it was said to be`);
  const rest = { file: rule.file, text: text.slice(0, found.offset) + text.slice(found.offset + found.text.length) };
  return {
    ...bundle,
    version: `without ${rule.name}`,
    shared: bundle.shared.map((source) => (source.file === rule.file ? rest : source)),
    own: new Map(
      [...bundle.own].map(([tenant, sources]) => [
        tenant,
        sources.map((source) => (source.file === rule.file ? rest : source)),
      ]),
    ),
  };
}

const cases = suite('policy/cases');
const bundle = load(policyFiles);

cases('every case is decided as its author expects', () => {
  assert.equal(failuresOf(bundle), []);
});

/** The bundle with those of its cases alone that name the rule: they are likely to notice its loss. */
const namedBy = (whole: Bundle, { name }: RuleInfo): Bundle => ({
  ...whole,
  cases: whole.cases.map(({ file, holds }) => ({
    file,
    holds: { ...holds, cases: holds.cases?.filter(({ expect }) => expect.rules?.includes(name) === true) },
  })),
});

for (const rule of bundle.rules.values()) {
  cases(`a case notices the loss of ${rule.name}`, () => {
    const rest = without(bundle, rule);
    assert.ok(failuresOf(namedBy(rest, rule)).length > 0 || failuresOf(rest).length > 0);
  });
}

cases('every regulation that there is has a rule, and a case that it decides', () => {
  const rules = Object.entries(policyFiles).filter(([path]) => path.endsWith('.cedar'));
  const naming = (regulation: string): string[] =>
    rules.flatMap(([file, text]) =>
      splitRules({ file, text })
        .filter((rule) => rule.text.includes(`"${regulation}"`))
        .map((rule) => /@id\("([^"]+)"\)/.exec(rule.text)?.[1] ?? ''),
    );
  const clients = new Map(bundle.cases.flatMap(({ holds }) => Object.entries(holds.tenants ?? {})));
  const decided = (regulation: string): boolean =>
    bundle.cases
      .flatMap(({ holds }) => holds.cases ?? [])
      .some(
        ({ tenant, expect }) =>
          clients.get(tenant)?.regulations.some((one) => one === regulation) === true &&
          expect.rules?.some((rule) => naming(regulation).includes(rule)) === true,
      );
  assert.equal(
    REGULATIONS.filter((regulation) => !decided(regulation)),
    [],
  );
});

cases('every task class has a case that is not refused, and one for people alone a case that is', () => {
  const asked = bundle.cases.flatMap(({ holds }) => holds.cases ?? []);
  const reached = asked.filter(({ expect }) => expect.effect !== 'forbid' || expect.code === 'humans_only');
  const names = new Set(reached.map(({ request }) => request.task));
  const missing = [...bundle.tasks.keys()].filter((task) => !names.has(task));
  assert.equal(missing, []);
});

cases.run();
