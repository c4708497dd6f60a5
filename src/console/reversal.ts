/** What an agent did at tier 2, and the one click that takes it back: what it would do, and what became of it. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { JsonObject } from '../core/canonical.ts';
import type { Failure } from '../core/failure.ts';
import type { Lease } from '../core/lease.ts';
import type { KeptOrder } from '../core/oversight.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import type { Instant } from '../core/time.ts';
import { READS_ONLY } from '../authenticate/act.ts';
import { readsAlone } from '../authenticate/principal.ts';
import { activePolicy } from '../decide/active.ts';
import type { TaskClass } from '../decide/bundle/model.ts';
import { conflictWithLease } from '../oversee/conflict.ts';
import { reverse, wayBack } from '../oversee/reverse.ts';
import type { Scope } from '../http/scope.ts';
import { outcomeOf } from './agents.ts';
import { named, valueOf } from './decision/words.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { precise, rest } from './lease/bars.ts';
import { leaseHere } from './lease/here.ts';
import type { LeaseHere } from './lease/here.ts';
import { liveOversight } from './live.ts';
import { noteOf } from './note.ts';
import { clientOf, moment, momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const reversal = new Hono<Scope>();

reversal.get(
  '/leases/:tenant/:id/reverse',
  signedIn(async (c, visit) => {
    const here = await leaseHere(c, visit);
    if (!here.ok) return refusalPage(c, visit, here.error);
    const { at, lease } = here.value;
    const live = await liveOversight(visit, [lease.tenant], lease.tenant);
    const seen = await seeReversal(visit, here.value);
    return page(
      c,
      visit,
      { title: `${lease.task} at ${lease.tenant}, taken back`, live },
      html`<p class="sub"><a href="/leases/${lease.tenant}/${lease.id}">The story of the credential</a></p>
        <h1 class="asks">
          <strong>${lease.agent}</strong> did <strong>${lease.task}</strong> at
          ${clientOf(at.tenant.name, at.tenant.displayName)}
        </h1>
        ${noteOf(c)}
        <p class="sub"><span class="tag">tier ${lease.tier}</span> ${momentFrom(lease.openedAt, visit.deps.clock())}</p>
        <div id="reversal" data-part>${acts(visit, lease, seen)}</div>
        <div class="halves">${done(lease, seen)} ${way(lease, seen, visit.deps.clock())}</div>`,
    );
  }),
);

interface SeenReversal {
  readonly request: KeptRequest | null;
  readonly task: TaskClass | null;
  /** The class that takes it back. */
  readonly way: TaskClass | null;
  readonly order: KeptOrder | null;
  /** The request that took the order, and the credential that came of it. */
  readonly taken: KeptRequest | null;
  readonly back: Lease | null;
  readonly mayNot: Failure | null;
}

async function seeReversal({ deps, caller }: SignedInVisit, { at, lease }: LeaseHere): Promise<SeenReversal> {
  const { store } = deps;
  const { tenant } = lease;
  const [request, order, policy, way, conflict] = await Promise.all([
    store.request(tenant, lease.request),
    store.orderFor(tenant, lease.id),
    activePolicy(deps, at.deployment),
    wayBack(deps, at, lease),
    conflictWithLease(deps, lease, { person: caller.person, now: deps.clock() }),
  ]);
  const reads = readsAlone(at, caller.person, deps.clock());
  const tasks = policy?.bundle.tasks;
  const name = order?.task ?? (way.ok ? way.value : null);
  const taken = order === null || order.request === null ? null : await store.request(tenant, order.request);
  return {
    request,
    order,
    taken,
    back: taken === null || taken.lease === null ? null : await store.lease(tenant, taken.lease),
    task: tasks?.get(lease.task) ?? null,
    way: name === null ? null : (tasks?.get(name) ?? null),
    mayNot: (reads ? READS_ONLY : conflict) ?? (way.ok ? null : way.error),
  };
}

/** The click, or what became of it. */
function acts(visit: SignedInVisit, lease: Lease, seen: SeenReversal): Markup {
  if (seen.order !== null) return ordered(seen.order, seen, visit.deps.clock());
  if (seen.mayNot !== null) {
    const { detail, hint } = seen.mayNot;
    return html`<p class="note warn">It cannot be taken back here: ${detail}. ${hint ?? ''}</p>`;
  }
  return html`<form class="acts click" method="post" action="/leases/${lease.tenant}/${lease.id}/reverse">
    ${tokenField(visit)}
    <button class="danger">Take it back</button>
    <label class="grows"
      >Why, for the ledger and for the agent
      <input name="reason" maxlength="1000" autocomplete="off" placeholder="may be left empty" />
    </label>
  </form>`;
}

const STATES = {
  waits: html`<span class="tag warn">waits for the agent</span>`,
  taken: html`<span class="tag good">taken</span>`,
  over: html`<span class="tag bad">not taken in time</span>`,
};

function ordered(order: KeptOrder, seen: SeenReversal, now: Instant): Markup {
  const state = seen.taken !== null ? 'taken' : order.until > now ? 'waits' : 'over';
  return html`<section class="sheet order" aria-labelledby="order">
    <h2 id="order">Ordered ${STATES[state]}</h2>
    <dl class="facts">
      <dt>Order</dt>
      <dd><code>${order.id}</code></dd>
      <dt>By</dt>
      <dd>${order.by}, ${momentFrom(order.at, now)}</dd>
      <dt>Because</dt>
      <dd class="quoted">${untrusted(order.reason)}</dd>
      <dt>${order.agent}</dt>
      <dd>${cameOf(order, seen, state, now)}</dd>
    </dl>
    <p class="small">
      The credential that did it is ended. Another person than ${order.by} looks at this: see
      <a href="/reviews">reviews</a>.
    </p>
  </section>`;
}

function cameOf(order: KeptOrder, { taken, back }: SeenReversal, state: keyof typeof STATES, now: Instant): Markup {
  if (taken !== null) {
    return html`came for it ${momentFrom(taken.at, now)}:
    ${outcomeOf(taken, now)}${
      back === null ? '' : html`, ${back.death === null ? back.state : `dead (${back.death.how})`}`
    }${back?.outcome ? html`; it calls what it did <strong>${back.outcome.outcome}</strong>` : ''}`;
  }
  return state === 'waits'
    ? html`has yet to come for it; it may until ${moment(order.until)}`
    : html`did not come for it until ${moment(order.until)}: have a person take it back`;
}

function done(lease: Lease, { request, task }: SeenReversal): Markup {
  const parameters = Object.entries(((request?.approval?.asked ?? request?.asked)?.['parameters'] ?? {}) as JsonObject);
  const confidence = request?.asked['confidence'];
  return html`<section aria-labelledby="done">
    <h2 id="done">What was done</h2>
    <p class="does">${task?.description ?? named(lease.task)}</p>
    <dl class="facts">
      <dt>To</dt>
      <dd>${untrusted(lease.resource)}, by ${lease.provider} at ${lease.target}</dd>
      ${parameters.map(
        ([name, value]) =>
          html`<dt>${named(name)}</dt>
            <dd>${valueOf(value)}</dd>`,
      )}
      <dt>When</dt>
      <dd>${moment(lease.openedAt)}</dd>
      <dt>Accountable</dt>
      <dd>${lease.owner}</dd>
    </dl>
    <div class="theirs">
      <h3>In the agent’s own words</h3>
      ${words(request?.asked['reason'])} ${words(lease.outcome?.summary)}
      <dl class="facts">
        <dt>Was sure</dt>
        <dd>${typeof confidence === 'number' ? `${Math.round(confidence * 100)} %` : 'not said'}</dd>
        <dt>Called it</dt>
        <dd>${lease.outcome?.outcome ?? 'nothing yet'}</dd>
      </dl>
    </div>
  </section>`;
}

const words = (said: unknown): Markup | '' =>
  typeof said === 'string' && said !== '' ? html`<blockquote>${untrusted(said)}</blockquote>` : '';

function way(lease: Lease, { way: back, order, mayNot }: SeenReversal, now: Instant): Markup {
  if (order === null && mayNot !== null) return html``;
  return html`<section aria-labelledby="way">
    <h2 id="way">${order === null ? 'What the click does' : 'What the click did'}</h2>
    <ol class="steps">
      <li>${ending(lease, now)}</li>
      <li>
        It ${order === null ? 'orders' : 'ordered'} <strong>${back?.name ?? order?.task ?? ''}</strong> of
        ${lease.agent}, on the same resource with the same parameters:
        ${back === null ? 'the policy has no such class any more.' : back.description}
      </li>
      <li>
        ${lease.agent} asks for that itself within a day, by the policy as it is then. Every block and every rule that
        forbids still holds; a pause does not hold it up.
      </li>
      <li>Another person than who clicked looks at it.</li>
    </ol>
  </section>`;
}

function ending(lease: Lease, now: Instant): Markup {
  const { state, expiresAt, exposure } = lease;
  if (state === 'opening' || state === 'active') {
    return html`It ends the credential, which lives for ${rest(expiresAt - now)} yet.`;
  }
  const known = exposure === null ? '' : html`, exposure ${precise(exposure)}`;
  return html`The credential is ${state === 'revoked' ? 'dead' : 'being ended'}${known}.`;
}

/** Nobody is kept from a click by having to find words; that there were none is written down. */
const NO_WORDS = 'No reason was given';

reversal.post(
  '/leases/:tenant/:id/reverse',
  fromFormSignedIn(async (c, visit, form) => {
    const here = await leaseHere(c, visit);
    if (!here.ok) return refusalPage(c, visit, here.error);
    const reason = form.get('reason')?.trim() || NO_WORDS;
    const given = await reverse(visit.deps, visit.caller, here.value, { reason });
    if (!given.ok) return refusalPage(c, visit, given.error);
    const { tenant, id } = here.value.lease;
    return c.redirect(`/leases/${tenant}/${id}/reverse?done=reversed`, 303);
  }),
);
