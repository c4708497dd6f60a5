/** Patterns that people write, held against texts that agents choose. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readPattern } from '../../src/core/pattern.ts';

const matches = (source: string, text: string): boolean => {
  const read = readPattern(source);
  if (!read.ok) throw new Error(read.error);
  return read.value.matches(text);
};

const patterns = suite('patterns');

for (const [source, text, expected] of [
  ['[a-z]+', 'abc', true],
  ['[a-z]+', 'abc1', false],
  ['[a-z]+', '1abc', false],
  ['a|bc', 'abc', false],
  ['^[A-Z]{2,8}-[0-9]{1,9}$', 'ACME-12', true],
  ['^[A-Z]{2,8}-[0-9]{1,9}$', 'ACME-12\n', false],
  ['^.$', '\u{1F600}', true],
  ['^[\\w.-]+$', 'a.b-c_1', true],
] as const) {
  patterns(`${source} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.is(matches(source, text), expected);
  });
}

/** JavaScript's own engine does not come back from these. */
for (const source of ['^(?:([a-z]+-?)+)$', '^(a|aa)+$', '^(a*)*$', '^(?:a?){100}a{100}$']) {
  patterns(`${source} is tried in the time that the text takes`, () => {
    assert.is(matches(source, `${'a'.repeat(20_000)}!`), false);
  });
}

for (const source of ['[', 'a)|(b', '(?=a)b', '(?<!a)b', '(a)\\1', '\\Qa', '[[:alpha:]]', 'a{1,2000}', 'a++']) {
  patterns(`${source} is none`, () => assert.is(readPattern(source).ok, false));
}

const piece = fc.tuple(
  fc.constantFrom('a', 'b', '[ab]', '[^a]', '[0-9]', '\\d', '\\w', '(?:a|b)', '(?:ab|a)', '-', '\\.'),
  fc.constantFrom('', '?', '*', '+', '{2}', '{1,3}'),
);

patterns('say what they say in JavaScript', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.stringMatching(/^[ab01.-]{0,8}$/),
      (pieces, text) => {
        const source = pieces.map(([what, times]) => `${what}${times}`).join('');
        assert.is(matches(source, text), new RegExp(`^(?:${source})$`, 'u').test(text), source);
      },
    ),
  );
});

patterns.run();
