/**
 * The console's cookies. `__Host-` keeps them to this very host, over TLS (browsers count localhost in), for every path;
 * no script reads them. `Lax`: a link in a message leads a signed-in person to its page, and a form from elsewhere bears
 * none of them.
 *
 * @see RFC 6265bis section 4.1.3.2
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { Secret } from '../core/secret.ts';
import type { Seconds } from '../core/time.ts';
import type { Scope } from '../http/scope.ts';

/** `brevet`: the session. `visitor`: what forms are bound to before there is one. `issuer`: a sign-in under way. */
const NAMES = { session: 'brevet', visitor: 'brevet-visitor', issuer: 'brevet-issuer', theme: 'brevet-theme' } as const;
type Name = keyof typeof NAMES;

const ATTRIBUTES = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;

/** @param lasts `null`: as long as the browser is open. */
export function give(c: Context<Scope>, name: Name, value: string, lasts: Seconds | null = null): void {
  setCookie(c, NAMES[name], value, { ...ATTRIBUTES, ...(lasts === null ? {} : { maxAge: lasts }) });
}

export const take = (c: Context<Scope>, name: Name): string | undefined => getCookie(c, NAMES[name], 'host');

export function drop(c: Context<Scope>, name: Name): void {
  deleteCookie(c, NAMES[name], ATTRIBUTES);
}

const SECRET = /^[0-9a-f]{64}$/;

/** A secret of ours; whatever has another form was not given by us. */
export function takeSecret(c: Context<Scope>, name: 'session' | 'visitor'): Secret | null {
  const value = take(c, name);
  return value !== undefined && SECRET.test(value) ? new Secret(value) : null;
}
