/**
 * Exposures as plots in inline SVG, on a logarithmic scale, since they reach from a millisecond to an hour. What is
 * words stands beside the drawing as text, so that it stays as large as other text at every width.
 */
import { html } from 'hono/html';
import type { ExposureRow } from '../../core/store/leases.ts';
import type { Instant } from '../../core/time.ts';
import { toRfc3339 } from '../../core/time.ts';
import type { Markup } from '../layout.ts';
import { precise } from '../lease/bars.ts';

/** From one millisecond to this many powers of ten above it. */
export interface Scale {
  readonly decades: number;
}

/** Up to a tenth of a second is drawn always, so that small things do not look large. */
const LEAST_DECADES = 3;

export const range = (rows: readonly ExposureRow[]): Scale => ({
  decades: Math.max(LEAST_DECADES, Math.ceil(Math.log10(Math.max(1, ...rows.map(({ worst }) => worst)) + 1))),
});

/** 0 to 100; what is below a millisecond lies on the ground. */
const along = (ms: number, { decades }: Scale): number =>
  Math.round((1000 * Math.log10(Math.max(1, ms))) / decades) / 10;

const MARKS = ['1 ms', '10 ms', '100 ms', '1 s', '10 s', '100 s', '17 min', '2.8 h', '28 h', '12 days', '116 days'];

interface Times {
  readonly since: Instant;
  readonly now: Instant;
  readonly every: number;
  readonly scale: Scale;
}

export function overTime(rows: readonly ExposureRow[], { since, now, every, scale }: Times): Markup {
  const first = Math.floor(since / every) * every;
  const columns = Math.floor(now / every) - Math.floor(since / every) + 1;
  const step = 1000 / columns;
  const width = Math.max(3, Math.min(14, step * 0.6));
  const x = (from: Instant | null): number => Math.round(10 * (((from ?? first) - first) / every + 0.5) * step) / 10;
  const y = (ms: number): number => 100 - along(ms, scale);
  const lines = Array.from({ length: scale.decades + 1 }, (_, n) => n);
  return html`<figure class="plot">
    <div class="axis" aria-hidden="true">${lines.toReversed().map((n) => html`<span>${MARKS[n] ?? ''}</span>`)}</div>
    <svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-labelledby="plot-title plot-words">
      <title id="plot-title">Exposure over time</title>
      <desc id="plot-words">${describe(rows)}</desc>
      ${lines.map((n) => html`<line class="grid" x1="0" x2="1000" y1="${y(10 ** n)}" y2="${y(10 ** n)}" />`)}
      ${rows.map((row) => columnOf(row, x(row.from), { width, y }))}
    </svg>
    <figcaption>
      <span>${toRfc3339(since).slice(0, 10)}</span>
      <span class="legend">
        <span><i class="key plot-median"></i>to the median</span> <span><i class="key plot-high"></i>to 95 of 100</span>
        <span><i class="key plot-worst"></i>to the worst</span>
      </span>
      <span>${toRfc3339(now).slice(0, 10)}</span>
    </figcaption>
  </figure>`;
}

interface Column {
  readonly width: number;
  readonly y: (ms: number) => number;
}

/** From the ground to the worst, the darkest below. What took no time at all is drawn as a foot. */
function columnOf({ median, high, worst }: ExposureRow, x: number, { width, y }: Column): Markup {
  const part = (kind: string, from: number, to: number): Markup =>
    html`<rect
      class="plot-${kind}"
      x="${x - width / 2}"
      width="${width}"
      y="${to}"
      height="${Math.max(0, from - to)}"
    />`;
  const foot = html`<rect class="plot-median" x="${x - width / 2}" width="${width}" y="98.5" height="1.5" />`;
  return html`${foot}${part('worst', y(high), y(worst))}${part('high', y(median), y(high))}${part('median', 100, y(median))}`;
}

function describe(rows: readonly ExposureRow[]): string {
  const worst = rows.toSorted((a, b) => b.worst - a.worst)[0];
  if (worst === undefined || worst.from === null) return 'Nothing was ended.';
  return `${rows.length} spans of time in which something was ended. The worst, ${precise(worst.worst)}, was in the one from ${toRfc3339(worst.from).slice(0, 16).replace('T', ' ')}. The table below has them all.`;
}

/** The same of one provider, lying. Its figures stand in the same row. */
export const rowBar = ({ median, high, worst }: ExposureRow, scale: Scale): Markup =>
  html`<svg class="row-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect class="bar-ground" width="100" height="10" />
    <rect class="plot-worst" width="${Math.max(1, along(worst, scale))}" height="10" />
    <rect class="plot-high" width="${Math.max(1, along(high, scale))}" height="10" />
    <rect class="plot-median" width="${Math.max(1, along(median, scale))}" height="10" />
  </svg>`;
