/** What a pattern of a parameter lets through is known whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parameterProblems } from '../../../src/decide/bundle/parameters.ts';

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

for (const pattern of ['[A-Z]+', '^[A-Z]+', '[A-Z]+$', '^[A-Z', '^ACME-1|BIR-[0-9]$', '^(?:a|b)[|]c|d$', '^$|^x$']) {
  patterns(`is not ${pattern}`, () => assert.equal(problemsOf(pattern), ['properties.ticket.pattern']));
}

patterns.run();
