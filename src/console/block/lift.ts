/** A block is lifted, under the lifter's own passkey. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { BlockId, TenantName } from '../../core/ids.ts';
import { failure, NOTHING_HERE } from '../../core/failure.ts';
import { parseWith, words } from '../../core/parse.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { newNonce } from '../../core/statement.ts';
import type { LiftStatement } from '../../core/statement.ts';
import type { KeptBlock } from '../../core/store/blocks.ts';
import { openTicket } from '../../authenticate/ticket.ts';
import { liftBlock, standingPlaces } from '../../oversee/blocks.ts';
import type { LiftWord } from '../../oversee/blocks.ts';
import type { Scope } from '../../http/scope.ts';
import { tokenField } from '../form-token.ts';
import { page, refusalPage } from '../layout.ts';
import type { Markup } from '../layout.ts';
import { signatureIn, newTicket, signingForm } from '../passkey-form.ts';
import { untrusted } from '../untrusted.ts';
import { fromFormSignedIn } from '../visit.ts';
import type { Form, SignedInVisit } from '../visit.ts';
import { passkeysOf } from '../waiting.ts';
import { seenHere } from './here.ts';
import { nameOf, placesOf } from './words.ts';

export const liftingBlocks = new Hono<Scope>();

export function liftSection(visit: SignedInVisit, block: KeptBlock): Markup | '' {
  const standing = standingPlaces(block, visit.deps.clock());
  if (standing.length === 0) return '';
  const signs = passkeysOf(visit.deployment, visit.caller).length > 0;
  return html`<section aria-labelledby="lift">
    <h2 id="lift">Lift it</h2>
    <p>What it ended stays dead; agents may ask again. Whoever answers for what it holds back does not lift it.</p>
    ${
      signs
        ? html`<form class="sheet" method="post" action="/blocks/${block.id}/lift">
            ${tokenField(visit)}
            ${
              standing.length === 1
                ? ''
                : html`<label for="at">Where</label>
                    <select id="at" name="tenant">
                      <option value="">everywhere that it stands</option>
                      ${standing.map((one) => html`<option>${one}</option>`)}
                    </select>`
            }
            <label for="reason">Why, for the ledger</label>
            <textarea id="reason" name="reason" rows="2" maxlength="1000" required></textarea>
            <div class="actions"><button>Go on, and sign it</button></div>
          </form>`
        : html`<p class="note warn">
            You have no passkey, and sign nothing without one. <a href="/account/passkeys/new">Enrol a passkey</a>.
          </p>`
    }
  </section>`;
}

/** The lift, once more, and the passkey that signs it. */
liftingBlocks.post(
  '/blocks/:id/lift',
  fromFormSignedIn(async (c, visit, form) => {
    const found = await seenHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const reason = parseWith(words(1000), form.get('reason')?.trim() ?? '');
    if (!reason.ok) return refusalPage(c, visit, NO_REASON);
    const standing = standingPlaces(found.value, visit.deps.clock());
    const only = form.get('tenant') ?? '';
    const tenants = only === '' ? standing : standing.filter((one) => one === only);
    if (tenants.length === 0) return refusalPage(c, visit, NOTHING_HERE);
    const statement = statementOf(visit, found.value.id, tenants, reason.value);
    const action = `/blocks/${found.value.id}`;
    return page(
      c,
      visit,
      { title: 'Sign the lift' },
      html`<article class="slip">
        <h1>You lift a block</h1>
        <p>${nameOf(found.value)}, at ${placesOf(tenants)}.</p>
        <blockquote>${untrusted(reason.value)}</blockquote>
        ${signingForm(visit, passkeysOf(visit.deployment, visit.caller), {
          ticket: newTicket(visit, statement),
          action: `${action}/lift/signed`,
          button: 'Sign the lift',
        })}
        <p class="small"><a href="${action}">Back to the block</a></p>
      </article>`,
    );
  }),
);

const NO_REASON = failure('invalid_field', 'say why it is lifted', { path: 'reason' });

const statementOf = (
  { deps, caller }: SignedInVisit,
  block: BlockId,
  tenants: readonly TenantName[],
  reason: string,
): LiftStatement => ({
  purpose: 'lift',
  block,
  tenants,
  reason,
  approver: caller.person,
  nonce: newNonce(deps.random),
});

liftingBlocks.post(
  '/blocks/:id/lift/signed',
  fromFormSignedIn(async (c, visit, form) => {
    const found = await seenHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const word = await wordIn(visit, found.value.id, form);
    if (!word.ok) return refusalPage(c, visit, word.error);
    const { tenants, reason } = word.value.signed.statement;
    const lifting = { id: found.value.id, body: { reason, tenants }, word: word.value };
    const done = await liftBlock(visit.deps, visit.caller, lifting);
    return done.ok ? c.redirect(`/blocks/${found.value.id}?done=block-lifted`, 303) : refusalPage(c, visit, done.error);
  }),
);

async function wordIn(visit: SignedInVisit, block: BlockId, form: Form): Promise<Result<LiftWord>> {
  const { deps, caller, bound } = visit;
  const ticket = openTicket(deps, form.get('ticket') ?? '', bound);
  if (!ticket.ok) return ticket;
  const { statement } = ticket.value;
  const isThis = statement.purpose === 'lift' && statement.block === block && statement.approver === caller.person;
  if (!isThis) return err(OTHER_FORM);
  const signed = await signatureIn(visit, form, statement);
  return signed.ok ? ok({ ticket: ticket.value, signed: signed.value }) : signed;
}

const OTHER_FORM = failure('form_over', 'this form was made for another block', { hint: 'Open the page again.' });
