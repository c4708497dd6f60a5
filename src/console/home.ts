/** The start: what waits for the one who is signed in. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Scope } from '../http/scope.ts';
import { changeRow } from './changes.ts';
import { page } from './layout.ts';
import type { Markup } from './layout.ts';
import { signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';
import { administeredBy, changesAt, isWaiting, mayConfirm, passkeysOf, waitingPasskeys } from './waiting.ts';

export const home = new Hono<Scope>();

home.get(
  '/',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const now = deps.clock();
    const all = await changesAt(deps, await administeredBy(deps, caller));
    const theirs = all.filter((one) => isWaiting(one, now) && mayConfirm(one, caller));
    const nudge = await passkeyNudge(visit);
    return page(
      c,
      visit,
      { title: 'What waits for you' },
      html`<h1>What waits for you</h1>
        ${visit.deployment.inSetup ? setup() : ''} ${nudge}
        ${
          theirs.length === 0
            ? html`<p class="calm">Nothing waits for your word.</p>`
            : html`<section aria-labelledby="changes">
                <h2 id="changes">Changes that take two</h2>
                <ul class="rows">
                  ${theirs.map((one) => changeRow(visit, one))}
                </ul>
              </section>`
        }`,
    );
  }),
);

const setup = (): Markup =>
  html`<p class="note warn">
    Set-up lasts: what takes two persons is done by one. It ends, for good, when two administrators have signed in.
  </p>`;

/** Who has no passkey can sign nothing. */
async function passkeyNudge({ deps, deployment, caller }: SignedInVisit): Promise<Markup | ''> {
  if (passkeysOf(deployment, caller).length > 0) return '';
  const waits = (await waitingPasskeys(deps)).some(({ proposer }) => proposer === caller.person);
  return waits
    ? html`<p class="note">Your passkey waits for another administrator to confirm it.</p>`
    : html`<p class="note">
        You have no passkey, and can sign nothing without one. <a href="/account/passkeys/new">Enrol a passkey</a>.
      </p>`;
}
