import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flawOf } from '../../src/core/flaw.ts';

const TEXTS: readonly (readonly [text: string, doubled: boolean])[] = [
  ['{"a":1,"b":2}', false],
  ['{"a":1,"a":2}', true],
  ['{"a":1,"\\u0061":2}', true],
  ['{"a":{"a":1},"b":{"a":1}}', false],
  ['{"a":{"b":1,"b":1}}', true],
  ['[{"a":1},{"a":1}]', false],
  ['{"a":["a","a"]}', false],
  ['{"a":"a\\":1,\\"a"}', false],
  ['{"x":"{\\"a\\":1,\\"a\\":2}"}', false],
  ['{"a" \n : 1, "b" : "a" , "a"\t:2}', true],
  ['{"a\\\\":1,"a\\\\":1}', true],
  ['"a"', false],
  ['{"__proto__":1,"__proto__":2}', true],
];

const doubled = suite('a name that comes twice');

for (const [text, is] of TEXTS) {
  doubled(`${text} has ${is ? 'one' : 'none'}`, () => {
    JSON.parse(text);
    assert.is(flawOf(text), is ? 'a name comes twice' : null);
  });
}

doubled('is one flaw, and nesting without end is another', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  assert.is(flawOf(nested(64)), null);
  for (const levels of [65, 100_000]) assert.match(flawOf(nested(levels)) ?? '', 'nested deeper');
});

doubled('is one flaw, and a broken character another', () => {
  for (const text of ['"\\ud800"', '{"\\udc00":1}', '["a\\ud83dz"]']) assert.match(flawOf(text) ?? '', 'broken');
  assert.is(flawOf('"\\ud83d\\ude00"'), null);
});

doubled('is one flaw, and a number past the largest another', () => {
  for (const text of ['{"a":1e999}', '[-1e400]', '1e309']) assert.match(flawOf(text) ?? '', 'too large');
  for (const text of ['{"a":"1e999"}', '["\\"1e999",-1.5e3,0]']) assert.is(flawOf(text), null);
});

doubled('is looked for in text as long as a body may be', () => {
  const long = 'x\\\\'.repeat(1_000_000);
  assert.is(flawOf(`{"a":"${long}","b":1,"b":2}`), 'a name comes twice');
});

doubled.run();
