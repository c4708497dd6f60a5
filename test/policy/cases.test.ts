/** The cases of the shipped bundle hold, and would notice the loss of any rule. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RuleInfo } from '../../src/core/policy.ts';
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

for (const rule of bundle.rules.values()) {
  cases(`a case notices the loss of ${rule.name}`, () => {
    assert.ok(failuresOf(without(bundle, rule)).length > 0);
  });
}

cases('every task class has a case that is not refused, and one for people alone a case that is', () => {
  const asked = bundle.cases.flatMap(({ holds }) => holds.cases ?? []);
  const reached = asked.filter(({ expect }) => expect.effect !== 'forbid' || expect.code === 'humans_only');
  const names = new Set(reached.map(({ request }) => request.task));
  const missing = [...bundle.tasks.keys()].filter((task) => !names.has(task));
  assert.equal(missing, []);
});

cases.run();
