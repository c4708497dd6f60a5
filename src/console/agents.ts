/** Agents: what the register says of them, where they work, what they hold, and what they asked for of late. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { stateAt } from '../core/approval.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import type { AgentName, TenantName } from '../core/ids.ts';
import type { Agent, Assignment } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import type { Placements } from '../core/store/leases.ts';
import type { Instant } from '../core/time.ts';
import { LISTED_ONLY } from '../authenticate/principal.ts';
import type { Scope } from '../http/scope.ts';
import { named } from './decision/words.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { leaseRow } from './leases.ts';
import { liveOversight } from './live.ts';
import { moment, momentFrom } from './shown.ts';
import { tenantsSeen } from './standing.ts';
import type { Seen } from './standing.ts';
import { untrusted } from './untrusted.ts';
import { signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const agents = new Hono<Scope>();

/** What an agent holds and asked of late: more of it is at Leases. */
const AT_ONCE = 20;

interface Reach {
  /** Whether they administer the deployment, and so see every agent of the register. */
  readonly everywhere: 'all' | 'enrolled';
  readonly seen: readonly Seen[];
  readonly placements: Placements;
}

async function reachOf({ deps, caller }: SignedInVisit): Promise<Reach> {
  const held = await deps.store.functionsOf(caller.person);
  const everywhere = held.some((one) => one.tenant === null && one.held === 'administration') ? 'all' : 'enrolled';
  const seen = await tenantsSeen(deps, caller);
  const within = everywhere === 'all' ? null : seen.map(({ tenant }) => tenant);
  const nowhere = { enrolments: [], assignments: [], uses: [] };
  return { everywhere, seen, placements: seen.length === 0 ? nowhere : await deps.store.placements(within) };
}

const isSeen = ({ everywhere, placements }: Reach, { name }: Agent): boolean =>
  everywhere === 'all' ||
  placements.enrolments.some(({ agent }) => agent === name) ||
  placements.assignments.some(({ holder }) => holder.name === name);

agents.get(
  '/agents',
  signedIn(async (c, visit) => {
    const reach = await reachOf(visit);
    const found = (await visit.deps.store.agents()).filter((agent) => isSeen(reach, agent));
    return page(
      c,
      visit,
      { title: 'Agents' },
      html`<h1>Agents</h1>
        ${
          found.length === 0
            ? html`<p class="calm">No agent works where you have a function.</p>`
            : html`<ul class="rows spaced">
                ${found.map((agent) => agentRow(visit, agent, reach))}
              </ul>`
        }`,
    );
  }),
);

function agentRow(visit: SignedInVisit, agent: Agent, { placements }: Reach): Markup {
  const at = placements.enrolments.filter((one) => one.agent === agent.name).map(({ tenant }) => tenant);
  const last = lastUse(placements, agent.name);
  return html`<li>
    <div>
      <a href="/agents/${agent.name}"><strong>${agent.name}</strong></a> ${standingTags(visit, agent)}
      <span class="sub">
        ${untrusted(agent.purpose)} For ${agent.owner},
        ${at.length === 0 ? 'enrolled nowhere' : html`at ${at.join(', ')}`}.
      </span>
    </div>
    <span class="due">${last === null ? 'never used' : momentFrom(last, visit.deps.clock())}</span>
  </li>`;
}

const lastUse = ({ uses }: Placements, name: AgentName): Instant | null => {
  const all = uses.filter(({ agent }) => agent === name).map(({ lastAt }) => lastAt);
  return all.length === 0 ? null : (Math.max(...all) as Instant);
};

/** What keeps an agent from getting anything. */
function standingTags({ deployment }: SignedInVisit, { active, owner, leftBy, kind }: Agent): Markup {
  const gone = leftBy !== null || deployment.persons.get(owner)?.active !== true;
  return html`${active ? '' : html`<span class="tag bad">disabled</span>`}
  ${gone ? html`<span class="tag bad">nobody answers for it</span>` : ''}
  ${LISTED_ONLY.includes(kind) ? html`<span class="tag">only listed</span>` : ''}`;
}

async function seenAgent(c: Context<Scope>, visit: SignedInVisit): Promise<Result<{ agent: Agent; reach: Reach }>> {
  const name = parseName('agent', c.req.param('name'));
  if (!name.ok) return err(NOTHING_HERE);
  const reach = await reachOf(visit);
  const agent = (await visit.deps.store.agents()).find((one) => one.name === name.value);
  return agent !== undefined && isSeen(reach, agent) ? ok({ agent, reach }) : err(NOTHING_HERE);
}

const where = (seen: readonly Seen[], functions: readonly Seen['held'][]): readonly TenantName[] =>
  seen.filter(({ held }) => functions.includes(held)).map(({ tenant }) => tenant);

agents.get(
  '/agents/:name',
  signedIn(async (c, visit) => {
    const { deps } = visit;
    const found = await seenAgent(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { agent, reach } = found.value;
    const overseen = where(reach.seen, ['oversight']);
    const asking = where(reach.seen, ['oversight', 'approval']);
    const live = overseen.length === 0 ? null : await liveOversight(visit, overseen, null);
    const filter = { tenant: null, agent: agent.name, owner: null, target: null, role: null, before: null } as const;
    const [leases, requests] = await Promise.all([
      overseen.length === 0
        ? []
        : deps.store.leases({ ...filter, limit: AT_ONCE, states: ['opening', 'active', 'revoking'] }, overseen),
      asking.length === 0 ? [] : deps.store.requests({ ...filter, effect: null, limit: AT_ONCE }, asking),
    ]);
    return page(
      c,
      visit,
      { title: agent.name, live },
      html`<p class="sub"><a href="/agents">Agents</a></p>
        <h1>${agent.name} ${standingTags(visit, agent)}</h1>
        <p>${untrusted(agent.purpose)}</p>
        ${
          overseen.length === 0
            ? ''
            : html`<p class="actions">
                <a class="button danger" href="/blocks/new?scope=agent&amp;name=${agent.name}">Block it</a>
                <a class="button" href="/leases?agent=${agent.name}&amp;state=all">All it held</a>
              </p>`
        }
        <div class="halves">${registerOf(agent)} ${rolesOf(agent, reach, deps.clock())}</div>
        <div id="now" data-part>
          ${
            overseen.length === 0
              ? ''
              : html`<section aria-labelledby="holds">
                  <h2 id="holds">What it holds now</h2>
                  ${
                    leases.length === 0
                      ? html`<p>Nothing.</p>`
                      : html`<ul class="rows leases">
                          ${leases.map((lease) => leaseRow(visit, lease))}
                        </ul>`
                  }
                </section>`
          }
          ${asking.length === 0 ? '' : asksOf(requests, deps.clock())}
        </div>`,
    );
  }),
);

const registerOf = (agent: Agent): Markup =>
  html`<section aria-labelledby="register">
    <h2 id="register">The register</h2>
    <dl class="facts">
      <dt>Accountable</dt>
      <dd>${agent.owner}${agent.deputy === null ? '' : html`; in their absence ${agent.deputy}`}</dd>
      ${
        agent.formerOwners.length === 0
          ? ''
          : html`<dt>Before</dt>
              <dd>${agent.formerOwners.map(({ person }) => person).join(', ')}</dd>`
      }
      <dt>Kind</dt>
      <dd>${named(agent.kind.replaceAll('-', ' '))}, ${agent.autonomy}</dd>
      <dt>Made of</dt>
      <dd>${agent.vendor}, ${agent.model} ${agent.modelVersion}</dd>
      <dt>Data</dt>
      <dd>${agent.data.length === 0 ? 'none that is protected' : agent.data.join(', ')}</dd>
      <dt>Decides</dt>
      <dd>${agent.decisions.length === 0 ? 'nothing recorded' : untrusted(agent.decisions.join('; '))}</dd>
    </dl>
  </section>`;

function rolesOf(agent: Agent, { placements }: Reach, now: Instant): Markup {
  const enrolled = placements.enrolments.filter((one) => one.agent === agent.name).map(({ tenant }) => tenant);
  const held = placements.assignments.filter(({ holder }) => holder.name === agent.name);
  const tenants = [...new Set([...enrolled, ...held.flatMap(({ tenant }) => tenant ?? [])])].toSorted();
  return html`<section aria-labelledby="roles">
    <h2 id="roles">Where it works</h2>
    ${
      tenants.length === 0
        ? html`<p>Nowhere that you can see.</p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Tenant</th>
                <th scope="col">As</th>
                <th scope="col">Last used</th>
              </tr>
            </thead>
            <tbody>
              ${tenants.map((tenant) => placeRow({ agent, tenant, placements, now }, enrolled.includes(tenant)))}
            </tbody>
          </table>`
    }
  </section>`;
}

interface Placed {
  readonly agent: Agent;
  readonly tenant: TenantName;
  readonly placements: Placements;
  readonly now: Instant;
}

function placeRow({ agent, tenant, placements, now }: Placed, enrolled: boolean): Markup {
  const held = placements.assignments.filter((one) => one.holder.name === agent.name && one.tenant === tenant);
  const used = placements.uses.filter((one) => one.agent === agent.name && one.tenant === tenant);
  const last = used.length === 0 ? null : (Math.max(...used.map(({ lastAt }) => lastAt)) as Instant);
  return html`<tr>
    <td>
      <a href="/tenants/${tenant}">${tenant}</a>${enrolled ? '' : html` <span class="tag warn">not enrolled</span>`}
    </td>
    <td>${held.length === 0 ? 'no role' : held.map(roleWords)}</td>
    <td>${last === null ? 'never' : momentFrom(last, now)}</td>
  </tr>`;
}

const roleWords = ({ role, until }: Assignment): Markup =>
  html`<div>${role}${until === null ? '' : html`, until ${moment(until)}`}</div>`;

/** What came of each ask. */
export function asksOf(requests: readonly KeptRequest[], now: Instant): Markup {
  return html`<section aria-labelledby="asks">
    <h2 id="asks">What it asked for of late</h2>
    ${
      requests.length === 0
        ? html`<p>Nothing.</p>`
        : html`<div class="wide" tabindex="0" role="region" aria-label="Its last asks, as a table">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">What</th>
                  <th scope="col">At</th>
                  <th scope="col">On</th>
                  <th scope="col">Came of it</th>
                </tr>
              </thead>
              <tbody>
                ${requests.map((request) => askRow(request, now))}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

function askRow(request: KeptRequest, now: Instant): Markup {
  return html`<tr>
    <td>${momentFrom(request.at, now)}</td>
    <td>${request.task}</td>
    <td>${request.tenant}</td>
    <td>${untrusted(request.resource)}</td>
    <td>${outcomeOf(request, now)}</td>
  </tr>`;
}

/** Also of the request that took an order. */
export function outcomeOf({ effect, lease, approval, tenant, decision }: KeptRequest, now: Instant): Markup | string {
  if (lease !== null) return html`<a href="/leases/${tenant}/${lease}">a credential</a>`;
  if (approval !== null) {
    return html`<a href="/approvals/${tenant}/${approval.id}">people asked</a>: ${stateAt(approval, now)}`;
  }
  if (effect !== 'forbid') return 'nothing';
  const reason = decision['reason'] as { readonly code?: string } | undefined;
  return html`refused: ${named(reason?.code ?? 'forbidden')}`;
}
