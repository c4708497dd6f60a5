/**
 * Instants are milliseconds of Unix time, on the database's clock wherever two nodes could disagree. On the wire they
 * are RFC 3339 in UTC; durations are whole seconds, exposures milliseconds.
 */
export type Instant = number & { readonly __unit: 'ms since 1970' };
export type Seconds = number & { readonly __unit: 's' };
export type Milliseconds = number & { readonly __unit: 'ms' };

export type Clock = () => Instant;

export const instant = (ms: number): Instant => ms as Instant;
export const seconds = (s: number): Seconds => s as Seconds;
export const milliseconds = (ms: number): Milliseconds => ms as Milliseconds;

export const after = (from: Instant, duration: Seconds): Instant => instant(from + duration * 1000);
export const between = (from: Instant, to: Instant): Milliseconds => milliseconds(to - from);
/** Whole seconds of Unix time, as JWT claims have them, rounded down. @see RFC 7519 section 2 */
export const numericDate = (at: Instant): number => Math.floor(at / 1000);
/** Others write fractions there, too: of a millisecond none is kept. */
export const fromNumericDate = (date: number): Instant => instant(Math.floor(date * 1000));

export const toRfc3339 = (at: Instant): string => new Date(at).toISOString();

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** `null` where the text is no RFC 3339 instant. */
export function parseInstant(text: string): Instant | null {
  const day = RFC_3339.exec(text)?.[1];
  const ms = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : instant(ms);
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && toRfc3339(instant(ms)).startsWith(day);
}

/** The earliest of those given; `null`s are no end at all. */
export const earliest = (first: Instant, ...others: readonly (Instant | null)[]): Instant =>
  instant(Math.min(first, ...others.filter((at) => at !== null)));
