/** The start: what waits for the one who is signed in. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { KeptReview } from '../core/oversight.ts';
import type { Scope } from '../http/scope.ts';
import { approvalRow, waitingAmong } from './approvals.ts';
import { changeRow } from './changes.ts';
import { page } from './layout.ts';
import type { Markup } from './layout.ts';
import { liveAsks } from './live.ts';
import { mayWait, readingAmong, reviewRow } from './reviews.ts';
import { telling } from './telling.ts';
import { signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';
import { administeredBy, changesAt, isWaiting, mayConfirm, passkeysOf, waitingPasskeys } from './waiting.ts';

export const home = new Hono<Scope>();

/** Of each: the first page of more stands at its own place. */
const MOST = 20;
/** Read at a time: among what is open anywhere, what waits for one person may stand far down. */
const AT_ONCE = 100;

home.get(
  '/',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const now = deps.clock();
    const live = await liveAsks(visit);
    const [asked, all, looks, nudge, told] = await Promise.all([
      deps.store.asked({ person: caller.person, limit: MOST, after: null }).then((asks) => waitingAmong(visit, asks)),
      administeredBy(deps, caller).then((places) => changesAt(deps, places)),
      looksOwed(visit),
      passkeyNudge(visit),
      telling(visit),
    ]);
    const theirs = all.filter((one) => isWaiting(one, now) && mayConfirm(one, caller));
    const nothing = asked.length + theirs.length + looks.length === 0;
    return page(
      c,
      visit,
      { title: 'What waits for you', live },
      html`<h1>What waits for you</h1>
        ${visit.deployment.inSetup ? setup() : ''} ${nudge}
        <div id="waits" data-part>
          ${nothing ? html`<p class="calm">Nothing waits for your word.</p>` : ''}
          ${part(
            'approvals',
            'What agents ask you',
            asked.map((one) => approvalRow(visit, one)),
          )}
          ${part(
            'changes',
            'Changes that take two',
            theirs.map((one) => changeRow(visit, one)),
          )}
          ${part(
            'reviews',
            'What has to be looked at',
            looks.map((one) => reviewRow(visit, one, new Set())),
          )}
        </div>
        ${told}`,
    );
  }),
);

const part = (id: string, title: string, rows: readonly Markup[]): Markup | '' =>
  rows.length === 0
    ? ''
    : html`<section aria-labelledby="${id}">
        <h2 id="${id}"><a href="/${id}">${title}</a></h2>
        <ul class="rows">
          ${rows}
        </ul>
      </section>`;

async function looksOwed(visit: SignedInVisit): Promise<readonly KeptReview[]> {
  const { deps, caller } = visit;
  const within = await deps.store.overseenBy(caller.person);
  if (within.length === 0) return [];
  const owed: KeptReview[] = [];
  let before: KeptReview['id'] | null = null;
  do {
    const open: readonly KeptReview[] = await deps.store.reviews({ within, open: true, before, limit: AT_ONCE });
    const reading = await readingAmong(visit, open);
    owed.push(...open.filter((one) => mayWait(one, visit, reading)));
    before = open.length < AT_ONCE ? null : (open.at(-1)?.id ?? null);
  } while (before !== null && owed.length < MOST);
  return owed.slice(0, MOST);
}

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
