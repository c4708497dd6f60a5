/** What somebody has to look at: broken glass, what was taken back, and whatever oversight wants seen by another person. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Failure } from '../core/failure.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import type { KeptReview } from '../core/oversight.ts';
import { err } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { READS_ONLY } from '../authenticate/act.ts';
import { readsAlone } from '../authenticate/principal.ts';
import { doReview, seenReview, whyNotDone } from '../oversee/reviews.ts';
import { underReview } from '../oversee/under-review.ts';
import type { UnderReview } from '../oversee/under-review.ts';
import type { Scope } from '../http/scope.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { leaseRow } from './leases.ts';
import { liveOversight } from './live.ts';
import { noteOf } from './note.ts';
import { moment, momentFrom } from './shown.ts';
import { chosen } from './standing.ts';
import { tripsPart } from './trips.ts';
import { untrusted } from './untrusted.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const reviews = new Hono<Scope>();

/** As many as a person looks over; the next page has the rest. */
const AT_ONCE = 50;
/** Of what was done, as much as reminds. */
const OF_LATE = 20;

reviews.get(
  '/reviews',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const overseen = await deps.store.overseenBy(caller.person);
    const named = parseName('tenant', chosen(c, 'tenant'));
    const tenant = (named.ok && overseen.find((one) => one === named.value)) || null;
    const within = tenant === null ? overseen : [tenant];
    const live = await liveOversight(visit, overseen, tenant);
    return page(
      c,
      visit,
      { title: 'Reviews', live, filter: { tenants: overseen, chosen: tenant } },
      html`<h1>What has to be looked at</h1>
        ${noteOf(c)}
        ${
          within.length === 0
            ? html`<p class="calm">These are for oversight, and you oversee nothing.</p>`
            : await lists(c, visit, { within, tenant })
        }`,
    );
  }),
);

/** @param tenant that was chosen; `null`: all of them. */
async function lists(
  c: Context<Scope>,
  visit: SignedInVisit,
  { within, tenant }: { readonly within: readonly TenantName[]; readonly tenant: TenantName | null },
): Promise<Markup> {
  const { store } = visit.deps;
  const before = parseId('rev', c.req.query('before'));
  const from = before.ok ? before.value : null;
  const [open, all] = await Promise.all([
    store.reviews({ within, open: true, before: from, limit: AT_ONCE + 1 }),
    store.reviews({ within, open: false, before: null, limit: AT_ONCE }),
  ]);
  const done = all.filter((one) => one.done !== null).slice(0, OF_LATE);
  const reading = await readingAmong(visit, open);
  const last = open.length > AT_ONCE ? open[AT_ONCE - 1] : undefined;
  return html`<div id="reviews" data-part>
    ${await tripsPart(visit, within)}
    <section aria-labelledby="open">
      <h2 id="open">Waiting</h2>
      ${open.length === 0 ? html`<p>${from === null ? 'Nothing waits for a look.' : 'Nothing older waits for a look.'}</p>` : rows(visit, open.slice(0, AT_ONCE), reading)}
      ${last === undefined ? '' : html`<p class="actions"><a class="button" href="/reviews?${older(last, tenant)}">Older ones</a></p>`}
    </section>
    ${
      done.length === 0
        ? ''
        : html`<section aria-labelledby="done">
            <h2 id="done">Of late</h2>
            ${rows(visit, done, reading)}
          </section>`
    }
  </div>`;
}

const older = ({ id }: KeptReview, tenant: TenantName | null): string =>
  new URLSearchParams({ ...(tenant === null ? {} : { tenant }), before: id }).toString();

type Reading = ReadonlySet<TenantName>;

/** Those of their tenants where the visitor reads alone. */
export async function readingAmong(visit: SignedInVisit, all: readonly KeptReview[]): Promise<Reading> {
  const tenants = [...new Set(all.map(({ tenant }) => tenant))];
  const reads = await Promise.all(tenants.map((tenant) => readsAt(visit, tenant)));
  return new Set(tenants.filter((_, at) => reads[at]));
}

const rows = (visit: SignedInVisit, all: readonly KeptReview[], reading: Reading): Markup =>
  html`<ul class="rows">
    ${all.map((one) => reviewRow(visit, one, reading))}
  </ul>`;

/** Also on the start page. */
export function reviewRow(visit: SignedInVisit, review: KeptReview, reading: Reading): Markup {
  const now = visit.deps.clock();
  const { id, tenant, openedBy, reason, at, done, due } = review;
  return html`<li>
    <div>
      <a href="/reviews/${id}">${headOf(review)} at <strong>${tenant}</strong></a>
      ${stateTag(review, now, mayWait(review, visit, reading))}
      <span class="sub">
        ${BEGUN[review.what]} by ${openedBy} ${momentFrom(at, now)}: <q>${untrusted(reason)}</q>
      </span>
    </div>
    <span class="due">
      ${done === null ? html`due ${momentFrom(due, now)}` : html`by ${done.by}, ${momentFrom(done.at, now)}`}
    </span>
  </li>`;
}

/** It is waited for by each who could do it; whether they really may is told on its page. */
export const mayWait = (
  { done, notBy, from, tenant }: KeptReview,
  { caller, deps }: SignedInVisit,
  reading: Reading,
): boolean => done === null && from <= deps.clock() && !notBy.includes(caller.person) && !reading.has(tenant);

function stateTag(review: KeptReview, now: Instant, isTheirs: boolean): Markup {
  if (review.done !== null) return html`<span class="tag">looked at</span>`;
  if (review.from > now) return html`<span class="tag bad">goes on, ends ${momentFrom(review.from, now)}</span>`;
  const late = review.due <= now ? html` <span class="tag bad">late</span>` : '';
  return isTheirs
    ? html`<span class="tag warn">waits for you</span>${late}`
    : html`<span class="tag">for another person</span>${late}`;
}

/** Whoever reads alone there waits for nothing. */
async function readsAt({ deps, caller }: SignedInVisit, tenant: TenantName): Promise<boolean> {
  const at = await deps.store.snapshot(tenant);
  return at !== null && readsAlone(at, caller.person, deps.clock());
}

const BEGUN = { break_glass: 'Broken', reversal: 'Ordered', lease: 'Asked for' } as const;

function headOf({ what, agent, role }: KeptReview): Markup {
  const who = html`<strong>${agent ?? 'an agent'}</strong>`;
  switch (what) {
    case 'break_glass':
      return html`The glass was broken: ${who} had <strong>${role ?? 'a role for emergencies'}</strong>`;
    case 'reversal':
      return html`What ${who} did was taken back`;
    case 'lease':
      return html`What ${who} did with a credential`;
  }
}

const titleOf = ({ what, tenant }: KeptReview): string =>
  `${{ break_glass: 'Broken glass', reversal: 'A reversal', lease: 'A credential' }[what]} at ${tenant}`;

async function reviewHere(c: Context<Scope>, { deps, caller }: SignedInVisit): Promise<Result<KeptReview>> {
  const id = parseId('rev', c.req.param('id'));
  return id.ok ? seenReview(deps, caller, id.value) : err(NOTHING_HERE);
}

reviews.get(
  '/reviews/:id',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const found = await reviewHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const review = found.value;
    const live = await liveOversight(visit, [review.tenant], review.tenant);
    const now = deps.clock();
    const [under, reads, why] = await Promise.all([
      underReview(deps, review),
      readsAt(visit, review.tenant),
      whyNotDone(deps, review, { person: caller.person, now }),
    ]);
    const mayNot = reads && review.done === null ? READS_ONLY : why;
    return page(
      c,
      visit,
      { title: titleOf(review), live },
      html`<p class="sub"><a href="/reviews">Reviews</a></p>
        <h1 class="asks">${headOf(review)} at <strong>${review.tenant}</strong></h1>
        ${noteOf(c)}
        <p class="sub">
          <span id="state" data-part>${stateTag(review, now, mayNot === null)}</span> <code>${review.id}</code>
        </p>
        <div class="halves">
          <section aria-labelledby="why">
            <h2 id="why">Who, and why</h2>
            ${factsOf(review, under, now)}
          </section>
          <section aria-labelledby="word">
            <h2 id="word">${review.done === null ? 'What you make of it' : 'What was made of it'}</h2>
            ${wordOf(visit, review, mayNot)}
          </section>
        </div>
        <section aria-labelledby="under">
          <h2 id="under">${UNDER[review.what]}</h2>
          <div id="leases" data-part>${leasesOf(visit, review, under)}</div>
        </section>`,
    );
  }),
);

const UNDER = {
  break_glass: 'What was done under it',
  reversal: 'What was taken back',
  lease: 'What was done',
} as const;

function factsOf(review: KeptReview, { order }: UnderReview, now: Instant): Markup {
  const { what, reason, openedBy, notBy, at, from, due, role, agent } = review;
  const others = notBy.filter((one) => one !== openedBy);
  return html`<dl class="facts">
    <dt>Why</dt>
    <dd class="quoted">${untrusted(reason)}</dd>
    <dt>${BEGUN[what]}</dt>
    <dd>${moment(at)}, by ${[openedBy, ...others].join(' and ')}</dd>
    ${
      what === 'break_glass'
        ? html`<dt>Given</dt>
            <dd>${role === null ? 'a role for emergencies' : html`<code>${role}</code>`} to ${agentLink(agent)}</dd>
            <dt>${from > now ? 'Ends' : 'Ended'}</dt>
            <dd>${moment(from)}${from > now ? ', by itself' : ''}, with all that rests on it</dd>`
        : html`<dt>Agent</dt>
            <dd>${agentLink(agent)}</dd>`
    }
    ${
      order === null
        ? ''
        : html`<dt>Order</dt>
            <dd>
              <a href="/leases/${order.tenant}/${order.lease}/reverse"><code>${order.id}</code></a
              >: ${order.task}, ${order.request === null ? 'not taken yet' : 'taken by the agent'}
            </dd>`
    }
    <dt>Due</dt>
    <dd>${moment(due)}</dd>
  </dl>`;
}

const agentLink = (agent: KeptReview['agent']): Markup | string =>
  agent === null ? 'an agent' : html`<a href="/agents/${agent}">${agent}</a>`;

function wordOf(visit: SignedInVisit, { id, done }: KeptReview, mayNot: Failure | null): Markup {
  if (done !== null) {
    return html`<blockquote>${untrusted(done.words)}</blockquote>
      <p class="small">${done.by}, ${moment(done.at)}</p>`;
  }
  if (mayNot !== null) {
    return html`<p class="note">You cannot do this: ${mayNot.detail}. ${mayNot.hint ?? ''}</p>`;
  }
  return html`<form class="sheet word" method="post" action="/reviews/${id}">
    ${tokenField(visit)}
    <label for="words">In your words, for the ledger</label>
    <textarea id="words" name="words" rows="4" maxlength="2000" required></textarea>
    <div class="actions"><button class="main">I have looked at it</button></div>
  </form>`;
}

function leasesOf(visit: SignedInVisit, { what, agent, tenant, role }: KeptReview, under: UnderReview): Markup {
  if (under.leases.length === 0) {
    const nothing = role === null && what === 'break_glass' ? 'Which role it was is not kept.' : 'Nothing was given.';
    return html`<p>${nothing}</p>`;
  }
  const all = new URLSearchParams({ tenant, agent: agent ?? '', state: 'all' }).toString();
  return html`<ul class="rows leases">
      ${under.leases.map((lease) => leaseRow(visit, lease))}
    </ul>
    ${under.more ? html`<p class="actions"><a class="button" href="/leases?${all}">All of ${agent}</a></p>` : ''}`;
}

reviews.post(
  '/reviews/:id',
  fromFormSignedIn(async (c, visit, form) => {
    const found = await reviewHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { id } = found.value;
    const body = { words: form.get('words')?.trim() ?? '' };
    const done = await doReview(visit.deps, visit.caller, { id, body });
    return done.ok ? c.redirect(`/reviews/${id}?done=reviewed`, 303) : refusalPage(c, visit, done.error);
  }),
);
