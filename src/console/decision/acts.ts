/** The three words that a person may say, each signed by their passkey, and nothing else that decides. */
import { html } from 'hono/html';
import { REJECTION_REASONS, stateAt } from '../../core/approval.ts';
import type { Failure } from '../../core/failure.ts';
import type { Passkey } from '../../core/passkey.ts';
import type { ShownDecision } from '../../broker/decisions/show.ts';
import { tokenField } from '../form-token.ts';
import type { Markup } from '../layout.ts';
import { signingForm } from '../passkey-form.ts';
import type { SignedInVisit } from '../visit.ts';
import { sealTicket } from '../../authenticate/ticket.ts';
import { named, valueOf } from './words.ts';

export function actsOf(visit: SignedInVisit, shown: ShownDecision, all: readonly Passkey[]): Markup {
  if (stateAt(shown.approval, visit.deps.clock()) === 'approved') {
    return shown.takesBack
      ? takingBack(visit, shown)
      : html`<p class="acts note">Approved, and the agent has not come for it yet.</p>`;
  }
  if (shown.mayNot !== null) return why(shown, shown.mayNot);
  const keys = all.filter(({ deviceBound }) => deviceBound || !shown.deviceBound);
  if (all.length === 0) {
    return html`<p class="acts note warn">
      You have no passkey, and sign nothing without one. <a href="/account/passkeys/new">Enrol a passkey</a>.
    </p>`;
  }
  const action = `/approvals/${shown.approval.tenant}/${shown.approval.id}`;
  return html`<div class="acts">
    ${shown.inVain === null ? yes(visit, shown, { keys, action }) : inVain(shown.inVain)}
    <details class="say">
      <summary class="button danger">Say no</summary>
      ${rejecting(visit, shown, action)}
    </details>
    ${
      keys.length === 0 || shown.inVain !== null
        ? ''
        : html`<details class="say">
            <summary class="button">Approve less</summary>
            ${narrowing(visit, shown, action)}
          </details>`
    }
  </div>`;
}

const inVain = ({ detail }: Failure): Markup =>
  html`<p class="note warn">
    This cannot be approved any more: ${detail}. The agent would get nothing for a yes. Say no, and it can ask anew.
  </p>`;

function yes(
  visit: SignedInVisit,
  { approval, ticket, package: { text } }: ShownDecision,
  { keys, action }: { readonly keys: readonly Passkey[]; readonly action: string },
): Markup {
  if (keys.length === 0) {
    return html`<p class="note warn">
      A yes at this tier takes a passkey that is bound to its device, and yours are synced.
      <a href="/account/passkeys/new">Enrol a security key</a>.
    </p>`;
  }
  if (approval.narrows !== null && approval.acceptedAt === null) {
    return html`<p class="note">The agent has yet to take the narrower answer. You can sign it then.</p>`;
  }
  return signingForm(visit, keys, { ticket, action, fields: packageField(text), button: 'Approve exactly this' });
}

/** Until the agent has come for it. */
const takingBack = (visit: SignedInVisit, { approval }: ShownDecision): Markup =>
  html`<form class="acts" method="post" action="/approvals/${approval.tenant}/${approval.id}/take-back">
    ${tokenField(visit)}
    <p class="note">Approved, and the agent has not come for it yet.</p>
    <button class="danger">Take it back</button>
  </form>`;

function why({ package: { shown } }: ShownDecision, { code, detail, hint }: Failure): Markup {
  const { steps, step } = shown.route;
  const asked = [...new Set(steps.slice(0, step + 1).flatMap(({ asks }) => asks))];
  const theirs = asked.length === 0 ? '' : `It is with ${asked.join(', ')}.`;
  return html`<p class="acts note">You cannot answer: ${detail}. ${code === 'not_asked' ? theirs : (hint ?? '')}</p>`;
}

/** The text goes along, so that what is signed is held against what was shown. */
export const packageField = (text: string): Markup => html`<input type="hidden" name="package" value="${text}" />`;

const carried = (visit: SignedInVisit, shown: ShownDecision): Markup =>
  html`${tokenField(visit)}<input
      type="hidden"
      name="yes"
      value="${sealTicket(visit.deps, shown.ticket)}"
    />${packageField(shown.package.text)}`;

const rejecting = (visit: SignedInVisit, shown: ShownDecision, action: string): Markup =>
  html`<form method="post" action="${action}/no">
    ${carried(visit, shown)}
    <fieldset>
      <legend>Why</legend>
      ${REJECTION_REASONS.map(
        (reason) =>
          html`<label class="choice"
            ><input type="radio" name="reason" value="${reason}" required /> ${named(reason)}</label
          >`,
      )}
    </fieldset>
    <label for="words">In words, which the agent sees</label>
    <textarea id="words" name="words" rows="2" maxlength="500"></textarea>
    <button class="danger">Go on, and sign the no</button>
  </form>`;

function narrowing(visit: SignedInVisit, shown: ShownDecision, action: string): Markup {
  const { binding } = shown.approval;
  const parameters = Object.entries(binding.parameters).filter(
    ([, value]) => typeof value === 'number' || Array.isArray(value),
  );
  return html`<form method="post" action="${action}/less">
    ${carried(visit, shown)}
    <label for="ttl">Seconds, at most ${binding.ttl}</label>
    <input id="ttl" name="ttl" type="number" min="1" max="${binding.ttl}" placeholder="${binding.ttl}" />
    ${
      shown.package.shown.credential.uses === null
        ? ''
        : html`<label for="uses">Uses, at most ${binding.uses}</label>
            <input id="uses" name="uses" type="number" min="1" max="${binding.uses}" placeholder="${binding.uses}" />`
    }
    ${parameters.map(
      ([name, value]) =>
        html`<label for="p-${name}">${named(name)}, no more than ${valueOf(value)}</label>
          <input id="p-${name}" name="p.${name}" />`,
    )}
    <button>Go on, and sign that</button>
  </form>`;
}
