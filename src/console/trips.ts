/** Circuit breakers that have tripped, where oversight looks, and the act by which a person resets one. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import { SIGNAL_WORDS } from '../core/oversight.ts';
import type { KeptTrip } from '../core/oversight.ts';
import { readsAlone } from '../authenticate/principal.ts';
import { resetTrip } from '../oversee/trips.ts';
import type { Scope } from '../http/scope.ts';
import { tokenField } from './form-token.ts';
import { refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { momentFrom } from './shown.ts';
import { fromFormSignedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const trips = new Hono<Scope>();

/** More than this stand nowhere for long: a spike pauses everything. */
const MOST = 50;

/** Those that stand at these tenants; nothing where none does. */
export async function tripsPart(visit: SignedInVisit, within: readonly TenantName[]): Promise<Markup | ''> {
  const standing = await visit.deps.store.trips({ within, standing: true, before: null, limit: MOST });
  if (standing.length === 0) return '';
  const rows = await Promise.all(standing.map((one) => tripRow(visit, one)));
  return html`<section aria-labelledby="trips">
    <h2 id="trips">Breakers that have tripped</h2>
    <ul class="rows">
      ${rows}
    </ul>
  </section>`;
}

async function tripRow(visit: SignedInVisit, trip: KeptTrip): Promise<Markup> {
  const { agent, task, tenant, breaker, signal, counts, to, from, block } = trip;
  return html`<li>
    <div>
      <a href="/agents/${agent}"><strong>${agent}</strong></a> for <strong>${task}</strong> at
      <strong>${tenant}</strong>
      <span class="tag ${to === 'block' ? 'bad' : 'warn'}">${to === 'block' ? 'blocked' : 'asks'}</span>
      <span class="sub">
        ${counts[signal] ?? 0} ${SIGNAL_WORDS[signal]}, by the breaker ${breaker};
        ${momentFrom(from, visit.deps.clock())}
      </span>
    </div>
    ${block === null ? await resetting(visit, trip) : html`<a class="button" href="/blocks/${block}">Its block</a>`}
  </li>`;
}

async function resetting(visit: SignedInVisit, { id, tenant, agent }: KeptTrip): Promise<Markup | ''> {
  const { deps, caller } = visit;
  const at = await deps.store.snapshot(tenant);
  if (at === null || readsAlone(at, caller.person, deps.clock())) return '';
  return html`<details class="say">
    <summary class="button">Reset</summary>
    <form method="post" action="/trips/${id}/reset">
      ${tokenField(visit)}
      <label for="why-${id}">Why ${agent} may go on, for the ledger</label>
      <input id="why-${id}" name="reason" required maxlength="1000" autocomplete="off" />
      <button>Reset it</button>
    </form>
  </details>`;
}

trips.post(
  '/trips/:id/reset',
  fromFormSignedIn(async (c, visit, form) => {
    const id = parseId('trp', c.req.param('id'));
    if (!id.ok) return refusalPage(c, visit, NOTHING_HERE);
    const reason = form.get('reason')?.trim() ?? '';
    const done = await resetTrip(visit.deps, visit.caller, { id: id.value, body: { reason } });
    return done.ok ? c.redirect('/reviews?done=reset', 303) : refusalPage(c, visit, done.error);
  }),
);
