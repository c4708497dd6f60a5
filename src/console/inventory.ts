/** The AI inventory: every agent, who answers for it, what it is made of, and what it uses of what it holds. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Instant } from '../core/time.ts';
import { inventory as inventoryOf } from '../administer/inventory.ts';
import type { InventoryItem } from '../administer/inventory.ts';
import type { Scope } from '../http/scope.ts';
import { page } from './layout.ts';
import type { Markup } from './layout.ts';
import { momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { signedIn } from './visit.ts';

export const inventory = new Hono<Scope>();

inventory.get(
  '/inventory',
  signedIn(async (c, visit) => {
    const found = await inventoryOf(visit.deps, visit.caller);
    const now = visit.deps.clock();
    return page(
      c,
      visit,
      { title: 'Inventory' },
      html`<h1>Inventory of AI</h1>
        ${
          found.ok
            ? listOf(found.value, now)
            : html`<p class="calm">This is for administration of the deployment, and for oversight.</p>`
        }`,
    );
  }),
);

/** The roles say what a table is where it is drawn as sheets, on a phone. */
function listOf(items: readonly InventoryItem[], now: Instant): Markup {
  if (items.length === 0) return html`<p class="calm">There is no agent.</p>`;
  const orphaned = items.filter(({ answered }) => !answered).length;
  const idle = items.flatMap(({ roles }) => roles.filter(({ lastUsed }) => lastUsed === null)).length;
  return html`<dl class="figures">
      <div>
        <dt>${items.length === 1 ? 'agent' : 'agents'}</dt>
        <dd class="figure">${items.length}</dd>
      </div>
      <div>
        <dt>that nobody answers for</dt>
        <dd class="figure ${orphaned > 0 ? 'bad' : ''}">${orphaned}</dd>
      </div>
      <div>
        <dt>roles never used</dt>
        <dd class="figure">${idle}</dd>
      </div>
    </dl>
    <div class="wide spaced" tabindex="0" role="region" aria-label="The inventory">
      <table class="inventory" role="table">
        <thead>
          <tr role="row">
            <th scope="col" role="columnheader">Agent</th>
            <th scope="col" role="columnheader">Accountable</th>
            <th scope="col" role="columnheader">Made of</th>
            <th scope="col" role="columnheader">Data</th>
            <th scope="col" role="columnheader">Works at</th>
            <th scope="col" role="columnheader">Roles</th>
            <th scope="col" role="columnheader">Last used</th>
          </tr>
        </thead>
        <tbody>
          ${items.map((item) => rowOf(item, now))}
        </tbody>
      </table>
    </div>`;
}

function rowOf({ agent, answered, canAuthenticate, tenants, roles, lastUse }: InventoryItem, now: Instant): Markup {
  return html`<tr role="row">
    <th scope="row" role="rowheader">
      <a href="/agents/${agent.name}">${agent.name}</a>
      ${agent.active ? '' : html`<span class="tag bad">disabled</span>`}
      ${canAuthenticate ? '' : html`<span class="tag">only listed</span>`}
      <span class="sub">${untrusted(agent.purpose)}</span>
    </th>
    <td role="cell" data-label="Accountable">
      <div>
        ${answered ? agent.owner : html`<span class="tag bad">${agent.leftBy ?? agent.owner} is gone</span>`}
        ${agent.deputy === null ? '' : html`<span class="sub">deputy ${agent.deputy}</span>`}
      </div>
    </td>
    <td role="cell" data-label="Made of">
      <div>
        ${agent.vendor}<span class="sub">${agent.model} ${agent.modelVersion}; ${agent.kind}, ${agent.autonomy}</span>
      </div>
    </td>
    <td role="cell" data-label="Data"><div>${agent.data.length === 0 ? 'none' : agent.data.join(', ')}</div></td>
    <td role="cell" data-label="Works at"><div>${tenants.length === 0 ? 'nowhere' : tenants.join(', ')}</div></td>
    <td role="cell" data-label="Roles">
      <div>
        ${roles.map(
          ({ assignment: { tenant, role }, lastUsed }) =>
            html`<div>
              ${role} <span class="small">${tenant ?? 'everywhere'}</span>
              ${lastUsed === null ? html`<span class="tag warn">never used</span>` : ''}
            </div>`,
        )}
      </div>
    </td>
    <td role="cell" data-label="Last used"><div>${lastUse === null ? 'never' : momentFrom(lastUse, now)}</div></td>
  </tr>`;
}
