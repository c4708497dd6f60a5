/** What was just done, said on the page that one is led back to. The address names it; the words are ours. */
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Scope } from '../http/scope.ts';
import type { Markup } from './layout.ts';

const DONE = new Map([
  ['session-ended', 'That session is over.'],
  ['passkey-removed', 'The passkey is removed, and what it had signed in is signed out.'],
  ['passkey-withdrawn', 'The passkey is withdrawn. Nobody can confirm it any more.'],
  ['passkey-enrolled', 'The passkey is enrolled. It signs from now on.'],
  ['passkey-waits', 'The passkey is enrolled, and works once another administrator has confirmed it.'],
  ['away', 'Nothing is asked of you until then. What waits for you already goes on to the next in its time.'],
  ['back', 'You are asked again from now on.'],
  ['approved', 'Approved. The agent may come for it now, once.'],
  ['pending', 'Your yes is counted. It takes another person’s, too.'],
  ['taken-back', 'Taken back. The agent gets nothing for it.'],
  ['rejected', 'Said no. The agent sees your reason.'],
  ['less', 'This takes its place. The agent takes it or withdraws; then you sign it.'],
  ['confirmed', 'Confirmed. It is done, and written down under your name.'],
  ['looked-at', 'Written down: you have looked at it.'],
  ['lease-revoked', 'Ended, and dead.'],
  [
    'lease-revoking',
    'Its end is committed, and it is being ended at its provider. This page shows when it is seen dead.',
  ],
  ['block-raised', 'Raised. Nothing inside is issued any more, and what lives there is being ended.'],
  ['block-lifted', 'Lifted, and written down under your name. What it ended stays dead.'],
  ['was-over', 'It had ended already.'],
  ['judged', 'Written down under your name. The last verdict counts.'],
  ['review-opened', 'On the list, until another person has looked at it.'],
  ['reset', 'Reset, and written down under your name. It is counted anew from now on.'],
  ['reviewed', 'Written down under your name. It is off the list.'],
  ['reversed', 'Its credential is ended, and the way back is ordered.'],
  ['withdrawn', 'Withdrawn. Nothing was changed.'],
]);

export function noteOf(c: Context<Scope>): Markup | '' {
  const words = DONE.get(c.req.query('done') ?? '');
  return words === undefined ? '' : html`<p class="note" role="status">${words}</p>`;
}
