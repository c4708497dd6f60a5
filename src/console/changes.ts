/** What takes two persons: what waits, what it would do, and the second one's word, signed. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { KeptProposal } from '../core/proposal.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { newNonce } from '../core/statement.ts';
import type { ActivateStatement, ConfirmStatement } from '../core/statement.ts';
import { confirmChange, seenChange, withdrawChange } from '../administer/changes.ts';
import type { Word } from '../administer/changes.ts';
import type { Place } from '../administer/author.ts';
import { openTicket } from '../authenticate/ticket.ts';
import type { Scope } from '../http/scope.ts';
import { fact, headOf, short } from './change-words.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { noteOf } from './note.ts';
import { signatureIn, newTicket, signingForm } from './passkey-form.ts';
import { moment, momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { Form, SignedInVisit } from './visit.ts';
import { administeredBy, changesAt, isWaiting, mayConfirm, passkeysOf } from './waiting.ts';

export const changes = new Hono<Scope>();

changes.get(
  '/changes',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const now = deps.clock();
    const places = await administeredBy(deps, caller);
    const all = await changesAt(deps, places);
    const waiting = all.filter((one) => isWaiting(one, now));
    const over = all.filter((one) => !isWaiting(one, now)).slice(0, 20);
    return page(
      c,
      visit,
      { title: 'Changes' },
      html`<h1>Changes that take two</h1>
        ${noteOf(c)}
        ${
          places.length === 0
            ? html`<p>These are for administrators, and you administer nothing here.</p>`
            : html`<section aria-labelledby="waiting">
                  <h2 id="waiting">Waiting</h2>
                  ${waiting.length === 0 ? html`<p>Nothing waits.</p>` : rows(visit, waiting)}
                </section>
                ${
                  over.length === 0
                    ? ''
                    : html`<section aria-labelledby="over">
                        <h2 id="over">Of late</h2>
                        ${rows(visit, over)}
                      </section>`
                }`
        }`,
    );
  }),
);

const rows = (visit: SignedInVisit, proposals: readonly KeptProposal[]): Markup =>
  html`<ul class="rows">
    ${proposals.map((one) => changeRow(visit, one))}
  </ul>`;

/** Also on the start page. */
export function changeRow(visit: SignedInVisit, proposal: KeptProposal): Markup {
  const now = visit.deps.clock();
  return html`<li>
    <div>
      <a href="/changes/${proposal.id}"><strong>${headOf(proposal)}</strong></a>
      ${stateTag(visit, proposal)}
      <span class="sub">
        ${placeOf(proposal)}, proposed by ${proposal.proposer}
        ${momentFrom(proposal.proposedAt, now)}${
          proposal.state === 'open' ? html`, lapses ${momentFrom(proposal.expiresAt, now)}` : ''
        }.
      </span>
    </div>
  </li>`;
}

const placeOf = ({ act }: KeptProposal): string => act.ledger ?? 'Deployment';

function stateTag(visit: SignedInVisit, proposal: KeptProposal): Markup {
  const now = visit.deps.clock();
  if (!isWaiting(proposal, now)) {
    return html`<span class="tag">${proposal.state === 'open' ? 'lapsed' : proposal.state}</span>`;
  }
  if (!mayConfirm(proposal, visit.caller)) return html`<span class="tag">for another person</span>`;
  return html`<span class="tag warn">${proposal.state === 'owed' ? 'owes a look' : 'waits for you'}</span>`;
}

interface Seen {
  readonly proposal: KeptProposal;
  readonly place: Place;
}

async function seen(c: Context<Scope>, { deps, caller }: SignedInVisit): Promise<Result<Seen>> {
  const id = parseId('chg', c.req.param('id'));
  return id.ok ? seenChange(deps, caller, id.value) : err(NOTHING_HERE);
}

changes.get(
  '/changes/:id',
  signedIn(async (c, visit) => {
    const found = await seen(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { proposal } = found.value;
    return page(
      c,
      visit,
      { title: headOf(proposal) },
      html`<p class="sub"><a href="/changes">Changes</a></p>
        <h1>${headOf(proposal)} ${stateTag(visit, proposal)}</h1>
        ${noteOf(c)}
        <div class="halves">
          <section aria-labelledby="what">
            <h2 id="what">What it does</h2>
            <dl class="facts">
              <dt>Where</dt>
              <dd>${placeOf(proposal)}</dd>
              <dt>Why it takes two</dt>
              <dd>${proposal.act.what}</dd>
              ${Object.entries(proposal.act.facts).map(([name, value]) => fact(name, value))}
              ${Object.entries(proposal.act.said).map(([name, value]) => fact(name, value))}
              ${Object.entries(proposal.act.shown ?? {}).map(([name, value]) => fact(name, value))}
            </dl>
          </section>
          <section aria-labelledby="who">
            <h2 id="who">Who, and why</h2>
            <dl class="facts">
              <dt>Proposed by</dt>
              <dd>${proposal.proposer}, as operator ${proposal.operator}</dd>
              <dt>Reason</dt>
              <dd class="quoted">${untrusted(proposal.reason)}</dd>
              <dt>Proposed</dt>
              <dd>${moment(proposal.proposedAt)}</dd>
              <dt>Lapses</dt>
              <dd>${moment(proposal.expiresAt)}</dd>
              ${
                proposal.confirmer === null
                  ? ''
                  : html`<dt>Confirmed by</dt>
                      <dd>${proposal.confirmer}</dd>`
              }
              <dt>Hash</dt>
              <dd>begins ${short(proposal.hash)}: <code class="long">${proposal.hash}</code></dd>
            </dl>
            ${isWaiting(proposal, visit.deps.clock()) ? words(visit, proposal) : ''}
          </section>
        </div>`,
    );
  }),
);

/** Signed, once the person has a passkey. */
function words(visit: SignedInVisit, proposal: KeptProposal): Markup {
  const keys = passkeysOf(visit.deployment, visit.caller);
  const action = `/changes/${proposal.id}/confirm`;
  const button = proposal.state === 'owed' ? 'I have looked at it' : 'Confirm';
  const hash = html`<input type="hidden" name="hash" value="${proposal.hash}" />`;
  const confirm = !mayConfirm(proposal, visit.caller)
    ? html`<p>Another administrator confirms it: you proposed it, or are given something by it.</p>`
    : keys.length > 0
      ? signingForm(visit, keys, {
          ticket: newTicket(visit, statementOf(visit, proposal)),
          action,
          fields: hash,
          button,
        })
      : html`<form method="post" action="${action}">
          ${tokenField(visit)}${hash}<button class="main">${button}</button>
        </form>`;
  return html`<div class="actions">
    ${confirm}
    ${
      proposal.state === 'open'
        ? html`<form method="post" action="/changes/${proposal.id}/withdraw">
            ${tokenField(visit)}<button>Withdraw</button>
          </form>`
        : ''
    }
  </div>`;
}

function statementOf(
  visit: SignedInVisit,
  { id: change, hash, act }: KeptProposal,
): ConfirmStatement | ActivateStatement {
  const common = { change, change_hash: hash, approver: visit.caller.person, nonce: newNonce(visit.deps.random) };
  return act.change.kind === 'policy.activate'
    ? { purpose: 'activate', policy: act.change.version, ...common }
    : { purpose: 'confirm', ...common };
}

changes.post(
  '/changes/:id/confirm',
  fromFormSignedIn(async (c, visit, form) => {
    const found = await seen(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { proposal, place } = found.value;
    const signed = await wordIn(visit, proposal, form);
    if (!signed.ok) return refusalPage(c, visit, signed.error);
    const hash = form.get('hash') ?? '';
    const done = await confirmChange(visit.deps, visit.caller, proposal, { place, hash, signed: signed.value });
    if (!done.ok) return refusalPage(c, visit, done.error);
    return c.redirect(`/changes/${proposal.id}?done=${proposal.state === 'owed' ? 'looked-at' : 'confirmed'}`, 303);
  }),
);

/** `null`: they have no passkey yet, and being signed in is all there is. */
async function wordIn(visit: SignedInVisit, proposal: KeptProposal, form: Form): Promise<Result<Word | null>> {
  const { deps, deployment, caller, bound } = visit;
  if (passkeysOf(deployment, caller).length === 0) return ok(null);
  const ticket = openTicket(deps, form.get('ticket') ?? '', bound);
  if (!ticket.ok) return ticket;
  const { statement } = ticket.value;
  const expected = proposal.act.change.kind === 'policy.activate' ? 'activate' : 'confirm';
  if (statement.purpose !== 'confirm' && statement.purpose !== 'activate') return err(OTHER_FORM);
  const isThis = statement.purpose === expected && statement.change === proposal.id;
  if (!isThis || statement.change_hash !== form.get('hash') || statement.approver !== caller.person) {
    return err(OTHER_FORM);
  }
  const signed = await signatureIn(visit, form, statement);
  return signed.ok ? ok({ ticket: ticket.value, signed: signed.value }) : signed;
}

const OTHER_FORM = failure('form_over', 'this form was made for another change', { hint: 'Open the page again.' });

changes.post(
  '/changes/:id/withdraw',
  fromFormSignedIn(async (c, visit) => {
    const found = await seen(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { proposal, place } = found.value;
    const done = await withdrawChange(visit.deps, visit.caller, proposal, place);
    return done.ok ? c.redirect(`/changes/${proposal.id}?done=withdrawn`, 303) : refusalPage(c, visit, done.error);
  }),
);
