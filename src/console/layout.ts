/** The frame of every page: who is signed in, where one can go, and the words of a refusal. */
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { FAILURES } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import type { Scope } from '../http/scope.ts';
import { SCRIPT_PATH, STYLE_PATH } from './assets.ts';
import { tokenField } from './form-token.ts';
import type { Theme, Visit } from './visit.ts';

export type Markup = ReturnType<typeof html>;

/** Where one can go, in the order of how often. */
const PLACES = [
  ['/approvals', 'Approvals'],
  ['/leases', 'Leases'],
  ['/blocks', 'Blocks'],
  ['/reviews', 'Reviews'],
  ['/agents', 'Agents'],
  ['/tenants', 'Tenants'],
  ['/policy', 'Policy'],
  ['/changes', 'Changes'],
  ['/exposure', 'Exposure'],
  ['/inventory', 'Inventory'],
] as const;

/** A page that can be narrowed to one tenant. */
export interface TenantFilter {
  readonly tenants: readonly TenantName[];
  readonly chosen: TenantName | null;
}

export interface Page {
  readonly title: string;
  readonly status?: ContentfulStatusCode;
  readonly filter?: TenantFilter | null;
  /** An event stream: whenever it says `changed`, the parts of the page that bear `data-part` are drawn anew. */
  readonly live?: string | null;
}

export function page(c: Context<Scope>, visit: Visit, { title, status = 200, ...more }: Page, body: Markup) {
  return c.html(frame(visit, title, more, body), status);
}

function frame(visit: Visit, title: string, { filter = null, live = null }: Omit<Page, 'title'>, body: Markup): Markup {
  const { caller, theme } = visit;
  return html`<!doctype html>
    <html lang="en" data-theme="${theme}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Brevet</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${STYLE_PATH}" />
        <script src="${SCRIPT_PATH}" defer></script>
      </head>
      <body data-now="${visit.deps.clock()}" ${live === null ? '' : html`data-live="${live}"`}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="bar">
          <a class="brand" href="/">${MARK}<span>Brevet</span></a>
          ${caller === null ? '' : html`${navigation(visit)} ${filterOf(visit, filter)} ${whoIs(visit)}`}
        </header>
        <main id="main" tabindex="-1">${live === null ? '' : OVER} ${body}</main>
        <footer>
          <p>${caller === null ? '' : visit.deployment.inSetup ? 'Set-up lasts.' : ''} Times are UTC.</p>
          ${themes(visit, theme)}
        </footer>
      </body>
    </html>`;
}

const OVER = html`<p class="note warn" role="alert" data-over hidden>
  You are signed out: what stands here is of before. <a href="">Sign in again</a>.
</p>`;

/** A warrant with its seal broken open: what is given ends. */
const MARK = html`<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
  <path d="M3.5 2.5h13v9a6.5 6.5 0 0 1-13 0z" fill="none" stroke="currentColor" stroke-width="1.5" />
  <path d="M7 7h6M7 10h3.5" stroke="currentColor" stroke-width="1.5" />
</svg>`;

function navigation({ path }: Visit): Markup {
  const at = path.split(/[?/]/)[1] ?? '';
  const links = PLACES.map(
    ([to, name]) => html`<li><a href="${to}" ${to === `/${at}` ? html`aria-current="page"` : ''}>${name}</a></li>`,
  );
  return html`<nav class="places" aria-label="Console">
      <ul>
        ${links}
      </ul>
    </nav>
    <details class="menu">
      <summary>Menu</summary>
      <nav aria-label="Console, as a menu">
        <ul>
          ${links}
        </ul>
      </nav>
    </details>`;
}

function filterOf({ path }: Visit, filter: TenantFilter | null): Markup | '' {
  if (filter === null || filter.tenants.length < 2) return '';
  const { tenants, chosen } = filter;
  return html`<form class="filter" method="get" action="${path.split('?')[0]}">
    <label for="tenant">Tenant</label>
    <select id="tenant" name="tenant" data-submits>
      <option value="">all of mine</option>
      ${tenants.map((name) => html`<option ${name === chosen ? 'selected' : ''}>${name}</option>`)}
    </select>
    <button class="quiet">Show</button>
  </form>`;
}

function whoIs(visit: Visit): Markup {
  const { caller, deployment } = visit;
  if (caller === null) throw new Error('nobody is signed in');
  const name = deployment.persons.get(caller.person)?.displayName ?? caller.person;
  return html`<div class="who">
    <a href="/account">${name}</a>
    <form method="post" action="/sign-out">${tokenField(visit)}<button class="quiet">Sign out</button></form>
  </div>`;
}

const THEMES = ['system', 'light', 'dark'] as const satisfies readonly Theme[];

const themes = (visit: Visit, chosen: Theme): Markup =>
  html`<form class="themes" method="post" action="/theme">
    ${tokenField(visit)}<input type="hidden" name="return_to" value="${visit.path}" />
    <fieldset>
      <legend>Colours</legend>
      ${THEMES.map(
        (one) =>
          html`<button class="quiet" name="theme" value="${one}" aria-pressed="${one === chosen ? 'true' : 'false'}">
            ${one}
          </button>`,
      )}
    </fieldset>
  </form>`;

/** A refusal in the words that the API has for it. */
export function refusalPage(c: Context<Scope>, visit: Visit, refusal: Failure): Response | Promise<Response> {
  const { status, title } = FAILURES[refusal.code];
  const again = refusal.code === 'not_signed_in' && visit.caller === null;
  return page(
    c,
    visit,
    { title, status },
    html`<article class="slip">
      <h1>${title}</h1>
      <p>${sentence(refusal.detail)}</p>
      ${refusal.hint === undefined ? '' : html`<p>${refusal.hint}</p>`}
      <p class="actions">
        ${again ? html`<a class="button" href="/sign-in">Go to signing in</a>` : html`<a href="/">Go to the start</a>`}
      </p>
      <dl class="facts">
        <dt>Code</dt>
        <dd><code>${refusal.code}</code></dd>
        <dt>Request</dt>
        <dd><code>${c.var.requestId}</code></dd>
      </dl>
    </article>`,
  );
}

/** Details begin as they stand in a problem document; on a page they are sentences. */
export function sentence(detail: string): string {
  const begun = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
