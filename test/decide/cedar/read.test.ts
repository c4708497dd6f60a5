/** What is read of a rule without the engine is what the engine reads. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readRule } from '../../../src/decide/cedar/read.ts';
import type { Expression, ReadRule } from '../../../src/decide/cedar/read.ts';
import { splitRules } from '../../../src/decide/cedar/text.ts';
import { policyFiles } from '../../policy/folder.ts';

const reading = suite('decide/cedar/read');

const BRANCHES = ['if', 'then', 'else'];
const branches = (...of: readonly unknown[]): unknown => Object.fromEntries(BRANCHES.map((name, at) => [name, of[at]]));

/** As the engine writes the same. */
function written(of: Expression): unknown {
  switch (of.is) {
    case 'value':
      return { Value: of.value };
    case 'entity':
      return { Value: { __entity: { type: of.type, id: of.id } } };
    case 'variable':
      return { Var: of.name };
    case 'set':
      return { Set: of.items.map(written) };
    case 'not':
      return { '!': { arg: written(of.of) } };
    case 'and':
    case 'or':
      return { [of.is === 'and' ? '&&' : '||']: { left: written(of.left), right: written(of.right) } };
    case 'relation':
      return { [of.by]: { left: written(of.left), right: written(of.right) } };
    case 'attribute':
    case 'has':
      return { [of.is === 'has' ? 'has' : '.']: { left: written(of.of), attr: of.name } };
    case 'method':
      return { [of.by]: { left: written(of.of), right: written(of.given) } };
    case 'if':
      return {
        'if-then-else': branches(written(of.when), written(of.given), written(of.otherwise)),
      };
  }
}

/** The engine's reading, in the same form; `null` where it refuses the text. */
function byEngine(text: string): unknown {
  const answer = cedar.policyToJson(text);
  if (answer.type === 'failure') return null;
  const { effect, annotations = {}, conditions, ...scope } = answer.json;
  const scopes = (['principal', 'action', 'resource'] as const).flatMap((name) => {
    const constraint = scope[name];
    if (constraint.op === 'All') return [];
    return [
      { '==': { left: { Var: name }, right: { Value: { __entity: 'entity' in constraint && constraint.entity } } } },
    ];
  });
  const bodies = conditions.map(({ kind, body }) => (kind === 'unless' ? { '!': { arg: body } } : body));
  return { effect, annotations, conditions: [...scopes, ...bodies] };
}

const mine = ({ effect, annotations, conditions }: ReadRule): unknown => ({
  effect,
  annotations,
  conditions: conditions.map(written),
});

const shipped = Object.entries(policyFiles)
  .filter(([file]) => file.endsWith('.cedar'))
  .flatMap(([file, text]) => splitRules({ file, text }));

reading('every rule of the shipped bundle', () => {
  assert.ok(shipped.length > 40);
  for (const { text } of shipped) {
    const read = readRule(text);
    assert.ok(read !== null, text);
    if (read !== null) assert.equal(mine(read), byEngine(text));
  }
});

const boolean: fc.Arbitrary<string> = fc.letrec((again) => ({
  leaf: fc.constantFrom(
    'context.approved',
    'context["tier"] == 3',
    'context.tier <= 12',
    'principal == Role::"a b"',
    'resource != Name::Space::Task::"ticket.route"',
    'context.parameters has endpoints',
    'context.parameters has "odd name"',
    'context.data.containsAny(["phi", "pii"])',
    '["a", "b // no comment ;"].contains(context.kind)',
    'context.changes.containsAll([])',
    'true // a comment; "with" this\n',
  ),
  all: fc.oneof(
    { maxDepth: 4 },
    again('leaf'),
    fc.tuple(again('all'), again('all')).map(([a, b]) => `${String(a)} && ${String(b)}`),
    fc.tuple(again('all'), again('all')).map(([a, b]) => `(${String(a)} || ${String(b)})`),
    again('all').map((a) => `!(${String(a)})`),
    again('all').map((a) => `((${String(a)}) == true)`),
    again('all').map((a) => `!!(${String(a)})`),
  ),
})).all as fc.Arbitrary<string>;

const condition = (of: readonly string[]): string => `(if ${of[0]} then ${of[1]} else ${of[2]})`;
const clause = fc.oneof(boolean, fc.tuple(boolean, boolean, boolean).map(condition));

reading('rules by chance', () => {
  const head = fc.constantFrom('@id("a")', '@id("a") // why\n@reason("It is; so.")', '');
  const scope = fc.constantFrom(
    'principal, action, resource',
    'principal == Role::"x", action == Action::"y", resource',
  );
  const bodies = fc.array(fc.tuple(fc.constantFrom('when', 'unless'), clause), { maxLength: 3 });
  let read = 0;
  fc.assert(
    fc.property(head, fc.constantFrom('permit', 'forbid'), scope, bodies, (said, effect, within, all) => {
      const text = `${said} ${effect} (${within}) ${all.map(([kind, body]) => `${kind} { ${body} }`).join(' ')};`;
      const found = readRule(text);
      const engine = byEngine(text);
      if (found === null || engine === null) return;
      read++;
      assert.equal(mine(found), engine);
    }),
    { numRuns: 300 },
  );
  assert.ok(read > 200, `only ${read} were read`);
});

const UNREAD: readonly string[] = [
  '@id("a\\u{62}") permit (principal, action, resource);',
  '@id("a") @id("b") permit (principal, action, resource);',
  '@id permit (principal, action, resource);',
  'permit (principal in Role::"a", action, resource);',
  'permit (principal is Role, action, resource);',
  'permit (principal, action, resource) when { context.tier - 1 == 2 };',
  'permit (principal, action, resource) when { context.kind like "a*" };',
  'permit (principal == ?principal, action, resource);',
  'permit (principal, action, resource) when { ip("1.1.1.1").isLoopback() };',
  'permit (principal, action, resource) when { {a: 1}.a == 1 };',
  'permit (principal, action, resource) when { context.tier == 1 == true };',
  'permit (principal, action, resource); permit (principal, action, resource);',
  'permit (principal, action, resource)',
  '',
];
for (const text of UNREAD) reading(`left to the engine: ${text}`, () => assert.is(readRule(text), null));

reading.run();
