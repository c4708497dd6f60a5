/** How times and long values look on a page. */
import { html } from 'hono/html';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Markup } from './layout.ts';
import { untrusted } from './untrusted.ts';

/** A client so that none passes for another: what people call it is theirs to choose, and its name alone is one. */
export const clientOf = (name: string, called: string): Markup =>
  name === called ? html`<strong>${name}</strong>` : html`<strong>${untrusted(called)}</strong> (<code>${name}</code>)`;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** To the minute, in UTC, as a machine can read it too. */
export const moment = (at: Instant): Markup =>
  html`<time datetime="${toRfc3339(at)}">${toRfc3339(at).slice(0, 16).replace('T', ' ')}</time>`;

/** The time with how long that is from now: `in 3 h`, `20 min ago`. */
export const momentFrom = (at: Instant, now: Instant): Markup =>
  html`<time datetime="${toRfc3339(at)}" title="${toRfc3339(at).slice(0, 16).replace('T', ' ')} UTC"
    >${apart(at, now)}</time
  >`;

export function apart(at: Instant, now: Instant): string {
  const span = Math.abs(at - now);
  if (span < MINUTE) return at >= now ? 'within a minute' : 'just now';
  const [n, unit] =
    span < HOUR ? [span / MINUTE, 'min'] : span < 2 * DAY ? [span / HOUR, 'h'] : ([span / DAY, 'days'] as const);
  return at >= now ? `in ${Math.floor(n)} ${unit}` : `${Math.floor(n)} ${unit} ago`;
}
