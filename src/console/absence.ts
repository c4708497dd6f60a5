/** When the one who is signed in is away, and so asked nothing: said and taken back on their own page. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { toRfc3339 } from '../core/time.ts';
import { endAbsence, putAbsence } from '../administer/absences.ts';
import type { Author } from '../administer/author.ts';
import type { Scope } from '../http/scope.ts';
import { tokenField } from './form-token.ts';
import { refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { moment } from './shown.ts';
import { fromFormSignedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const absence = new Hono<Scope>();

export function absencePart(visit: SignedInVisit): Markup {
  const { deps, deployment, caller } = visit;
  const now = deps.clock();
  const found = deployment.absences.get(caller.person);
  return html`<section aria-labelledby="away">
    <h2 id="away">When you are away</h2>
    ${
      found === undefined || found.until <= now
        ? html`<form class="choose" method="post" action="/account/away">
            ${tokenField(visit)}
            <label
              >Nothing is asked of you until, in UTC
              <input name="until" type="datetime-local" min="${toRfc3339(now).slice(0, 16)}" required
            /></label>
            <button>I am away</button>
          </form>`
        : html`<form class="actions" method="post" action="/account/back">
            ${tokenField(visit)}
            <p>Nothing is asked of you from ${moment(found.from)} to ${moment(found.until)}, as ${found.by} said.</p>
            <button>I am back</button>
          </form>`
    }
  </section>`;
}

const authorOf = ({ caller }: SignedInVisit): Author => ({ ...caller, reason: null, isAsSeen: null });

absence.post(
  '/account/away',
  fromFormSignedIn(async (c, visit, form) => {
    const { deps, deployment, caller } = visit;
    // What a browser gives of a local time: to the minute, and here it is in UTC.
    const until = `${form.get('until') ?? ''}:00Z`;
    const done = await putAbsence(deps, authorOf(visit), { deployment, person: caller.person }, { until });
    return done.ok ? c.redirect('/account?done=away', 303) : refusalPage(c, visit, done.error);
  }),
);

absence.post(
  '/account/back',
  fromFormSignedIn(async (c, visit) => {
    const { deps, deployment, caller } = visit;
    const done = await endAbsence(deps, authorOf(visit), { deployment, person: caller.person });
    return done.ok ? c.redirect('/account?done=back', 303) : refusalPage(c, visit, done.error);
  }),
);
