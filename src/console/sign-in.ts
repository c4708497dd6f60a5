/** Signing in, at the operators' issuer or with a passkey, and out again. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { failure } from '../core/failure.ts';
import type { Secret } from '../core/secret.ts';
import { newNonce } from '../core/statement.ts';
import { seconds } from '../core/time.ts';
import { signInByPasskey, signInFromIssuer, signOut } from '../administer/sessions.ts';
import type { AuthFailure } from '../authenticate/auth-failure.ts';
import { beginSignIn, CALLBACK, finishSignIn, openPending, PENDING_LASTS } from '../authenticate/oidc.ts';
import { openTicket } from '../authenticate/ticket.ts';
import type { Scope } from '../http/scope.ts';
import { drop, give, take } from './cookies.ts';
import { page, refusalPage } from './layout.ts';
import { parseLocalPath } from './local-path.ts';
import { assertionIn, newTicket, signingForm } from './passkey-form.ts';
import { anyone, fromForm, fromFormSignedIn } from './visit.ts';
import type { Visit } from './visit.ts';

export const signingIn = new Hono<Scope>();

signingIn.get(
  '/sign-in',
  anyone((c, visit) => {
    const to = parseLocalPath(c.req.query('return_to') ?? '/');
    if (!to.ok) return refusalPage(c, visit, to.error);
    const fresh = c.req.query('fresh') === 'yes';
    if (visit.caller !== null && !fresh) return c.redirect(to.value, 303);
    return page(c, visit, { title: 'Sign in' }, signInSlip(c, visit, to.value, fresh));
  }),
);

function signInSlip(c: Context<Scope>, visit: Visit, to: string, fresh: boolean) {
  const { deps } = visit;
  const statement = { purpose: 'sign_in', origin: deps.publicUrl, nonce: newNonce(deps.random) } as const;
  const query = new URLSearchParams({ return_to: to, ...(fresh ? { fresh: 'yes' } : {}) });
  return html`<article class="slip">
    <h1>${fresh ? 'Sign in again' : 'Sign in'}</h1>
    ${
      c.req.query('enrolled') === undefined
        ? ''
        : html`<p class="note" role="status">Your passkey is enrolled. Sign in with it.</p>`
    }
    ${fresh ? html`<p>What comes next takes a sign-in of the last five minutes.</p>` : ''}
    ${
      deps.operators === null
        ? ''
        : html`<p>
              <a class="button main" href="/sign-in/issuer?${query}"
                >Continue at ${new URL(deps.operators.issuer).host}</a
              >
            </p>
            <p class="or"><span>or</span></p>`
    }
    ${signingForm(visit, [], {
      ticket: newTicket(visit, statement),
      action: '/sign-in/passkey',
      fields: html`<input type="hidden" name="return_to" value="${to}" />`,
      button: 'Use a passkey',
      as: deps.operators === null ? 'main' : 'plain',
    })}
    ${
      deps.operators === null && visit.deployment.passkeys.size === 0
        ? html`<p class="note">
            Nobody can sign in yet. <code>brevet operator invite --as NAME</code>, on the machine that holds the
            deployment key, prints a link that enrols the first administrator’s passkey.
          </p>`
        : html`<p class="small">A passkey signs in once it is confirmed by an administrator.</p>`
    }
  </article>`;
}

signingIn.get(
  '/sign-in/issuer',
  anyone(async (c, visit) => {
    const to = parseLocalPath(c.req.query('return_to') ?? '/');
    if (!to.ok) return refusalPage(c, visit, to.error);
    const begun = await beginSignIn(visit.deps, { returnTo: to.value, proves: c.req.query('fresh') === 'yes' });
    if (!begun.ok) return refused(c, visit, begun.error);
    give(c, 'issuer', begun.value.pending, PENDING_LASTS);
    return c.redirect(begun.value.url, 303);
  }),
);

signingIn.get(
  CALLBACK,
  anyone(async (c, visit) => {
    const { deps, deployment } = visit;
    const pending = await openPending(deps, take(c, 'issuer'));
    drop(c, 'issuer');
    if (!pending.ok) return refused(c, visit, pending.error);
    const found = await finishSignIn(deps, pending.value, new URL(c.req.url).search);
    if (!found.ok) return refused(c, visit, found.error);
    const coming = { deployment, replaces: visit.caller?.session ?? null, pending: pending.value };
    const cookie = await signInFromIssuer(deps, found.value, coming);
    return cookie.ok ? enter(c, cookie.value, pending.value.returnTo) : refused(c, visit, cookie.error);
  }),
);

signingIn.post(
  '/sign-in/passkey',
  fromForm(async (c, visit, form) => {
    const to = parseLocalPath(form.get('return_to') ?? '/');
    if (!to.ok) return refusalPage(c, visit, to.error);
    const ticket = openTicket(visit.deps, form.get('ticket') ?? '', visit.bound);
    if (!ticket.ok) return refusalPage(c, visit, ticket.error);
    const assertion = assertionIn(form);
    if (!assertion.ok) return refusalPage(c, visit, assertion.error);
    const given = { ticket: ticket.value, assertion: assertion.value };
    const coming = { deployment: visit.deployment, replaces: visit.caller?.session ?? null };
    const cookie = await signInByPasskey(visit.deps, given, coming);
    return cookie.ok ? enter(c, cookie.value, to.value) : refused(c, visit, cookie.error);
  }),
);

/** A new secret each time: whatever cookie the browser came with leads nowhere from here on. */
function enter(c: Context<Scope>, cookie: Secret, to: string): Response {
  give(c, 'session', cookie.reveal());
  drop(c, 'visitor');
  return c.redirect(to, 303);
}

function refused(c: Context<Scope>, visit: Visit, { failure: told, why }: AuthFailure): Response | Promise<Response> {
  visit.deps.log.info('console.sign_in_refused', { request: c.var.requestId, code: told.code, why });
  return refusalPage(c, visit, told);
}

signingIn.post(
  '/sign-out',
  fromFormSignedIn(async (c, visit) => {
    const done = await signOut(visit.deps, visit.caller, visit.caller.session);
    return done.ok ? leave(c) : refusalPage(c, visit, done.error);
  }),
);

signingIn.post(
  '/sign-out-everywhere',
  fromFormSignedIn(async (c, visit) => {
    const done = await signOut(visit.deps, visit.caller, null);
    return done.ok ? leave(c) : refusalPage(c, visit, done.error);
  }),
);

function leave(c: Context<Scope>): Response {
  drop(c, 'session');
  return c.redirect('/sign-in', 303);
}

/** A year; browsers keep nothing for much longer. */
const THEME_LASTS = seconds(365 * 24 * 3600);
const NO_THEME = failure('invalid_field', 'theme is one of system, light and dark', { path: 'theme' });

signingIn.post(
  '/theme',
  fromForm((c, visit, form) => {
    const to = parseLocalPath(form.get('return_to') ?? '/');
    if (!to.ok) return refusalPage(c, visit, to.error);
    const theme = form.get('theme');
    if (theme === 'system') drop(c, 'theme');
    else if (theme === 'light' || theme === 'dark') give(c, 'theme', theme, THEME_LASTS);
    else return refusalPage(c, visit, NO_THEME);
    return c.redirect(to.value, 303);
  }),
);
