/** The kill switch in the hands of oversight: what stands, what one would reach, how far one has come, and lifting it. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { BLOCK_SCOPES } from '../core/block.ts';
import type { BlockId, TenantName } from '../core/ids.ts';
import { parseId } from '../core/ids.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { newNonce } from '../core/statement.ts';
import type { LiftStatement } from '../core/statement.ts';
import type { KeptBlock } from '../core/store.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { openTicket } from '../authenticate/ticket.ts';
import { liftBlock, previewBlock, raiseBlock, seenBlock, standingPlaces } from '../oversee/blocks.ts';
import type { LiftWord, Preview } from '../oversee/blocks.ts';
import { progressOf } from '../oversee/block-progress.ts';
import type { Scope } from '../http/scope.ts';
import { progressBody } from './block/progress.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { liveOversight } from './live.ts';
import { noteOf } from './note.ts';
import { signatureIn, newTicket, signingForm } from './passkey-form.ts';
import { moment, momentFrom } from './shown.ts';
import { chosen } from './standing.ts';
import { untrusted } from './untrusted.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { Form, SignedInVisit } from './visit.ts';
import { passkeysOf } from './waiting.ts';

export const blocks = new Hono<Scope>();

const AT_ONCE = 50;

blocks.get(
  '/blocks',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const within = await deps.store.overseenBy(caller.person);
    const live = await liveOversight(visit, within, null);
    const before = parseId('blk', c.req.query('before'));
    const which = { within, before: before.ok ? before.value : null };
    const [standing, all] = await Promise.all([
      deps.store.blocks({ ...which, limit: AT_ONCE, standing: true }),
      deps.store.blocks({ ...which, limit: AT_ONCE, standing: false }),
    ]);
    const over = all.filter(({ id }) => !standing.some((one) => one.id === id));
    return page(
      c,
      visit,
      { title: 'Blocks', live },
      html`<h1>Blocks</h1>
        ${noteOf(c)}
        ${
          within.length === 0
            ? html`<p class="calm">These are for oversight, and you oversee nothing.</p>`
            : html`<p>
                  Nothing inside a block is issued, on any node, and what lives there is ended.
                  <a class="button danger" href="/blocks/new">Raise a block</a>
                </p>
                <div id="blocks" data-part>
                  ${standing.length === 0 ? html`<p class="calm">None stands.</p>` : rows(visit, standing)}
                  ${
                    over.length === 0
                      ? ''
                      : html`<section aria-labelledby="over">
                          <h2 id="over">Lifted, or over</h2>
                          ${rows(visit, over)}
                        </section>`
                  }
                  ${all.length < AT_ONCE ? '' : html`<p class="actions"><a class="button" href="/blocks?before=${all.at(-1)?.id}">Older ones</a></p>`}
                </div>`
        }`,
    );
  }),
);

const rows = (visit: SignedInVisit, found: readonly KeptBlock[]): Markup =>
  html`<ul class="rows">
    ${found.map((block) => blockRow(visit, block))}
  </ul>`;

/** Also on the page of a tenant. */
export function blockRow({ deps }: SignedInVisit, block: KeptBlock): Markup {
  const now = deps.clock();
  return html`<li>
    <div>
      <a href="/blocks/${block.id}">${nameOf(block)}</a> ${stateTag(block, now)}
      <span class="sub">
        ${untrusted(block.reason)} Raised by ${block.author} ${momentFrom(block.from, now)}, at
        ${placesOf(block.places.map(({ tenant }) => tenant))}.
      </span>
    </div>
    ${block.until === null ? '' : html`<span class="due">${block.until > now ? 'ends' : 'ended'} ${momentFrom(block.until, now)}</span>`}
  </li>`;
}

const nameOf = ({ scope, name }: Pick<KeptBlock, 'scope' | 'name'>): Markup =>
  scope === 'everything' ? html`<strong>everything</strong>` : html`${scope} <strong>${untrusted(name)}</strong>`;

function stateTag(block: KeptBlock, now: Instant): Markup {
  const standing = standingPlaces(block, now).length;
  const tag = standing > 0 ? html`<span class="tag bad">stands</span>` : html`<span class="tag">over</span>`;
  return html`${tag}${block.drill ? html` <span class="tag">drill</span>` : ''}`;
}

/** A few by name. */
const NAMED = 4;
const placesOf = (tenants: readonly TenantName[]): string =>
  tenants.length <= NAMED
    ? tenants.join(', ')
    : `${tenants.slice(0, NAMED - 1).join(', ')} and ${tenants.length - NAMED + 1} more`;

/** What the form says, by its fields. */
interface Raising {
  readonly scope: string;
  readonly name: string;
  readonly tenant: string;
  readonly lasts: string;
  readonly reason: string;
  readonly drill: boolean;
}

const LASTS: readonly (readonly [value: string, words: string, seconds: number | null])[] = [
  ['', 'until it is lifted', null],
  ['900', '15 minutes', 900],
  ['3600', 'one hour', 3600],
  ['14400', 'four hours', 14_400],
  ['86400', 'one day', 86_400],
];

blocks.get(
  '/blocks/new',
  signedIn(async (c, visit) => {
    const given = {
      scope: chosen(c, 'scope') ?? 'agent',
      name: chosen(c, 'name') ?? '',
      tenant: chosen(c, 'tenant') ?? '',
    };
    return raisePage(c, visit, { ...given, lasts: '', reason: '', drill: false });
  }),
);

async function raisePage(c: Context<Scope>, visit: SignedInVisit, raising: Raising, reached: Markup | '' = '') {
  const overseen = await visit.deps.store.overseenBy(visit.caller.person);
  return page(
    c,
    visit,
    { title: 'Raise a block' },
    html`<p class="sub"><a href="/blocks">Blocks</a></p>
      <h1>Raise a block</h1>
      <div class="halves">
        ${raiseForm(visit, raising, overseen)}
        <section aria-labelledby="reaches">
          <h2 id="reaches">What it reaches</h2>
          ${reached === '' ? html`<p>Look before you raise it, unless there is no time: it kills at once, and revives nothing.</p>` : reached}
        </section>
      </div>`,
  );
}

const raiseForm = (
  visit: SignedInVisit,
  { scope, name, tenant, lasts, reason, drill }: Raising,
  overseen: readonly TenantName[],
) =>
  html`<form class="sheet" method="post" action="/blocks">
    ${tokenField(visit)}
    <div class="pair">
      <div>
        <label for="scope">What</label>
        <select id="scope" name="scope">
          ${BLOCK_SCOPES.map((one) => html`<option ${one === scope ? 'selected' : ''}>${one}</option>`)}
        </select>
      </div>
      <div class="grows">
        <label for="name">Its name</label>
        <input
          id="name"
          name="name"
          value="${name}"
          maxlength="200"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="name-hint"
        />
      </div>
    </div>
    <p id="name-hint" class="small">As the inventory has it; none for everything.</p>
    <label for="tenant">Where</label>
    <select id="tenant" name="tenant">
      <option value="">at all ${overseen.length} tenants that I oversee</option>
      ${overseen.map((one) => html`<option value="${one}" ${one === tenant ? 'selected' : ''}>${one}</option>`)}
    </select>
    <label for="lasts">Until</label>
    <select id="lasts" name="lasts">
      ${LASTS.map(
        ([value, said]) => html`<option value="${value}" ${value === lasts ? 'selected' : ''}>${said}</option>`,
      )}
    </select>
    <label for="reason">Why, for the ledger</label>
    <textarea id="reason" name="reason" rows="2" maxlength="1000">${reason}</textarea>
    <label class="choice"
      ><input type="checkbox" name="drill" value="yes" ${drill ? 'checked' : ''} /> A drill, at tenants of sandboxes
      alone; it ends by itself</label
    >
    <div class="actions">
      <button class="main" formaction="/blocks/preview">See what it reaches</button>
      <button class="danger">Raise it now</button>
    </div>
  </form>`;

function raisingIn(form: Form): Raising {
  const field = (name: string): string => form.get(name)?.trim() ?? '';
  const { scope, name, tenant, lasts, reason } = {
    scope: field('scope'),
    name: field('name'),
    tenant: field('tenant'),
    lasts: field('lasts'),
    reason: field('reason'),
  };
  return { scope, name, tenant, lasts, reason, drill: form.get('drill') === 'yes' };
}

const aimOf = ({ scope, name, tenant }: Raising) => ({
  scope,
  ...(name === '' ? {} : { name }),
  ...(tenant === '' ? {} : { tenants: [tenant] }),
});

blocks.post(
  '/blocks/preview',
  fromFormSignedIn(async (c, visit, form) => {
    const raising = raisingIn(form);
    const seen = await previewBlock(visit.deps, visit.caller, aimOf(raising));
    return raisePage(c, visit, raising, seen.ok ? previewOf(seen.value) : refusedWords(seen.error));
  }),
);

const refusedWords = ({ detail, hint }: { readonly detail: string; readonly hint?: string }): Markup =>
  html`<p class="note warn" role="alert">${untrusted(detail)}. ${hint === undefined ? '' : untrusted(hint)}</p>`;

function previewOf({ tenants, agents, unended }: Preview): Markup {
  const live = unended.reduce((sum, { n }) => sum + n, 0);
  return html`<p role="status">
      <span class="figure">${live}</span> ${live === 1 ? 'credential that lives' : 'credentials that live'}, at
      ${placesOf(tenants)}.
    </p>
    ${agents.length === 0 ? '' : html`<p>Of ${agents.join(', ')}.</p>`}
    ${
      unended.length === 0
        ? ''
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Tenant</th>
                <th scope="col">Target</th>
                <th scope="col">By</th>
                <th scope="col">State</th>
                <th scope="col" class="number">Live</th>
              </tr>
            </thead>
            <tbody>
              ${unended.map(
                ({ tenant, target, provider, state, n }) =>
                  html`<tr>
                    <td>${tenant}</td>
                    <td>${target}</td>
                    <td>${provider}</td>
                    <td>${state}</td>
                    <td class="number">${n}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }`;
}

blocks.post(
  '/blocks',
  fromFormSignedIn(async (c, visit, form) => {
    const raising = raisingIn(form);
    const lasts = LASTS.find(([value]) => value === raising.lasts)?.[2] ?? null;
    const until = lasts === null ? {} : { until: toRfc3339(after(visit.deps.clock(), seconds(lasts))) };
    const body = { ...aimOf(raising), ...until, reason: raising.reason, drill: raising.drill };
    const done = await raiseBlock(visit.deps, visit.caller, { body, claim: null });
    if (!done.ok) return raisePage(c, visit, raising, refusedWords(done.error));
    return c.redirect(`/blocks/${done.value.id}?done=block-raised`, 303);
  }),
);

async function seenHere(c: Context<Scope>, { deps, caller }: SignedInVisit): Promise<Result<KeptBlock>> {
  const id = parseId('blk', c.req.param('id'));
  return id.ok ? seenBlock(deps, caller, id.value) : err(NOTHING_HERE);
}

blocks.get(
  '/blocks/:id',
  signedIn(async (c, visit) => {
    const { deps } = visit;
    const within = await deps.store.overseenBy(visit.caller.person);
    const live = await liveOversight(visit, within, null);
    const found = await seenHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const block = found.value;
    const [progress, ended] = await Promise.all([
      progressOf(deps, block),
      deps.store.ended({
        block: block.id,
        within: block.places.map(({ tenant }) => tenant),
        before: null,
        limit: AT_ONCE,
      }),
    ]);
    const now = deps.clock();
    return page(
      c,
      visit,
      { title: 'A block', live },
      html`<p class="sub"><a href="/blocks">Blocks</a></p>
        <h1>${nameOf(block)} <span id="state" data-part>${stateTag(block, now)}</span></h1>
        ${noteOf(c)}
        <p class="sub"><code>${block.id}</code></p>
        <div id="progress" data-part>${progressBody(progress, ended, now)}</div>
        <div class="halves">
          <section aria-labelledby="what">
            <h2 id="what">The block</h2>
            ${factsOf(block)}
          </section>
          ${liftSection(visit, block)}
        </div>`,
    );
  }),
);

const factsOf = (block: KeptBlock): Markup =>
  html`<dl class="facts">
    <dt>Why</dt>
    <dd class="quoted">${untrusted(block.reason)}</dd>
    <dt>Raised</dt>
    <dd>${moment(block.from)}, by ${block.author}</dd>
    <dt>Until</dt>
    <dd>${block.until === null ? 'it is lifted' : moment(block.until)}</dd>
    ${
      block.deniesRoles
        ? html`<dt>Roles</dt>
            <dd>every session that they gave before is denied too, whoever asked for it</dd>`
        : ''
    }
    ${
      block.agents.length === 0
        ? ''
        : html`<dt>Agents</dt>
            <dd>${block.agents.join(', ')}</dd>`
    }
    <dt>Where</dt>
    <dd>
      <ul class="plain">
        ${block.places.map(
          ({ tenant, liftedAt, liftedBy }) =>
            html`<li>
              ${tenant}${liftedAt === null ? '' : html`, <span class="soft">lifted by ${liftedBy} ${moment(liftedAt)}</span>`}
            </li>`,
        )}
      </ul>
    </dd>
  </dl>`;

function liftSection(visit: SignedInVisit, block: KeptBlock): Markup | '' {
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
blocks.post(
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

blocks.post(
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
