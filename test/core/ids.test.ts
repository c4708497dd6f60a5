import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { base32, isName, isTaskName, newId, parseId, parseName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const NOW = instant(Date.UTC(2026, 0, 2));

const NAMES: readonly (readonly [text: unknown, fits: boolean])[] = [
  ['acme', true],
  ['a', true],
  ['0', true],
  ['a-b-c-9', true],
  ['x'.repeat(63), true],
  ['x'.repeat(64), false],
  ['', false],
  ['-acme', false],
  ['Acme', false],
  ['acme corp', false],
  ["acme'corp", false],
  ['acme"corp', false],
  ['acme/corp', false],
  ['acme%2fcorp', false],
  ['acme%', false],
  ['acme\n', false],
  ['acme\0', false],
  ['ácme', false],
  ['аcme', false],
  ['アクメ', false],
  ['acme.corp', false],
  ['../acme', false],
  ['__proto__', false],
  [null, false],
  [7, false],
  [['acme'], false],
];

const names = suite('names');

for (const [text, fits] of NAMES) {
  names(`${JSON.stringify(text)} is ${fits ? 'a' : 'no'} name`, () => {
    assert.is(isName(text), fits);
    const parsed = parseName('tenant', text);
    assert.is(parsed.ok, fits);
    if (!parsed.ok) assert.is(parsed.error.code, 'invalid_name');
  });
}

const TASKS: readonly (readonly [text: unknown, fits: boolean])[] = [
  ['service.restart', true],
  ['a.b.c.d.e.f.g.h', true],
  ['a.b.c.d.e.f.g.h.i', false],
  ['service', false],
  ['service.', false],
  ['.restart', false],
  ['service..restart', false],
  ['service.Restart', false],
  ['service.restart\n', false],
  ['service.rest%61rt', false],
  ['сервис.restart', false],
  [null, false],
];
for (const [text, fits] of TASKS) {
  names(`${JSON.stringify(text)} is ${fits ? 'a' : 'no'} task class`, () => {
    assert.is(isTaskName(text), fits);
    assert.is(parseName('task', text).ok, fits);
  });
}

names('a refusal says where the name stood', () => {
  const parsed = parseName('agent', 'Not A Name', 'holder.agent');
  assert.is(parsed.ok, false);
  if (!parsed.ok) assert.is(parsed.error.path, 'holder.agent');
});

names.run();

const ids = suite('ids');

for (const prefix of ['req', 'lse', 'apr', 'blk', 'ent', 'wrk', 'asg'] as const) {
  ids(`one of ${prefix}_ has its form and is read back`, () => {
    const id = newId(prefix, NOW, random);
    assert.match(id, new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
    assert.equal(parseId(prefix, id), { ok: true, value: id });
  });
}

const GOOD = newId('lse', NOW, random);
const BAD: readonly unknown[] = [
  '',
  'lse_',
  GOOD.slice(4),
  GOOD.slice(0, -1),
  `${GOOD}0`,
  `${GOOD}\n`,
  ` ${GOOD}`,
  GOOD.toUpperCase(),
  GOOD.replace('lse_', 'req_'),
  `lse_8${GOOD.slice(5)}`,
  `lse_${'i'.repeat(26)}`,
  `lse_0${'l'.repeat(25)}`,
  `lse_0${'o'.repeat(25)}`,
  `lse_0${'u'.repeat(25)}`,
  `lse_0${'٠'.repeat(25)}`,
  GOOD.replace('_', '%5f'),
  `${GOOD}' OR 1=1`,
  null,
  [GOOD],
];
for (const text of BAD) {
  ids(`${JSON.stringify(text)} is none`, () => {
    const parsed = parseId('lse', text);
    assert.is(parsed.ok, false);
    if (!parsed.ok) assert.is(parsed.error.code, 'invalid_id');
  });
}

ids('of a later millisecond sort after those before', () => {
  const moments = Array.from({ length: 200 }, (_, at) => instant(NOW + at * at));
  const made = moments.map((at) => newId('ent', at, random));
  assert.equal(made.toSorted(), made);
});

ids('carry their time in their first ten characters', () => {
  assert.is(newId('ent', instant(0), random).slice(4, 14), '0000000000');
  // The specification's own example of a time. @see https://github.com/ulid/spec
  assert.is(newId('ent', instant(1469918176385), random).slice(4, 14), '01aryz6s41');
  assert.is(newId('ent', instant(2 ** 48 - 1), random).slice(4, 14), '7zzzzzzzzz');
});

ids('take all eighty bits of chance', () => {
  const low = newId('ent', NOW, (bytes) => new Uint8Array(bytes));
  const high = newId('ent', NOW, (bytes) => new Uint8Array(bytes).fill(255));
  assert.is(low.slice(14), '0'.repeat(16));
  assert.is(high.slice(14), 'z'.repeat(16));
  for (let bit = 0; bit < 80; bit++) {
    const one = newId('ent', NOW, (bytes) => {
      const chance = new Uint8Array(bytes);
      chance[bit >> 3] = 0x80 >> (bit & 7);
      return chance;
    });
    assert.is.not(one, low, `the bit ${bit}`);
  }
});

ids('base32 counts a short last group in its high bits', () => {
  assert.is(base32(new Uint8Array()), '');
  assert.is(base32(Uint8Array.of(0xff)), 'zw');
  assert.is(base32(Uint8Array.of(0, 0, 0, 0, 1)), '00000001');
});

ids.run();
