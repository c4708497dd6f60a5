/** Which patterns a parameter may have: held at both ends, and never long in matching. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileParameters } from '../../../src/decide/bundle/parameters.ts';
import { patternFault } from '../../../src/decide/bundle/pattern.ts';

const patterns = suite('decide/bundle/pattern');

const TAKEN = [
  '^[A-Z]{2,8}-[0-9]{1,9}$',
  '^(?:open|closed)$',
  '^[|]$',
  '^a\\|b$',
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  '^(?:[a-z0-9-]{1,63}\\.)+[a-z]{2,}$',
  '^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$',
  '^(?:\\d{1,3}\\.){3}\\d{1,3}$',
  '^(?:[^,]*,)*$',
  '^(?:ab|cd)*$',
  '^(?:(?:x+)y)*$',
  '^(?<year>\\d{4})(?:-\\d{2})?$',
];

const REFUSED: readonly (readonly [pattern: string, why: RegExp])[] = [
  ['^a|b$', /one end alone/],
  ['^(?:a)|(?:b)$', /one end alone/],
  ['^([a-z]+)*$', /many ways/],
  ['^([a-z]*)+$', /many ways/],
  ['^(?:[a-z0-9]+\\.?)+$', /many ways/],
  ['^(?:a|a)*$', /many ways/],
  ['^(?:a|ab)+$', /many ways/],
  ['^(?:[a-z]|[a-f0-9])*$', /many ways/],
  ['^(?:.*,)*$', /many ways/],
  ['^(?:x(?:a+)*y)$', /many ways/],
  ['^(?:[a-z]+){1,20}$', /many ways/],
  ['^(?:é[^é]*)*$', /many ways/],
  ['^(a+)\\1$', /refers back/],
];

for (const pattern of TAKEN) patterns(`${pattern} is taken`, () => assert.is(patternFault(pattern), null));
for (const [pattern, why] of REFUSED) {
  patterns(`${pattern} is refused`, () => assert.match(patternFault(pattern) ?? '', why));
}

patterns('a text that is too long fits no pattern, so that the engine does not try for long', () => {
  const properties = { a: { type: 'string', maxLength: 3, pattern: '^[a-z]*$' } };
  const compiled = compileParameters({ type: 'object', additionalProperties: false, properties });
  const failing = (a: string) => compiled.validate({ a }).errors.map(({ keyword }) => keyword);
  assert.equal(failing('abc'), []);
  assert.equal(failing('abcd'), ['properties', 'maxLength', 'pattern']);
  assert.equal(failing('𝔞𝔟𝔠'), ['properties', 'pattern'], 'in characters');
});

patterns.run();
