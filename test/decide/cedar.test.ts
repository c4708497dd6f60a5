/** Cedar as the rule engine: what it adds, and what it must never let through. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { RuleSource } from '../../src/core/policy.ts';
import { createCedar } from '../../src/decide/cedar.ts';

const schema: RuleSource = {
  file: 'schema.cedarschema',
  text: `entity Role; entity Task;
action "perform" appliesTo { principal: [Role], resource: [Task], context: { tier: Long, data: Set<String>, note?: String } };`,
};

const rules = (text: string, file = 'rules/a.cedar'): readonly RuleSource[] => [{ file, text }];

const PERMIT = '@id("may") permit (principal, action, resource);';

const input = (context: JsonObject = { tier: 1, data: [] }, more: JsonObject = {}): JsonObject => ({
  principal: { type: 'Role', id: 'triage' },
  action: { type: 'Action', id: 'perform' },
  resource: { type: 'Task', id: 'ticket.route' },
  context,
  ...more,
});

const engines = suite('decide/cedar');

engines('rules are named by their @id', () => {
  const engine = createCedar(cedar);
  engine.install(
    'a',
    schema,
    rules(`${PERMIT}\n@id("not") forbid (principal, action, resource) when { context.tier == 3 };`),
  );
  assert.equal(engine.evaluate('a', input()), { allowed: true, rules: ['may'], errors: [] });
  assert.equal(engine.evaluate('a', input({ tier: 3, data: [] })), { allowed: false, rules: ['not'], errors: [] });
});

const DENIED: readonly (readonly [what: string, asked: JsonObject])[] = [
  ['an attribute is missing', input({ tier: 1 })],
  ['an attribute is of another type', input({ tier: '1', data: [] })],
  ['an attribute is not in the schema', input({ tier: 1, data: [], approved: true })],
  ['an entity type is not in the schema', input(undefined, { principal: { type: 'Root', id: 'a' } })],
  ['an action is not in the schema', input(undefined, { action: { type: 'Action', id: 'approve' } })],
  ['a part is missing', { principal: { type: 'Role', id: 'triage' } }],
  ['a field is unknown', input(undefined, { validate: false })],
  ['there is nothing', {}],
];

for (const [what, asked] of DENIED) {
  engines(`19: denied, with an error, where ${what}`, () => {
    const engine = createCedar(cedar);
    engine.install('a', schema, rules(PERMIT));
    const { allowed, errors } = engine.evaluate('a', asked);
    assert.is(allowed, false);
    assert.ok(errors.length > 0);
  });
}

engines('19: a forbid that errs is told, though Cedar skips it', () => {
  const engine = createCedar(cedar);
  const errs = '@id("errs") forbid (principal, action, resource) when { context.tier * 9223372036854775807 > 0 };';
  engine.install('a', schema, rules(`${PERMIT}\n${errs}`));
  const { allowed, errors } = engine.evaluate('a', input({ tier: 2, data: [] }));
  assert.is(allowed, false);
  assert.match(errors[0] ?? '', /^errs: /);
});

engines('a set that was never installed, or was dropped, denies with an error', () => {
  const engine = createCedar(cedar);
  assert.is(engine.evaluate('a', input()).errors.length, 1);
  engine.install('a', schema, rules(PERMIT));
  engine.drop('a');
  engine.drop('a');
  assert.is(engine.evaluate('a', input()).errors.length, 1);
});

engines('a set is replaced under its name, and a bad one leaves it as it was', () => {
  const engine = createCedar(cedar);
  engine.install('a', schema, rules(PERMIT));
  assert.throws(() => engine.install('a', schema, rules('@id("x") permit (principal')));
  assert.is(engine.evaluate('a', input()).allowed, true);
  engine.install('a', schema, rules(PERMIT.replace('permit', 'forbid')));
  assert.is(engine.evaluate('a', input()).allowed, false);
});

engines('engines over one module, and sets in one engine, do not meet', () => {
  const [one, two] = [createCedar(cedar), createCedar(cedar)];
  one.install('a', schema, rules(PERMIT));
  two.install('a', schema, rules(PERMIT.replace('permit', 'forbid')));
  one.install('b', schema, rules(PERMIT.replace('permit', 'forbid')));
  assert.is(one.evaluate('a', input()).allowed, true);
  assert.is(two.evaluate('a', input()).allowed, false);
  one.drop('b');
  one.install('c', schema, rules(PERMIT.replace('"may"', '"other"')));
  assert.equal(one.evaluate('c', input()).rules, ['other']);
  assert.equal(one.evaluate('a', input()).rules, ['may']);
});

engines('slots are used again, as many as were ever installed at once, and emptied when dropped', () => {
  const held = new Map<string, number>();
  const schemas = new Set<string>();
  const counted = {
    ...cedar,
    preparsePolicySet: (...[id, policies]: Parameters<typeof cedar.preparsePolicySet>) => {
      held.set(id, Object.keys(policies.staticPolicies ?? {}).length);
      return cedar.preparsePolicySet(id, policies);
    },
    preparseSchema: (...[id, text]: Parameters<typeof cedar.preparseSchema>) => {
      schemas.add(id);
      return cedar.preparseSchema(id, text);
    },
  };
  const engine = createCedar(counted);
  for (let at = 0; at < 50; at++) {
    const changed = { ...schema, text: `${schema.text}\n// ${at}` };
    engine.install(`set-${at}`, changed, rules(PERMIT));
    engine.install(`set-${at}`, changed, rules(PERMIT));
    if (at > 0) engine.drop(`set-${at - 1}`);
  }
  engine.drop('set-49');
  assert.is(held.size, 2);
  assert.is(schemas.size, 2);
  assert.equal([...held.values()], [0, 0]);
});

engines('semicolons, quotes and slashes in strings and comments end no rule', () => {
  const engine = createCedar(cedar);
  const text = `// a; "b
@id("one") @reason("a; // \\" b") permit (principal, action, resource); // c;
@id("two")
forbid (principal, action, resource) when { context.data.contains("a;b//") };
// the end;`;
  const checked = engine.check(schema, rules(text));
  assert.equal(checked.ok && checked.value.map(({ name, line, effect }) => [name, line, effect]), [
    ['one', 2, 'permit'],
    ['two', 3, 'forbid'],
  ]);
});

engines.run();
