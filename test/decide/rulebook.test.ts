/** Sets and answers: what is kept, how much of it, and that a version's answers are its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { TenantName } from '../../src/core/ids.ts';
import type { RuleEngine, RuleName } from '../../src/core/policy.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { aloneIn, writtenRules } from '../../src/decide/written.ts';
import { shipped } from './world.ts';

/** An engine that writes down what it is told. */
function watched() {
  const calls: string[] = [];
  const engine: RuleEngine = {
    check: () => ({ ok: true, value: [] }),
    read: () => ({ ok: true, value: [] }),
    install: (set) => void calls.push(`install ${set}`),
    drop: (set) => void calls.push(`drop ${set}`),
    evaluate: (set, input) => {
      calls.push(`evaluate ${set}`);
      const errors = input['errs'] === true ? ['it errs'] : [];
      return { allowed: true, rules: ['may' as RuleName], errors };
    },
  };
  return { calls, engine };
}

const tenant = (name: string): TenantName => name as TenantName;
const [SHARED, EUROLANE] = [shipped.version, `${shipped.version}/eurolane`];
const input = (more: JsonObject = {}): JsonObject => ({ context: { tier: 1 }, ...more });

const rulebooks = suite('decide/rulebook');

rulebooks('tenants without rules of their own share a set and its answers', () => {
  const { calls, engine } = watched();
  const rulebook = createRulebook(engine);
  for (const name of ['acme', 'oldmill', 'acme', 'eurolane', 'eurolane']) {
    rulebook.evaluate(shipped, tenant(name), input());
  }
  const expected = [`install ${SHARED}`, `evaluate ${SHARED}`, `install ${EUROLANE}`, `evaluate ${EUROLANE}`];
  assert.equal(calls, expected);
});

rulebooks('another input, version or tenant with rules is another answer', () => {
  const { calls, engine } = watched();
  const rulebook = createRulebook(engine);
  rulebook.evaluate(shipped, tenant('acme'), input());
  rulebook.evaluate(shipped, tenant('acme'), input({ other: 1 }));
  rulebook.evaluate({ ...shipped, version: 'next' }, tenant('acme'), input());
  assert.is(calls.filter((call) => call.startsWith('evaluate')).length, 3);
});

rulebooks(
  'of rules asked by themselves, those of two versions are the same ones, unless their schema is another',
  () => {
    const { calls, engine } = watched();
    const rulebook = createRulebook(engine);
    const rules = [...writtenRules(shipped).values()].slice(0, 2);
    const schema = { ...shipped.schema, text: `${shipped.schema.text}\n// Another` };
    for (const bundle of [shipped, { ...shipped, version: 'next' }, { ...shipped, version: 'last', schema }]) {
      rulebook.evaluate(aloneIn(bundle, rules), tenant('acme'), input());
    }
    assert.is(calls.filter((call) => call.startsWith('evaluate')).length, 2);
    assert.is(calls.filter((call) => call.startsWith('install')).length, 2);
  },
);

rulebooks('answers are not kept when they are switched off', () => {
  const { calls, engine } = watched();
  const rulebook = createRulebook(engine, { keepAnswers: false });
  rulebook.evaluate(shipped, tenant('acme'), input());
  rulebook.evaluate(shipped, tenant('acme'), input());
  assert.equal(calls, [`install ${SHARED}`, `evaluate ${SHARED}`, `evaluate ${SHARED}`]);
});

rulebooks('an answer that erred is not kept', () => {
  const { calls, engine } = watched();
  const rulebook = createRulebook(engine);
  rulebook.evaluate(shipped, tenant('acme'), input({ errs: true }));
  rulebook.evaluate(shipped, tenant('acme'), input({ errs: true }));
  assert.is(calls.filter((call) => call.startsWith('evaluate')).length, 2);
});

rulebooks('sets are bounded by their rules, and the one unused for longest goes', () => {
  const { calls, engine } = watched();
  const rulebook = createRulebook(engine, { keepAnswers: false, mostRules: 2 * shipped.rules.size });
  const versions = ['1', '2', '3'].map((version) => ({ ...shipped, version }));
  for (const bundle of [versions[0], versions[1], versions[0], versions[2]]) {
    if (bundle !== undefined) rulebook.evaluate(bundle, tenant('acme'), input());
  }
  assert.equal(
    calls.filter((call) => call.startsWith('drop')),
    ['drop 2'],
  );
  assert.is(rulebook.sets, 2);
});

rulebooks.run();
