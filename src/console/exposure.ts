/** How long credentials that were ended stayed alive: over time, and by provider, at the tenants that one oversees. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { parseName } from '../core/ids.ts';
import type { ExposureRow } from '../core/store/leases.ts';
import { instant, milliseconds, toRfc3339 } from '../core/time.ts';
import type { Instant, Milliseconds } from '../core/time.ts';
import type { Scope } from '../http/scope.ts';
import { overTime, range, rowBar } from './exposure/plot.ts';
import { page } from './layout.ts';
import type { Markup } from './layout.ts';
import { precise } from './lease/bars.ts';
import { chosen } from './standing.ts';
import { signedIn } from './visit.ts';

export const exposure = new Hono<Scope>();

const HOUR = 3_600_000;

interface Span {
  readonly name: string;
  readonly words: string;
  readonly lasts: number;
  /** What one column of the plot stands for. */
  readonly every: Milliseconds;
}

const WEEK: Span = { name: '7', words: '7 days', lasts: 7 * 24 * HOUR, every: milliseconds(4 * HOUR) };
const SPANS: readonly Span[] = [
  { name: '1', words: '24 hours', lasts: 24 * HOUR, every: milliseconds(HOUR / 2) },
  WEEK,
  { name: '30', words: '30 days', lasts: 30 * 24 * HOUR, every: milliseconds(24 * HOUR) },
];

exposure.get(
  '/exposure',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const overseen = await deps.store.overseenBy(caller.person);
    const asked = parseName('tenant', c.req.query('tenant'));
    const tenant = asked.ok ? (overseen.find((one) => one === asked.value) ?? null) : null;
    const span = SPANS.find(({ name }) => name === chosen(c, 'days')) ?? WEEK;
    const now = deps.clock();
    const since = instant(now - span.lasts);
    const within = tenant === null ? overseen : [tenant];
    const [rows, alive] = await Promise.all([
      deps.store.exposures({ within, since, every: span.every }),
      deps.store.leases({ ...NARROWED_BY_NOTHING, tenant, limit: MOST_ALIVE, states: ['revoking'] }, overseen),
    ]);
    return page(
      c,
      visit,
      { title: 'Exposure', filter: { tenants: overseen, chosen: tenant } },
      html`<h1>Exposure</h1>
        <p>From a credential’s end, or the commit that revoked it, to the moment when its death was seen.</p>
        ${spans(c, span)}
        ${
          overseen.length === 0
            ? html`<p class="calm">This is for oversight, and you oversee nothing.</p>`
            : html`${alive.length === 0 ? '' : aliveNote(alive.length)}
              ${rows.length === 0 ? html`<p class="calm">Nothing was ended in these ${span.words}.</p>` : plots(rows, span, { since, now })}`
        }`,
    );
  }),
);

const NARROWED_BY_NOTHING = { agent: null, owner: null, target: null, role: null, before: null } as const;
const MOST_ALIVE = 200;

const aliveNote = (n: number): Markup =>
  html`<p class="note warn">
    ${n === MOST_ALIVE ? `${n} or more` : n} ${n === 1 ? 'is' : 'are'} ended and not seen dead yet:
    <a href="/leases?state=revoking">see them</a>.
  </p>`;

function spans(c: Context<Scope>, { name }: Span): Markup {
  const tenant = c.req.query('tenant');
  const to = (days: string): string =>
    `/exposure?${new URLSearchParams({ days, ...(tenant === undefined ? {} : { tenant }) }).toString()}`;
  return html`<nav aria-label="How far back">
    <ul class="tabs">
      ${SPANS.map(
        (span) =>
          html`<li>
            <a href="${to(span.name)}" ${span.name === name ? html`aria-current="true"` : ''}>${span.words}</a>
          </li>`,
      )}
    </ul>
  </nav>`;
}

function plots(
  rows: readonly ExposureRow[],
  span: Span,
  times: { readonly since: Instant; readonly now: Instant },
): Markup {
  const spans = rows.filter(({ from }) => from !== null);
  const providers = rows.filter(({ provider }) => provider !== null);
  const scale = range(rows);
  const n = providers.reduce((sum, row) => sum + row.n, 0);
  const unseen = providers.reduce((sum, row) => sum + row.unverifiable, 0);
  return html`<dl class="figures">
      <div>
        <dt>ended and over</dt>
        <dd class="figure">${n}</dd>
      </div>
      <div>
        <dt>worst exposure</dt>
        <dd class="figure">${precise(Math.max(...providers.map(({ worst }) => worst)))}</dd>
      </div>
      <div>
        <dt>that nobody could see dead</dt>
        <dd class="figure">${unseen}</dd>
      </div>
    </dl>
    <section aria-labelledby="over-time">
      <h2 id="over-time">Over time</h2>
      ${overTime(spans, { ...times, every: span.every, scale })}
      <details class="fold">
        <summary>The same as a table</summary>
        ${table('From', spans, ({ from }) => stamp(from))}
      </details>
    </section>
    <section aria-labelledby="by-provider">
      <h2 id="by-provider">By provider</h2>
      ${table(
        'Provider',
        providers,
        ({ provider }) => provider ?? '',
        (row) => rowBar(row, scale),
      )}
    </section>`;
}

const stamp = (at: Instant | null): string => (at === null ? '' : toRfc3339(at).slice(0, 16).replace('T', ' '));

function table(
  head: string,
  rows: readonly ExposureRow[],
  name: (row: ExposureRow) => string,
  bar: ((row: ExposureRow) => Markup) | null = null,
): Markup {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${head}, as a table">
    <table>
      <thead>
        <tr>
          <th scope="col">${head}</th>
          ${bar === null ? '' : html`<th scope="col" class="drawn"><span class="small">median, 95 %, worst</span></th>`}
          <th scope="col" class="number">Ended</th>
          <th scope="col" class="number">Median</th>
          <th scope="col" class="number">95 of 100</th>
          <th scope="col" class="number">Worst</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <th scope="row">${name(row)}</th>
              ${bar === null ? '' : html`<td class="drawn">${bar(row)}</td>`}
              <td class="number">${row.n}</td>
              <td class="number">${precise(row.median)}</td>
              <td class="number">${precise(row.high)}</td>
              <td class="number">${precise(row.worst)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
