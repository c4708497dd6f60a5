/** What oversight says of a credential: a verdict on what was done with it, and a look that another person owes it. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { VERDICTS } from '../../core/oversight.ts';
import type { Verdict } from '../../core/oversight.ts';
import { READS_ONLY } from '../../authenticate/act.ts';
import { readsAlone } from '../../authenticate/principal.ts';
import { conflictWithLease } from '../../oversee/conflict.ts';
import { openReview } from '../../oversee/reviews.ts';
import { giveVerdict } from '../../oversee/verdicts.ts';
import type { Scope } from '../../http/scope.ts';
import { named } from '../decision/words.ts';
import { claimIn, onceField, tokenField } from '../form-token.ts';
import { refusalPage, sentence } from '../layout.ts';
import type { Markup } from '../layout.ts';
import { untrusted } from '../untrusted.ts';
import { fromFormSignedIn } from '../visit.ts';
import type { SignedInVisit } from '../visit.ts';
import { leaseHere } from './here.ts';
import type { LeaseHere } from './here.ts';

/** Whoever had a part in it judges nothing, and can have another look at it all the same. */
export async function afterwards(visit: SignedInVisit, { at, lease }: LeaseHere): Promise<Markup> {
  const { deps, caller } = visit;
  const now = deps.clock();
  if (readsAlone(at, caller.person, now)) return html`<p class="small">${sentence(READS_ONLY.detail)}</p>`;
  const [conflict, order] = await Promise.all([
    conflictWithLease(deps, lease, { person: caller.person, now }),
    deps.store.orderFor(lease.tenant, lease.id),
  ]);
  const path = `/leases/${lease.tenant}/${lease.id}`;
  const isOver = lease.state === 'revoking' || lease.state === 'revoked';
  const isReversible = lease.tier === 2 && lease.state !== 'failed' && conflict === null;
  return html`${
    order !== null
      ? html`<a class="button" href="${path}/reverse">It is taken back</a>`
      : isReversible
        ? html`<a class="button danger" href="${path}/reverse">Take it back</a>`
        : ''
  }
  ${isOver && conflict === null ? judging(visit, path) : ''} ${asking(visit, path)}
  ${conflict === null ? '' : html`<p class="small">You judge nothing of this: ${conflict.detail}.</p>`}`;
}

const judging = (visit: SignedInVisit, path: string): Markup =>
  html`<details class="say">
    <summary class="button">Judge it</summary>
    <form method="post" action="${path}/verdict">
      ${tokenField(visit)} ${onceField(visit)}
      <fieldset>
        <legend>What was done with it was</legend>
        ${VERDICTS.map(
          (one) =>
            html`<label class="choice"
              ><input type="radio" name="verdict" value="${one}" required /> ${named(one)}</label
            >`,
        )}
      </fieldset>
      <label for="reference">Where more of it stands</label>
      <input
        id="reference"
        name="reference"
        required
        maxlength="500"
        autocomplete="off"
        aria-describedby="reference-hint"
      />
      <p id="reference-hint" class="small">
        A ticket or an incident. The agent does not see it; the last verdict counts.
      </p>
      <button>Write it down</button>
    </form>
  </details>`;

const asking = (visit: SignedInVisit, path: string): Markup =>
  html`<details class="say">
    <summary class="button">Have it looked at</summary>
    <form method="post" action="${path}/review">
      ${tokenField(visit)} ${onceField(visit)}
      <label for="because">Why another person should look</label>
      <input id="because" name="reason" required maxlength="1000" autocomplete="off" />
      <button>Put it on the list</button>
    </form>
  </details>`;

/** Among the facts. The last one counts. */
export function judged(verdicts: readonly Verdict[]): Markup | '' {
  const last = verdicts.at(-1);
  if (last === undefined) return '';
  const before = verdicts.length - 1;
  return html`<dt>Judged</dt>
    <dd>
      <strong>${named(last.verdict)}</strong> by ${last.by}: ${untrusted(last.reference)}
      ${before === 0 ? '' : html`<span class="small">(${before} before it)</span>`}
    </dd>`;
}

export const judgments = new Hono<Scope>();

judgments.post(
  '/leases/:tenant/:id/verdict',
  fromFormSignedIn(async (c, visit, form) => {
    const here = await leaseHere(c, visit);
    if (!here.ok) return refusalPage(c, visit, here.error);
    const body = { verdict: form.get('verdict') ?? '', reference: form.get('reference')?.trim() ?? '' };
    const done = await giveVerdict(visit.deps, visit.caller, here.value, {
      body,
      claim: claimIn(visit, `${pathOf(here.value)}/verdict`, form),
    });
    return done.ok ? c.redirect(`${pathOf(here.value)}?done=judged`, 303) : refusalPage(c, visit, done.error);
  }),
);

judgments.post(
  '/leases/:tenant/:id/review',
  fromFormSignedIn(async (c, visit, form) => {
    const here = await leaseHere(c, visit);
    if (!here.ok) return refusalPage(c, visit, here.error);
    const { tenant, id } = here.value.lease;
    const body = { tenant, lease: id, reason: form.get('reason')?.trim() ?? '' };
    const done = await openReview(visit.deps, visit.caller, {
      body,
      claim: claimIn(visit, `${pathOf(here.value)}/review`, form),
    });
    return done.ok ? c.redirect(`${pathOf(here.value)}?done=review-opened`, 303) : refusalPage(c, visit, done.error);
  }),
);

const pathOf = ({ lease }: LeaseHere): string => `/leases/${lease.tenant}/${lease.id}`;
