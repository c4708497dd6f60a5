/** What shows that a form was drawn for this very session; and that it was sent before. */
import { html } from 'hono/html';
import { base64url } from 'jose';
import { hmacSha256, utf8 } from '../core/digest.ts';
import { newNonce } from '../core/statement.ts';
import type { Claim } from '../core/change/once.ts';
import { bodyDigest } from '../http/caller.ts';
import type { Form, Visit } from './visit.ts';

export const FORM_TOKEN = 'form_token';

export const formTokenOf = ({ deps, bound }: Pick<Visit, 'deps' | 'bound'>): string =>
  base64url.encode(hmacSha256(deps.keyring.derive('console form'), utf8(bound)));

/** Stands in every form that is posted. */
export const tokenField = (visit: Pick<Visit, 'deps' | 'bound'>) =>
  html`<input type="hidden" name="${FORM_TOKEN}" value="${formTokenOf(visit)}" />`;

const ONCE = 'once';

/** Stands in a form that makes something: sent again, as by a second tap, it makes no second one. */
export const onceField = ({ deps }: Pick<Visit, 'deps'>) =>
  html`<input type="hidden" name="${ONCE}" value="${newNonce(deps.random)}" />`;

/**
 * With what it says in the key, so that what was changed before it is sent again is done, and not refused.
 *
 * @param route of the form, with its names.
 * @returns `null` of a form that has no such field: it is done as often as it is sent.
 */
export function claimIn({ deps }: Pick<Visit, 'deps'>, route: string, form: Form): Claim | null {
  const once = form.get(ONCE) ?? '';
  if (!/^[\w-]{1,100}$/.test(once)) return null;
  const digest = bodyDigest(deps, Object.fromEntries(form));
  return { route, key: `${once}.${digest}`, digest };
}
