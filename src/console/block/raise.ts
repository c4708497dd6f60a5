/** A block is raised: what is meant, what that would reach, and the one click. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { BLOCK_SCOPES } from '../../core/block.ts';
import type { TenantName } from '../../core/ids.ts';
import { after, seconds, toRfc3339 } from '../../core/time.ts';
import { previewBlock, raiseBlock } from '../../oversee/blocks.ts';
import type { Preview } from '../../oversee/blocks.ts';
import type { Scope } from '../../http/scope.ts';
import { claimIn, onceField, tokenField } from '../form-token.ts';
import { page } from '../layout.ts';
import type { Markup } from '../layout.ts';
import { chosen } from '../standing.ts';
import { untrusted } from '../untrusted.ts';
import { fromFormSignedIn, signedIn } from '../visit.ts';
import type { Form, SignedInVisit } from '../visit.ts';
import { placesOf } from './words.ts';

export const raisingBlocks = new Hono<Scope>();

/** What the form says, by its fields. */
interface Raising {
  readonly scope: string;
  readonly name: string;
  readonly tenant: string;
  readonly lasts: string;
  readonly reason: string;
  readonly drill: boolean;
  readonly deniesRoles: boolean;
}

const LASTS: readonly (readonly [value: string, words: string, seconds: number | null])[] = [
  ['', 'until it is lifted', null],
  ['900', '15 minutes', 900],
  ['3600', 'one hour', 3600],
  ['14400', 'four hours', 14_400],
  ['86400', 'one day', 86_400],
];

raisingBlocks.get(
  '/blocks/new',
  signedIn(async (c, visit) => {
    const given = {
      scope: chosen(c, 'scope') ?? 'agent',
      name: chosen(c, 'name') ?? '',
      tenant: chosen(c, 'tenant') ?? '',
    };
    return raisePage(c, visit, { ...given, lasts: '', reason: '', drill: false, deniesRoles: false });
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
  { scope, name, tenant, lasts, reason, drill, deniesRoles }: Raising,
  overseen: readonly TenantName[],
) =>
  html`<form class="sheet" method="post" action="/blocks">
    ${tokenField(visit)} ${onceField(visit)}
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
      ><input
        type="checkbox"
        name="deny_role"
        value="yes"
        ${deniesRoles ? 'checked' : ''}
        aria-describedby="deny-role-hint"
      />
      Deny the roles at AWS too</label
    >
    <p id="deny-role-hint" class="small">
      For a target there, the provider aws, a tenant or everything. Every session that the role gave before ends,
      whoever asked for it: people and other programs that use the role are cut off as well, and take it up anew.
    </p>
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
  const ticked = (name: string): boolean => form.get(name) === 'yes';
  return { scope, name, tenant, lasts, reason, drill: ticked('drill'), deniesRoles: ticked('deny_role') };
}

const aimOf = ({ scope, name, tenant, deniesRoles }: Raising) => ({
  scope,
  ...(name === '' ? {} : { name }),
  ...(tenant === '' ? {} : { tenants: [tenant] }),
  deny_role: deniesRoles,
});

raisingBlocks.post(
  '/blocks/preview',
  fromFormSignedIn(async (c, visit, form) => {
    const raising = raisingIn(form);
    const seen = await previewBlock(visit.deps, visit.caller, aimOf(raising));
    return raisePage(c, visit, raising, seen.ok ? previewOf(seen.value) : refusedWords(seen.error));
  }),
);

const refusedWords = ({ detail, hint }: { readonly detail: string; readonly hint?: string }): Markup =>
  html`<p class="note warn" role="alert">${untrusted(detail)}. ${hint === undefined ? '' : untrusted(hint)}</p>`;

function previewOf({ tenants, agents, unended, roles }: Preview): Markup {
  const live = unended.reduce((sum, { n }) => sum + n, 0);
  return html`<p role="status">
      <span class="figure">${live}</span> ${live === 1 ? 'credential that lives' : 'credentials that live'}, at
      ${placesOf(tenants)}.
    </p>
    ${agents.length === 0 ? '' : html`<p>Of ${agents.join(', ')}.</p>`} ${roles.length === 0 ? '' : rolesOf(roles)}
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

/** Whom it harms beside those that are meant: Brevet knows of none of them. */
const rolesOf = (roles: Preview['roles']): Markup =>
  html`<p class="note warn">
    It denies the ${roles.length === 1 ? 'role' : 'roles'} of
    <strong>${roles.map(({ tenant, name }) => `${name} at ${tenant}`).join(', ')}</strong>: every session given before
    ends, also those that Brevet did not give and does not count here. Lifting the block brings none of them back.
  </p>`;

raisingBlocks.post(
  '/blocks',
  fromFormSignedIn(async (c, visit, form) => {
    const raising = raisingIn(form);
    const lasts = LASTS.find(([value]) => value === raising.lasts)?.[2] ?? null;
    const until = lasts === null ? {} : { until: toRfc3339(after(visit.deps.clock(), seconds(lasts))) };
    const body = { ...aimOf(raising), ...until, reason: raising.reason, drill: raising.drill };
    const done = await raiseBlock(visit.deps, visit.caller, { body, claim: claimIn(visit, '/blocks', form) });
    if (!done.ok) return raisePage(c, visit, raising, refusedWords(done.error));
    return c.redirect(`/blocks/${done.value.id}?done=block-raised`, 303);
  }),
);
