/** A person's own: where they are signed in, and the passkeys that sign for them. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ConsoleSession } from '../core/console.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { parseWith } from '../core/parse.ts';
import type { Passkey } from '../core/passkey.ts';
import type { KeptProposal } from '../core/proposal.ts';
import { newNonce } from '../core/statement.ts';
import { signOut } from '../administer/sessions.ts';
import { enrolPasskey, passkeyLabel, removePasskey, withdrawEnrolment } from '../administer/passkeys.ts';
import { isFresh } from '../authenticate/console.ts';
import { openTicket } from '../authenticate/ticket.ts';
import type { Scope } from '../http/scope.ts';
import { absencePart } from './absence.ts';
import { short } from './change-words.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { noteOf } from './note.ts';
import { attestationIn, enrollingForm, newTicket } from './passkey-form.ts';
import { moment, momentFrom } from './shown.ts';
import { fromFormSignedIn, signedIn, toSignIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';
import { waitingPasskeys } from './waiting.ts';

export const account = new Hono<Scope>();

account.get(
  '/account',
  signedIn(async (c, visit) => {
    const { deps, caller, deployment } = visit;
    const sessions = await deps.store.consoleSessionsOf(caller.person);
    const waiting = (await waitingPasskeys(deps)).filter(({ proposer }) => proposer === caller.person);
    const theirs = [...deployment.passkeys.values()].filter(({ person }) => person === caller.person);
    const name = deployment.persons.get(caller.person)?.displayName ?? caller.person;
    return page(
      c,
      visit,
      { title: 'Your account' },
      html`<h1>${name}</h1>
        ${noteOf(c)}
        <p class="sub">
          Person <code>${caller.person}</code>, here as operator <code>${caller.operator}</code>, signed in
          ${caller.by === 'passkey' ? 'with a passkey' : 'at the identity provider'}.
        </p>
        <section aria-labelledby="passkeys">
          <h2 id="passkeys">Passkeys</h2>
          ${
            theirs.length + waiting.length === 0
              ? html`<p>You have none. Without one you can look at the console, and sign nothing.</p>`
              : html`<ul class="rows">
                  ${theirs.map((one) => passkeyRow(visit, one))} ${waiting.map((one) => waitingRow(visit, one))}
                </ul>`
          }
          <p class="actions"><a class="button" href="/account/passkeys/new">Enrol a passkey</a></p>
        </section>
        ${absencePart(visit)}
        <section aria-labelledby="sessions">
          <h2 id="sessions">Where you are signed in</h2>
          <ul class="rows">
            ${sessions.map((one) => sessionRow(visit, one))}
          </ul>
          <form class="actions" method="post" action="/sign-out-everywhere">
            ${tokenField(visit)}<button class="danger">Sign out everywhere</button>
          </form>
        </section>`,
    );
  }),
);

function passkeyRow(
  visit: SignedInVisit,
  { id, label, deviceBound, enrolledAt, confirmedBy, person }: Passkey,
): Markup {
  return html`<li>
    <div>
      <strong>${label}</strong>
      <span class="sub">
        ${deviceBound ? 'Bound to its device' : 'Synced between devices'}. Enrolled ${moment(enrolledAt)},
        ${confirmedBy === person ? 'in set-up' : html`confirmed by ${confirmedBy}`}.
      </span>
    </div>
    <form method="post" action="/account/passkeys/remove">
      ${tokenField(visit)}<input type="hidden" name="passkey" value="${id}" /><button
        class="quiet"
        aria-label="Remove the passkey ${label}"
      >
        Remove
      </button>
    </form>
  </li>`;
}

function waitingRow(visit: SignedInVisit, { id, act, hash, proposedAt, expiresAt }: KeptProposal): Markup {
  const label = act.change.kind === 'passkey.put' ? act.change.passkey.label : '';
  return html`<li>
    <div>
      <strong>${label}</strong> <span class="tag warn">waits for another person</span>
      <span class="sub">
        Enrolled ${moment(proposedAt)}. An administrator confirms it at Changes until ${moment(expiresAt)}. Tell them
        how its hash begins: ${short(hash)}
      </span>
    </div>
    <form method="post" action="/account/passkeys/withdraw">
      ${tokenField(visit)}<input type="hidden" name="change" value="${id}" /><button
        class="quiet"
        aria-label="Withdraw the passkey ${label}"
      >
        Withdraw
      </button>
    </form>
  </li>`;
}

function sessionRow(visit: SignedInVisit, { id, by, operator, signedInAt, idleUntil, until }: ConsoleSession): Markup {
  const now = visit.deps.clock();
  const isThis = id === visit.caller.session;
  return html`<li>
    <div>
      <strong>${by === 'passkey' ? 'With a passkey' : 'At the identity provider'}</strong>
      ${isThis ? html`<span class="tag">this browser</span>` : ''}
      <span class="sub">
        As ${operator}, since ${moment(signedInAt)}. Ends ${momentFrom(idleUntil, now)} unless it is used, and
        ${momentFrom(until, now)} in any case.
      </span>
    </div>
    <form method="post" action="/account/sessions/end">
      ${tokenField(visit)}<input type="hidden" name="session" value="${id}" /><button
        class="quiet"
        aria-label="End the session since ${new Date(signedInAt).toISOString().slice(0, 16)}"
      >
        End
      </button>
    </form>
  </li>`;
}

account.post(
  '/account/sessions/end',
  fromFormSignedIn(async (c, visit, form) => {
    const session = form.get('session') ?? '';
    if (session === '') return refusalPage(c, visit, NOTHING_HERE);
    const done = await signOut(visit.deps, visit.caller, session);
    return done.ok ? back(c, 'session-ended') : refusalPage(c, visit, done.error);
  }),
);

account.post(
  '/account/passkeys/remove',
  fromFormSignedIn(async (c, visit, form) => {
    const done = await removePasskey(visit.deps, visit.caller, form.get('passkey') ?? '');
    return done.ok ? back(c, 'passkey-removed') : refusalPage(c, visit, done.error);
  }),
);

account.post(
  '/account/passkeys/withdraw',
  fromFormSignedIn(async (c, visit, form) => {
    const id = parseId('chg', form.get('change'));
    const proposal = id.ok ? await visit.deps.store.proposal(id.value) : null;
    if (proposal === null) return refusalPage(c, visit, NOTHING_HERE);
    const done = await withdrawEnrolment(visit.deps, visit.caller, proposal);
    return done.ok ? back(c, 'passkey-withdrawn') : refusalPage(c, visit, done.error);
  }),
);

const back = (c: Context<Scope>, done: string): Response => c.redirect(`/account?done=${done}`, 303);

account.get(
  '/account/passkeys/new',
  signedIn((c, visit) => {
    const { deps, caller, deployment } = visit;
    if (!isFresh(caller, deps.clock())) return toSignIn(c, visit, true);
    const { person } = caller;
    const displayName = deployment.persons.get(person)?.displayName ?? person;
    const ticket = newTicket(visit, { purpose: 'enrol', person, nonce: newNonce(deps.random) });
    return page(
      c,
      visit,
      { title: 'Enrol a passkey' },
      html`<article class="slip">
        <h1>Enrol a passkey</h1>
        <p>
          It will sign what you decide, as you and nobody else. It works once an administrator who is another person has
          confirmed it: tell them, by a way on which they know your voice.
        </p>
        ${enrollingForm(visit, {
          ticket,
          person,
          displayName,
          action: '/account/passkeys',
          fields: labelField(),
          button: 'Enrol',
        })}
      </article>`,
    );
  }),
);

/** Also on the page of an invitation. */
export const labelField = (): Markup =>
  html`<label for="label">What you call it</label>
    <input id="label" name="label" required maxlength="60" autocomplete="off" aria-describedby="label-hint" />
    <p id="label-hint" class="small">Such as “work laptop”. You tell yours apart by it.</p>`;

account.post(
  '/account/passkeys',
  fromFormSignedIn(async (c, visit, form) => {
    const { deps, caller, bound } = visit;
    if (!isFresh(caller, deps.clock())) {
      return c.redirect('/sign-in?return_to=%2Faccount%2Fpasskeys%2Fnew&fresh=yes', 303);
    }
    const ticket = openTicket(deps, form.get('ticket') ?? '', bound);
    if (!ticket.ok) return refusalPage(c, visit, ticket.error);
    const attestation = attestationIn(form);
    if (!attestation.ok) return refusalPage(c, visit, attestation.error);
    const label = parseWith(passkeyLabel, form.get('label'));
    if (!label.ok) return refusalPage(c, visit, label.error);
    const given = { ticket: ticket.value, attestation: attestation.value, label: label.value };
    const enrolled = await enrolPasskey(deps, caller, given);
    if (!enrolled.ok) return refusalPage(c, visit, enrolled.error);
    return back(c, 'passkey' in enrolled.value ? 'passkey-enrolled' : 'passkey-waits');
  }),
);
