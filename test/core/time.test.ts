import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  after,
  between,
  earliest,
  fromNumericDate,
  instant,
  numericDate,
  parseInstant,
  seconds,
  toRfc3339,
} from '../../src/core/time.ts';

const NOON = instant(Date.UTC(2026, 5, 30, 12, 0, 0, 250));

const READ: readonly (readonly [text: string, at: number | null])[] = [
  ['2026-06-30T12:00:00Z', NOON - 250],
  ['2026-06-30T12:00:00.250Z', NOON],
  ['2026-06-30T12:00:00.25Z', NOON],
  ['2026-06-30T14:00:00.250+02:00', NOON],
  ['2026-06-30T06:30:00.250-05:30', NOON],
  ['2026-06-30', null],
  ['2026-06-30T12:00:00', null],
  ['2026-06-30 12:00:00Z', null],
  ['2026-13-01T00:00:00Z', null],
  ['2026-02-30T00:00:00Z', null],
  ['2026-02-29T00:00:00Z', null],
  ['2026-06-31T00:00:00+02:00', null],
  ['2026-06-30T25:00:00Z', null],
  ['2026-06-30T12:00:00Z\n', null],
  [' 2026-06-30T12:00:00Z', null],
  ['+002026-06-30T12:00:00Z', null],
  ['٢٠٢٦-06-30T12:00:00Z', null],
  ['1782820800000', null],
  ['tomorrow', null],
  ['', null],
];

const times = suite('times');

for (const [text, at] of READ) {
  times(`«${text}» is ${at === null ? 'no instant' : 'an instant'}`, () => {
    assert.is(parseInstant(text), at);
  });
}

times('what is written is read back', () => {
  assert.is(toRfc3339(NOON), '2026-06-30T12:00:00.250Z');
  assert.is(parseInstant(toRfc3339(NOON)), NOON);
});

times('a numeric date is whole seconds, rounded down', () => {
  assert.is(numericDate(instant(1999)), 1);
  assert.is(fromNumericDate(2), 2000);
  assert.is(fromNumericDate(2.0016), 2001, 'which a database keeps');
});

times('durations are seconds and what lies between is milliseconds', () => {
  assert.is(after(NOON, seconds(3)), NOON + 3000);
  assert.is(between(NOON, after(NOON, seconds(3))), 3000);
  assert.is(between(after(NOON, seconds(3)), NOON), -3000);
});

times('the earliest of several ends passes over those that never end', () => {
  assert.is(earliest(NOON, null, instant(5), null), 5);
  assert.is(earliest(NOON, null), NOON);
  assert.is(earliest(NOON), NOON);
});

times.run();
