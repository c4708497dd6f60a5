/**
 * Change windows as instants: a week of them around a moment, told in the tenant's own time. Where a clock change
 * makes a local time come twice or not at all, the window is the narrower.
 */
import { WEEKDAYS } from './registers.ts';
import type { ChangeWindow, Weekday } from './registers.ts';
import { instant } from './time.ts';
import type { Instant } from './time.ts';

/** From the first moment, and without the last. */
export interface Interval {
  readonly from: Instant;
  readonly until: Instant;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** The day before, whose window may still last, to a week after: each window has its next edge in it. */
const DAYS: readonly number[] = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8];

export const isWithin = (intervals: readonly Interval[], at: Instant): boolean =>
  intervals.some(({ from, until }) => from <= at && at < until);

/** Starts and ends after a moment, the earliest first. */
export const edgesAfter = (intervals: readonly Interval[], at: Instant): readonly Instant[] =>
  [...new Set(intervals.flatMap(({ from, until }) => [from, until]))]
    .filter((edge) => edge > at)
    .toSorted((a, b) => a - b);

/** The intervals of a tenant's windows around a moment; `null` where it has none. */
export function intervalsAround(
  windows: readonly ChangeWindow[],
  timeZone: string,
  at: Instant,
): readonly Interval[] | null {
  if (windows.length === 0) return null;
  const today = Math.floor(localOf(timeZone, at) / DAY) * DAY;
  const found = DAYS.flatMap((day) => {
    const midnight = today + day * DAY;
    const name = weekdayOf(midnight);
    return windows.filter(({ days }) => days.includes(name)).map((window) => intervalOf(window, timeZone, midnight));
  });
  return found.filter(({ from, until }) => from < until);
}

/** The next time that a clock there shows this. */
export function nextLocal(time: string, timeZone: string, after: Instant): Instant {
  const midnight = Math.floor(localOf(timeZone, after) / DAY) * DAY;
  const moments = [0, 1, 2].flatMap((day) => momentsOf(timeZone, midnight + day * DAY + minutesOf(time) * MINUTE));
  return instant(Math.min(...moments.filter((moment) => moment > after)));
}

/** Whether a moment lies in one of the windows, by the clock of that zone. */
export function isInWindow(windows: readonly ChangeWindow[], timeZone: string, at: Instant): boolean {
  if (windows.length === 0) return false;
  const local = localOf(timeZone, at);
  const midnight = Math.floor(local / DAY) * DAY;
  const minute = (local - midnight) / MINUTE;
  const today = weekdayOf(midnight);
  return windows.some(({ days, from, to }) => {
    const [starts, ends] = [minutesOf(from), minutesOf(to)];
    if (ends > starts) return days.includes(today) && starts <= minute && minute < ends;
    return (days.includes(today) && starts <= minute) || (days.includes(weekdayOf(midnight - DAY)) && minute < ends);
  });
}

/** Of the days since 1970, which began on a Thursday. */
const weekdayOf = (midnight: number): Weekday => WEEKDAYS[(((midnight / DAY + 4) % 7) + 7) % 7] ?? WEEKDAYS[0];

function intervalOf({ from, to }: ChangeWindow, timeZone: string, midnight: number): Interval {
  const [starts, ends] = [minutesOf(from), minutesOf(to)];
  const end = midnight + (ends > starts ? 0 : DAY) + ends * MINUTE;
  return {
    from: instant(Math.max(...momentsOf(timeZone, midnight + starts * MINUTE))),
    until: instant(Math.min(...momentsOf(timeZone, end))),
  };
}

/** Of a time as registers hold it, `HH:MM`. */
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** When a local time comes: once, twice where clocks go back, and the two nearest where they skip it. */
function momentsOf(timeZone: string, local: number): readonly number[] {
  const candidates = [-DAY, DAY].map((aside) => {
    const near = local + aside;
    return local - (localOf(timeZone, near) - near);
  });
  const real = candidates.filter((moment) => localOf(timeZone, moment) === local);
  return real.length > 0 ? real : candidates;
}

/** One a zone: making one costs more than all that is asked of it. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();
const MOST_FORMATS = 600;

const SECOND = 1000;
/** Clocks are changed at such moments alone, in every zone that Node knows. */
const QUARTER = 15 * MINUTE;

/** How far clocks are ahead of UTC in a quarter of an hour, in milliseconds: each decision may ask it for each approver. */
const OFFSETS = new Map<string, number>();
const MOST_OFFSETS = 4096;

/** What a clock there shows, as if it were UTC, to the second. */
function localOf(timeZone: string, moment: number): number {
  const quarter = Math.floor(moment / QUARTER) * QUARTER;
  const asked = `${timeZone} ${quarter}`;
  const known = OFFSETS.get(asked);
  const offset = known ?? shownAt(timeZone, quarter) - quarter;
  if (known === undefined) {
    if (OFFSETS.size === MOST_OFFSETS) OFFSETS.clear();
    OFFSETS.set(asked, offset);
  }
  return Math.floor(moment / SECOND) * SECOND + offset;
}

function shownAt(timeZone: string, moment: number): number {
  const format = FORMATS.get(timeZone) ?? formatOf(timeZone);
  const shown = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (FORMATS.size < MOST_FORMATS) FORMATS.set(timeZone, format);
  return format;
}
