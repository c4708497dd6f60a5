import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { parseWith } from '../../src/core/parse.ts';

/** What a field takes, what comes, and what its sender is told. */
const TOLD: readonly (readonly [form: z.ZodType, value: unknown, told: string])[] = [
  [z.string(), undefined, 'f: it is missing'],
  [z.record(z.string(), z.string()), undefined, 'f: it is missing'],
  [z.enum(['a', 'b']), undefined, 'f: it is missing'],
  [z.union([z.string(), z.int()]), undefined, 'f: it is missing'],
  [z.string().refine(() => false, 'it must be even'), 'x', 'f: it must be even'],
  [z.string(), 7, 'f: it must be text'],
  [z.string(), null, 'f: it must be text'],
  [z.number(), '7', 'f: it must be a number'],
  [z.int(), 7.5, 'f: it must be a whole number'],
  [z.boolean(), 'true', 'f: it must be true or false'],
  [z.array(z.string()), {}, 'f: it must be a list'],
  [z.strictObject({}), [], 'f: it must be an object'],
  [z.record(z.string(), z.string()), [], 'f: it must be an object'],
  [z.enum(['a', 'b']), 'c', 'f: it is one of a, b'],
  [z.literal('a'), 'c', 'f: it must be a'],
  [z.int().min(1), 0, 'f: it must be at least 1'],
  [z.int().max(86_400), 99_999, 'f: it must be at most 86400'],
  [z.number().gt(0), 0, 'f: it must be more than 0'],
  [z.number().lt(1), 1, 'f: it must be less than 1'],
  [z.string().min(1), '', 'f: it must not be empty'],
  [z.string().min(8), 'x', 'f: it must be at least 8 characters'],
  [z.string().max(3), 'long', 'f: it must be at most 3 characters'],
  [z.array(z.int()).max(1), [1, 2], 'f: it must be at most 1 items'],
  [z.array(z.int()).min(1), [], 'f: it must not be empty'],
  [z.int().multipleOf(60), 61, 'f: it must be a multiple of 60'],
  [z.url(), 'x', 'f: it must be a URL'],
  [z.string().regex(/^a$/), 'b', 'f: it must match /^a$/'],
  [z.string().regex(/^a$/, 'it must be an a'), 'b', 'f: it must be an a'],
  [
    z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.int() })]),
    {},
    'f: a: it is missing, or b: it is missing',
  ],
  [
    z.discriminatedUnion('is', [z.strictObject({ is: z.literal('a') })]),
    { is: 'b' },
    'f.is: it has none of the forms that are taken here',
  ],
];

const misfit = suite('what does not fit');

for (const [form, value, told] of TOLD) {
  misfit(`is told: ${told} (of ${JSON.stringify(value)})`, () => {
    const parsed = parseWith(z.strictObject({ f: form }), { f: value });
    assert.is(parsed.ok ? null : parsed.error.detail, told);
  });
}

misfit('is told where nothing of an object is there', () => {
  const parsed = parseWith(z.strictObject({}), 'x');
  assert.is(parsed.ok ? null : parsed.error.detail, 'the body: it must be an object');
});

misfit.run();
