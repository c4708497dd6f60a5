import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { hasControl, isWellFormed, name, parseWith, taskName, when, words } from '../../src/core/parse.ts';

const form = z.strictObject({
  who: name(),
  does: taskName().optional(),
  why: words(10).optional(),
  until: when().optional(),
  deep: z.strictObject({ list: z.array(z.strictObject({ a: z.int() })) }).optional(),
});

const REFUSED: readonly (readonly [what: string, body: unknown, code: string, path: string | undefined])[] = [
  ['a field that is not defined', { who: 'acme', else: 1 }, 'unknown_field', 'else'],
  ['one deep inside', { who: 'acme', deep: { list: [{ a: 1 }, { a: 1, b: 2 }] } }, 'unknown_field', 'deep.list.1.b'],
  ['a field named like a prototype', JSON.parse('{"who":"acme","__proto__":{}}'), 'unknown_field', '__proto__'],
  ['a missing field', {}, 'invalid_field', 'who'],
  ['a wrong type deep inside', { who: 'acme', deep: { list: [{ a: '1' }] } }, 'invalid_field', 'deep.list.0.a'],
  ['a name of the wrong form', { who: 'Acme' }, 'invalid_field', 'who'],
  ['a task class of the wrong form', { who: 'a', does: 'x' }, 'invalid_field', 'does'],
  ['empty words', { who: 'a', why: '' }, 'invalid_field', 'why'],
  ['too many words', { who: 'a', why: 'x'.repeat(11) }, 'invalid_field', 'why'],
  ['NUL', { who: 'a', why: 'a\0b' }, 'invalid_field', 'why'],
  ['an escape sequence', { who: 'a', why: '\x1b[2J' }, 'invalid_field', 'why'],
  ['a lone surrogate', { who: 'a', why: 'a\ud83d' }, 'invalid_field', 'why'],
  ['a time that is none', { who: 'a', until: 'tomorrow' }, 'invalid_field', 'until'],
  ['a list', [], 'invalid_field', undefined],
  ['null', null, 'invalid_field', undefined],
  ['a number', 7, 'invalid_field', undefined],
  ['a string', 'who', 'invalid_field', undefined],
];

const parsing = suite('parsing');

for (const [what, body, code, path] of REFUSED) {
  parsing(`${what} is refused where it stands`, () => {
    const parsed = parseWith(form, body);
    assert.is(parsed.ok, false);
    if (parsed.ok) return;
    assert.is(parsed.error.code, code);
    assert.is(parsed.error.path, path);
  });
}

parsing('what fits is taken', () => {
  const parsed = parseWith(form, {
    who: 'acme',
    does: 'service.restart',
    why: 'né\n\t😀',
    until: '2026-01-01T00:00:00Z',
  });
  assert.is(parsed.ok, true);
  if (parsed.ok) assert.is(parsed.value.until, Date.UTC(2026, 0, 1));
});

const CONTROL: readonly (readonly [text: string, control: boolean])[] = [
  ['plain', false],
  ['line\nline\ttab', false],
  ['carriage\r', true],
  ['\0', true],
  ['\x1f', true],
  ['\x7f', true],
  ['\x9f', true],
  ['\xa0', false],
  ['é😀', false],
];
for (const [text, control] of CONTROL) {
  parsing(`${JSON.stringify(text)} holds ${control ? 'a' : 'no'} control character`, () => {
    assert.is(hasControl(text), control);
  });
}

for (const [text, whole] of [
  ['😀', true],
  ['\ud83d', false],
  ['\ude00\ud83d', false],
  ['a\udfffb', false],
] as const) {
  parsing(`${JSON.stringify(text)} is ${whole ? '' : 'not '}well formed`, () => {
    assert.is(isWellFormed(text), whole);
  });
}

parsing.run();
