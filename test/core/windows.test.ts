/** Change windows as instants, told by a client's own clock. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChangeWindow, Weekday } from '../../src/core/registers.ts';
import { instant, toRfc3339 } from '../../src/core/time.ts';
import { edgesAfter, intervalsAround, isInWindow, isWithin } from '../../src/core/windows.ts';

const at = (text: string) => instant(Date.parse(text));

const window = (days: string, from: string, to: string): ChangeWindow => ({
  days: days.split(' ') as Weekday[],
  from,
  to,
});

const SATURDAY_NIGHT = [window('sat', '22:00', '04:00')];
const EVERY_DAY = [window('sun mon tue wed thu fri sat', '02:30', '03:30')];

/** Whether a moment is inside, and the next edge. */
const TABLE: readonly (readonly [
  windows: ChangeWindow[],
  zone: string,
  when: string,
  inside: boolean,
  next: string,
])[] = [
  [SATURDAY_NIGHT, 'UTC', '2026-01-03T21:59:59Z', false, '2026-01-03T22:00:00.000Z'],
  [SATURDAY_NIGHT, 'UTC', '2026-01-03T22:00:00Z', true, '2026-01-04T04:00:00.000Z'],
  [SATURDAY_NIGHT, 'UTC', '2026-01-04T03:59:59Z', true, '2026-01-04T04:00:00.000Z'],
  [SATURDAY_NIGHT, 'UTC', '2026-01-04T04:00:00Z', false, '2026-01-10T22:00:00.000Z'],
  // In winter Zurich is an hour ahead, in summer two, and Chicago is behind.
  [SATURDAY_NIGHT, 'Europe/Zurich', '2026-01-03T21:00:00Z', true, '2026-01-04T03:00:00.000Z'],
  [SATURDAY_NIGHT, 'Europe/Zurich', '2026-07-04T20:00:00Z', true, '2026-07-05T02:00:00.000Z'],
  [SATURDAY_NIGHT, 'America/Chicago', '2026-01-04T03:59:59Z', false, '2026-01-04T04:00:00.000Z'],
  // The day of the week is the client's, too.
  [SATURDAY_NIGHT, 'Pacific/Auckland', '2026-01-03T09:00:00Z', true, '2026-01-03T15:00:00.000Z'],
  // 02:30 is skipped on the 29th of March: the window is the half hour that is left of it.
  [EVERY_DAY, 'Europe/Zurich', '2026-03-29T01:15:00Z', false, '2026-03-30T00:30:00.000Z'],
  // It comes twice on the 25th of October: the window begins with the second.
  [EVERY_DAY, 'Europe/Zurich', '2026-10-25T00:45:00Z', false, '2026-10-25T01:30:00.000Z'],
  [EVERY_DAY, 'Europe/Zurich', '2026-10-25T01:45:00Z', true, '2026-10-25T02:30:00.000Z'],
];

const windows = suite('core/windows');

for (const [of, zone, when, inside, next] of TABLE) {
  windows(`${JSON.stringify(of[0])} in ${zone} at ${when}`, () => {
    const around = intervalsAround(of, zone, at(when));
    assert.ok(around !== null);
    assert.is(isWithin(around ?? [], at(when)), inside);
    const [edge] = edgesAfter(around ?? [], at(when));
    assert.is(edge === undefined ? null : toRfc3339(edge), next);
  });
}

windows('none recorded is none, which is not the same as never', () => {
  assert.is(intervalsAround([], 'UTC', at('2026-01-03T00:00:00Z')), null);
});

windows('each has its next edge within the week that is told', () => {
  for (const day of ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']) {
    const now = at('2026-01-07T12:00:00Z');
    const [edge] = edgesAfter(intervalsAround([window(day, '12:00', '11:59')], 'UTC', now) ?? [], now);
    assert.ok(edge !== undefined && edge - now <= 7 * 86_400_000, day);
  }
});

windows('the clock alone says the same as the intervals, but where clocks are changed', () => {
  for (const [of, zone, when, inside] of TABLE.filter(([of]) => of !== EVERY_DAY)) {
    assert.is(isInWindow(of, zone, at(when)), inside, `${zone} ${when}`);
  }
  assert.not(isInWindow([], 'UTC', at('2026-01-03T00:00:00Z')));
});

windows.run();
