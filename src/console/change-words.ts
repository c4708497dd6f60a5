/**
 * A change that takes two, in words made of what it does and never of what its proposer wrote; what they wrote of it is
 * shown as an agent's words are, since the second person is there for the case that the first is not to be trusted.
 */
import { html } from 'hono/html';
import type { Json } from '../core/canonical.ts';
import type { RegisterChange } from '../core/change/register.ts';
import type { KeptProposal } from '../core/proposal.ts';
import type { Assignment } from '../core/registers.ts';
import type { Markup } from './layout.ts';
import { untrusted } from './untrusted.ts';

/** What would be so once it is confirmed. */
export function headOf({ act }: KeptProposal): string {
  return doneBy(act.change) ?? act.what.charAt(0).toUpperCase() + act.what.slice(1);
}

/** For the kinds that take two; any other is told by why it does. */
function doneBy(change: RegisterChange): string | null {
  if (change.kind === 'passkey.put') return `A passkey for ${change.passkey.person}`;
  if (change.kind === 'person.put') return `${change.person.name}, as a person`;
  if (change.kind === 'operator.put') {
    return `A way in for ${change.operator.person ?? 'nobody'}: operator ${change.operator.name}`;
  }
  if (change.kind === 'assignment.put') return given(change.assignment);
  if (change.kind === 'acceptance.put') return `${change.acceptance.agent} at ${change.acceptance.tenant}, accepted`;
  if (change.kind === 'policy.activate') return `Policy ${change.version.slice(0, SHORT)}`;
  return null;
}

const given = ({ role, holder, tenant }: Assignment): string =>
  `${role} for ${holder.name}, ${tenant === null ? 'at the deployment' : `at ${tenant}`}`;

/** As much of a digest as two people compare over a telephone. */
const SHORT = 8;
export const short = (hash: string): Markup =>
  html`<code>${hash.slice(0, SHORT / 2)} ${hash.slice(SHORT / 2, SHORT)}</code>`;

const NAMED = new Map([
  ['passkey', 'Credential'],
  ['aaguid', 'Authenticator model'],
  ['device_bound', 'Bound to its device'],
]);

export const fact = (name: string, value: Json | undefined): Markup =>
  html`<dt>${NAMED.get(name) ?? spaced(name)}</dt>
    <dd>${valueOf(value)}</dd>`;

/** `public_key` is read as `Public key`. */
function spaced(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** An id, a key or a digest, and no name or word. */
const LONG = /^\S{24,}$/;

function valueOf(value: Json | undefined): Markup | string {
  if (typeof value === 'string')
    return LONG.test(value) ? html`<code class="long">${untrusted(value)}</code>` : untrusted(value);
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number') return String(value);
  return html`<pre>${untrusted(JSON.stringify(value, null, 2))}</pre>`;
}
