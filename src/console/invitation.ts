/**
 * The first passkey of all, by a link that `brevet operator invite` printed. The code stands behind `#` in the address,
 * which no server is sent and no log keeps; the page's script puts it into a form.
 */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { parseWith } from '../core/parse.ts';
import { acceptInvitation, invitationOf, openInvitation, passkeyLabel } from '../administer/passkeys.ts';
import { openTicket } from '../authenticate/ticket.ts';
import type { Scope } from '../http/scope.ts';
import { labelField } from './account.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import { attestationIn, enrollingForm } from './passkey-form.ts';
import { anyone, fromForm } from './visit.ts';

export const invitation = new Hono<Scope>();

invitation.get(
  '/invitation',
  anyone((c, visit) =>
    page(
      c,
      visit,
      { title: 'Invitation' },
      html`<article class="slip">
        <h1>The first administrator</h1>
        <p>
          This link came from <code>brevet operator invite</code>, and enrols the first passkey of this deployment. It
          works once, for half an hour.
        </p>
        <form method="post" action="/invitation" data-code-in-hash hidden>
          ${tokenField(visit)}<input type="hidden" name="code" /><button class="main">Go on</button>
        </form>
        <noscript><p class="told">Passkeys need scripts: turn them on for this page.</p></noscript>
      </article>`,
    ),
  ),
);

invitation.post(
  '/invitation',
  fromForm(async (c, visit, form) => {
    const { deps, deployment, bound } = visit;
    const ticket = await openInvitation(deps, form.get('code') ?? '', bound);
    if (!ticket.ok) return refusalPage(c, visit, ticket.error);
    const { statement } = ticket.value;
    if (statement.purpose !== 'enrol') throw new Error('an invitation that enrols nobody');
    const { person } = statement;
    return page(
      c,
      visit,
      { title: 'Your passkey' },
      html`<article class="slip">
        <h1>Your passkey</h1>
        <p>You are the person <code>${person}</code>. This passkey signs you in, and signs what you decide.</p>
        ${enrollingForm(visit, {
          ticket: ticket.value,
          person,
          displayName: deployment.persons.get(person)?.displayName ?? person,
          action: '/invitation/passkey',
          fields: labelField(),
          button: 'Enrol',
        })}
      </article>`,
    );
  }),
);

invitation.post(
  '/invitation/passkey',
  fromForm(async (c, visit, form) => {
    const ticket = openTicket(visit.deps, form.get('ticket') ?? '', invitationOf(visit.bound));
    if (!ticket.ok) return refusalPage(c, visit, ticket.error);
    const attestation = attestationIn(form);
    if (!attestation.ok) return refusalPage(c, visit, attestation.error);
    const label = parseWith(passkeyLabel, form.get('label'));
    if (!label.ok) return refusalPage(c, visit, label.error);
    const given = { ticket: ticket.value, attestation: attestation.value, label: label.value };
    const done = await acceptInvitation(visit.deps, given);
    return done.ok ? c.redirect('/sign-in?enrolled=yes', 303) : refusalPage(c, visit, done.error);
  }),
);
