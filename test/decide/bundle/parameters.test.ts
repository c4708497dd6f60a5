/** What a pattern of a parameter lets through is known whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileParameters, parameterProblems } from '../../../src/decide/bundle/parameters.ts';

const patterns = suite('a pattern of a parameter');

const problemsOf = (pattern: string): readonly string[] =>
  parameterProblems({
    type: 'object',
    additionalProperties: false,
    properties: { ticket: { type: 'string', maxLength: 18, pattern } },
  }).map(({ path }) => path.join('.'));

for (const pattern of [
  '^[A-Z]{2,8}-[0-9]{1,9}$',
  '^(?:ACME|BIR)-[0-9]+$',
  '^(ACME-(1|2)|BIR-[0-9])$',
  '^[(|)]+$',
  '^[\\]|]\\|$',
]) {
  patterns(`may be ${pattern}`, () => assert.equal(problemsOf(pattern), []));
}

for (const pattern of [
  '[A-Z]+',
  '^[A-Z]+',
  '[A-Z]+$',
  '^[A-Z',
  '^ACME-1|BIR-[0-9]$',
  '^(?:a|b)[|]c|d$',
  '^$|^x$',
  '^(?=A)[A-Z]$',
  '^(a)\\1$',
]) {
  patterns(`is not ${pattern}`, () => assert.equal(problemsOf(pattern), ['properties.ticket.pattern']));
}

patterns.run();

const forms = suite('parameters');

const text = { type: 'string', maxLength: 60_000, pattern: '^(?:([a-z]+-?)+)$' };
const form = compileParameters({
  type: 'object',
  additionalProperties: false,
  properties: {
    name: text,
    names: { type: 'array', maxItems: 9, items: text },
    of: { type: 'object', additionalProperties: false, properties: { name: text } },
  },
});

for (const parameters of [{}, { name: 'a-b' }, { names: ['a', 'b'], of: { name: 'c' } }]) {
  forms(`fit: ${JSON.stringify(parameters)}`, () => assert.is(form.misfitIn(parameters), null));
}

/** JavaScript's own engine does not come back from it. */
const ODD = `${'a'.repeat(50_000)}!`;

for (const [parameters, place] of [
  [{ name: ODD }, '/name'],
  [{ names: ['a', ODD] }, '/names/1'],
  [{ of: { name: ODD } }, '/of/name'],
  [{ name: `${ODD}${ODD}` }, '/name'],
  [{ other: 'a' }, '/other'],
] as const) {
  forms(`do not fit: ${place} of ${Object.keys(parameters).join()}`, () => {
    assert.is(form.misfitIn(parameters)?.place, place);
  });
}

forms('say the pattern that a text does not match', () => {
  assert.equal(form.misfitIn({ name: '!' }), { place: '/name', what: 'it does not match ^(?:([a-z]+-?)+)$' });
});

forms.run();
