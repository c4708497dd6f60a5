/**
 * Who opens a page, and whether a form came from one of ours: every route of the console begins here.
 */
import type { Context } from 'hono';
import { equalInConstantTime, utf8 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import { callerOf, idleFrom, newCookie, sessionIdOf } from '../authenticate/console.ts';
import type { ConsoleCaller } from '../authenticate/console.ts';
import { readForm } from '../http/body.ts';
import { currentDeployment } from '../http/caller.ts';
import type { Scope } from '../http/scope.ts';
import { give, take, takeSecret } from './cookies.ts';
import { FORM_TOKEN, formTokenOf } from './form-token.ts';
import { secure } from './headers.ts';
import { refusalPage } from './layout.ts';
import { here } from './local-path.ts';

export type Theme = 'light' | 'dark' | 'system';

export interface Visit {
  readonly deps: Deps;
  readonly deployment: DeploymentSnapshot;
  readonly caller: ConsoleCaller | null;
  /** The id of the session, or of what this browser has before it has one: forms are bound to it. */
  readonly bound: string;
  readonly theme: Theme;
  /** Of the page that is asked for, with its query. */
  readonly path: string;
}

export interface SignedInVisit extends Visit {
  readonly caller: ConsoleCaller;
}

export type Form = ReadonlyMap<string, string>;
type Handler = (c: Context<Scope>) => Promise<Response>;
type Show<Of extends Visit> = (c: Context<Scope>, visit: Of) => Promise<Response> | Response;
type Act<Of extends Visit> = (c: Context<Scope>, visit: Of, form: Form) => Promise<Response> | Response;

/** A page that anyone may open. */
export const anyone =
  (show: Show<Visit>): Handler =>
  async (c) => {
    secure(c);
    return show(c, await visitOf(c));
  };

/** A page of one who is signed in; anyone else is led to signing in, and back. */
export const signedIn = (show: Show<SignedInVisit>): Handler =>
  anyone((c, visit) => (isSignedIn(visit) ? show(c, visit) : toSignIn(c, visit)));

/** What a form of ours asks for. */
export const fromForm = (act: Act<Visit>, limit?: number): Handler =>
  anyone(async (c, visit) => {
    const form = await readForm(c, limit);
    if (!form.ok) return refusalPage(c, visit, form.error);
    const foreign = whyForeign(c, visit, form.value);
    if (foreign === null) return act(c, visit, withLines(form.value));
    visit.deps.log.info('console.form_refused', { request: c.var.requestId, why: foreign });
    return refusalPage(c, visit, NOT_OURS);
  });

/** A form ends its lines with two characters, of which one is a control. @see HTML section 4.10.21.8 */
const withLines = (form: Form): Form =>
  new Map([...form].map(([name, value]) => [name, value.replaceAll('\r\n', '\n')]));

/** The same, of one who is signed in. */
export const fromFormSignedIn = (act: Act<SignedInVisit>, limit?: number): Handler =>
  fromForm((c, visit, form) => (isSignedIn(visit) ? act(c, visit, form) : refusalPage(c, visit, SIGNED_OUT)), limit);

const isSignedIn = (visit: Visit): visit is SignedInVisit => visit.caller !== null;

export const toSignIn = (c: Context<Scope>, { path }: Visit, fresh = false): Response =>
  c.redirect(
    `/sign-in?${new URLSearchParams({ return_to: path, ...(fresh ? { fresh: 'yes' } : {}) }).toString()}`,
    303,
  );

const NOT_OURS: Failure = failure('form_over', 'this form did not come from a page of this session', {
  hint: 'Open the page again.',
});
const SIGNED_OUT: Failure = failure('not_signed_in', 'nothing was done, since your session is over', {
  hint: 'Sign in, and do it again.',
});

async function visitOf(c: Context<Scope>): Promise<Visit> {
  const { deps } = c.var;
  const deployment = await currentDeployment(deps);
  const common = { deps, deployment, theme: themeOf(c), path: here(c.req.url) };
  const cookie = takeSecret(c, 'session');
  const session = cookie === null ? null : await deps.store.consoleSession(sessionIdOf(cookie));
  const caller = session === null ? null : callerOf(session, deployment);
  if (session === null || caller === null) return { ...common, caller: null, bound: visitorOf(c) };
  const idleUntil = drawsItself(c) ? null : idleFrom(session, deps.clock());
  if (idleUntil !== null) await deps.store.usedConsole(session.id, idleUntil);
  return { ...common, caller, bound: session.id };
}

/** A page that keeps itself as things are is no sign that anybody sits before it. */
const drawsItself = (c: Context<Scope>): boolean =>
  c.req.header('brevet-draws') !== undefined || c.req.path.startsWith('/live/');

/** A browser that is not signed in has a secret, too, so that a form of one is no form of another. */
function visitorOf(c: Context<Scope>): string {
  const known = takeSecret(c, 'visitor');
  if (known !== null) return sessionIdOf(known);
  const fresh = newCookie(c.var.deps.random);
  give(c, 'visitor', fresh.reveal());
  return sessionIdOf(fresh);
}

function themeOf(c: Context<Scope>): Theme {
  const chosen = take(c, 'theme');
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

/** @see OWASP, Cross-Site Request Forgery Prevention: a token, and what the browser says of where it comes from */
function whyForeign(c: Context<Scope>, visit: Visit, form: Form): string | null {
  const [origin, site] = [c.req.header('origin'), c.req.header('sec-fetch-site')];
  if (origin === undefined && site === undefined) return 'no word of where it comes from';
  if (origin !== undefined && origin !== visit.deps.publicUrl) return 'another origin';
  if (site !== undefined && site !== 'same-origin') return 'another site';
  const token = form.get(FORM_TOKEN) ?? '';
  return equalInConstantTime(utf8(token), utf8(formTokenOf(visit))) ? null : 'no token of this session';
}
