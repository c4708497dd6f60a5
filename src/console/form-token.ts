/** What shows that a form was drawn for this very session. */
import { html } from 'hono/html';
import { base64url } from 'jose';
import { hmacSha256, utf8 } from '../core/digest.ts';
import type { Visit } from './visit.ts';

export const FORM_TOKEN = 'form_token';

export const formTokenOf = ({ deps, bound }: Pick<Visit, 'deps' | 'bound'>): string =>
  base64url.encode(hmacSha256(deps.keyring.derive('console form'), utf8(bound)));

/** Stands in every form that is posted. */
export const tokenField = (visit: Pick<Visit, 'deps' | 'bound'>) =>
  html`<input type="hidden" name="${FORM_TOKEN}" value="${formTokenOf(visit)}" />`;
