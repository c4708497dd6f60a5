/** Credentials, across the tenants that the visitor oversees: what lives, what becomes of it, and its end. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { failure } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { AgentName, TaskName, TenantName } from '../core/ids.ts';
import { LEASE_STATES } from '../core/lease.ts';
import type { Lease, LeaseState } from '../core/lease.ts';
import type { Verdict } from '../core/oversight.ts';
import { parseWith, words } from '../core/parse.ts';
import { seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { actorOf } from '../administer/administrator.ts';
import { timelineOf } from '../attribute/timeline.ts';
import { mayUse } from '../authenticate/act.ts';
import { readsAlone } from '../authenticate/principal.ts';
import { end } from '../broker.ts';
import { exposureSoFar } from '../oversee/block-progress.ts';
import type { Scope } from '../http/scope.ts';
import { tokenField } from './form-token.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { lifeline, precise, timeLeft } from './lease/bars.ts';
import { afterwards, judged } from './lease/afterwards.ts';
import { leaseHere } from './lease/here.ts';
import type { LeaseHere } from './lease/here.ts';
import { CAUSES, story } from './lease/story.ts';
import { liveOversight } from './live.ts';
import { noteOf } from './note.ts';
import { clientOf, moment, momentFrom } from './shown.ts';
import { chosen } from './standing.ts';
import { untrusted } from './untrusted.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const leases = new Hono<Scope>();

/** As many as a person looks over; the next page has the rest. */
const AT_ONCE = 50;
/** How long a form waits for the proof of death: the page shows the rest as it comes. */
const WAIT = seconds(2);

const NOT_OVER: readonly LeaseState[] = ['opening', 'active', 'revoking'];

interface Chosen {
  readonly tenant: TenantName | null;
  readonly agent: AgentName | null;
  readonly task: TaskName | null;
  readonly state: LeaseState | 'live' | 'all';
  readonly before: string | null;
}

/** What is no name matches nothing. */
function chosenOf(c: Context<Scope>): Chosen | null {
  const given = { tenant: chosen(c, 'tenant'), agent: chosen(c, 'agent'), task: chosen(c, 'task') };
  const tenant = parseName('tenant', given.tenant);
  const agent = parseName('agent', given.agent);
  const task = parseName('task', given.task);
  if ((given.tenant && !tenant.ok) || (given.agent && !agent.ok) || (given.task && !task.ok)) return null;
  const asked = chosen(c, 'state');
  const before = parseId('lse', c.req.query('before'));
  return {
    tenant: tenant.ok ? tenant.value : null,
    agent: agent.ok ? agent.value : null,
    task: task.ok ? task.value : null,
    state: LEASE_STATES.find((one) => one === asked) ?? (asked === 'all' ? 'all' : 'live'),
    before: before.ok ? before.value : null,
  };
}

const statesOf = (state: Chosen['state']): readonly LeaseState[] | null =>
  state === 'all' ? null : state === 'live' ? NOT_OVER : [state];

leases.get(
  '/leases',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const overseen = await deps.store.overseenBy(caller.person);
    const which = chosenOf(c);
    const live = await liveOversight(visit, overseen, which?.tenant ?? null);
    const found = which === null || overseen.length === 0 ? [] : await read(visit, which, overseen);
    const last = found.length > AT_ONCE ? found[AT_ONCE - 1] : undefined;
    return page(
      c,
      visit,
      { title: 'Leases', live },
      html`<h1>What agents hold</h1>
        ${noteOf(c)}
        ${
          overseen.length === 0
            ? html`<p class="calm">These are for oversight, and you oversee nothing.</p>`
            : html`${filterForm(c, overseen)}
                <div id="leases" data-part>
                  ${list(visit, found.slice(0, AT_ONCE), which?.state ?? 'live')}
                  ${last === undefined ? '' : more(c, last)}
                </div>`
        }`,
    );
  }),
);

const read = (
  { deps }: SignedInVisit,
  { tenant, agent, task, state, before }: Chosen,
  overseen: readonly TenantName[],
) =>
  deps.store.leases(
    {
      tenant,
      agent,
      task,
      before,
      owner: null,
      target: null,
      role: null,
      states: statesOf(state),
      limit: AT_ONCE + 1,
    },
    overseen,
  );

function list(visit: SignedInVisit, found: readonly Lease[], state: Chosen['state']): Markup {
  if (found.length === 0) {
    return html`<p class="calm">${state === 'live' ? 'No credential lives here.' : 'There is none like that.'}</p>`;
  }
  return html`<ul class="rows leases">
    ${found.map((lease) => leaseRow(visit, lease))}
  </ul>`;
}

function more(c: Context<Scope>, { id }: Lease): Markup {
  const query = new URLSearchParams({ ...c.req.query(), before: id });
  query.delete('done');
  return html`<p class="actions"><a class="button" href="/leases?${query.toString()}">Older ones</a></p>`;
}

function filterForm(c: Context<Scope>, overseen: readonly TenantName[]): Markup {
  const tenant = chosen(c, 'tenant');
  const state = chosen(c, 'state') ?? 'live';
  const states = ['live', ...LEASE_STATES, 'all'];
  return html`<form class="choose" method="get" action="/leases">
    <label
      >Tenant
      <select name="tenant" data-submits>
        <option value="">all of mine</option>
        ${overseen.map((name) => html`<option ${name === tenant ? 'selected' : ''}>${name}</option>`)}
      </select></label
    >
    <label
      >Agent <input name="agent" value="${chosen(c, 'agent') ?? ''}" autocomplete="off" spellcheck="false"
    /></label>
    <label>Task <input name="task" value="${chosen(c, 'task') ?? ''}" autocomplete="off" spellcheck="false" /></label>
    <label
      >State
      <select name="state" data-submits>
        ${states.map((one) => html`<option ${one === state ? 'selected' : ''}>${one}</option>`)}
      </select></label
    >
    <button>Show</button>
  </form>`;
}

const isLive = ({ state }: Lease): boolean => state === 'opening' || state === 'active';

/** Also on the page of an agent. */
export function leaseRow(visit: SignedInVisit, lease: Lease): Markup {
  const now = visit.deps.clock();
  const { tenant, id, task, agent, resource, provider, target, owner } = lease;
  const block = new URLSearchParams({ scope: 'agent', name: agent, tenant }).toString();
  return html`<li>
    <span class="life">${isLive(lease) ? timeLeft(lease, now) : overWords(lease, now)}</span>
    <div>
      <a href="/leases/${tenant}/${id}"><strong>${task}</strong> at <strong>${tenant}</strong></a>
      ${stateTag(lease)}
      <span class="sub">
        <a href="/agents/${agent}">${agent}</a> on ${untrusted(resource)}, by ${provider} at ${target}, for
        ${owner}${isLive(lease) ? html`. <a href="/blocks/new?${block}">Block ${agent}</a>` : ''}
      </span>
    </div>
    ${isLive(lease) ? revoking(visit, lease, 'Revoke') : ''}
  </li>`;
}

function overWords(lease: Lease, now: Instant): Markup {
  const { state, exposure, revokingAt, death } = lease;
  if (state === 'revoking') return html`<span class="bad number">${precise(exposureSoFar(lease, now))}</span>`;
  return html`<span class="soft">${momentFrom(death?.at ?? revokingAt ?? lease.openedAt, now)}</span>${
      exposure === null ? '' : html`<span class="rest number" title="exposure">${precise(exposure)}</span>`
    }`;
}

const TAGS: Readonly<Record<LeaseState, string>> = {
  opening: 'tag',
  active: 'tag good',
  revoking: 'tag bad',
  revoked: 'tag',
  failed: 'tag',
};
const stateTag = ({ state, death }: Lease): Markup =>
  html`<span class="${TAGS[state]}">${state === 'revoked' && death !== null ? death.how : state}</span>`;

function revoking(visit: SignedInVisit, { tenant, id }: Lease, words: string): Markup {
  return html`<details class="say revoke">
    <summary class="button danger" aria-label="${words} ${id}">${words}</summary>
    <form method="post" action="/leases/${tenant}/${id}/revoke">
      ${tokenField(visit)}
      <label for="why-${id}">Why, for the ledger</label>
      <input id="why-${id}" name="reason" required maxlength="1000" autocomplete="off" />
      <button class="danger">End it now</button>
    </form>
  </details>`;
}

leases.post(
  '/leases/:tenant/:id/revoke',
  fromFormSignedIn(async (c, visit, form) => {
    const found = await leaseHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const alone = readsAlone(found.value.at, visit.caller.person, visit.deps.clock());
    const may = mayUse(visit.caller, 'revoke', { held: 'oversight', alone });
    if (!may.ok) return refusalPage(c, visit, may.error);
    const reason = parseWith(words(1000), form.get('reason')?.trim() ?? '');
    if (!reason.ok) return refusalPage(c, visit, NO_REASON);
    const { lease } = found.value;
    const ending = { cause: 'oversight', actor: actorOf(visit.caller), outcome: null, killer: 'caller' } as const;
    const ended = await end(visit.deps, lease, { ...ending, reason: reason.value }, WAIT);
    return c.redirect(`/leases/${lease.tenant}/${lease.id}?done=${doneWord(lease, ended.lease)}`, 303);
  }),
);

const NO_REASON = failure('invalid_field', 'say why it is ended', { path: 'reason' });

const doneWord = (before: Lease, { state }: Lease): string =>
  !isLive(before) ? 'was-over' : state === 'revoked' ? 'lease-revoked' : 'lease-revoking';

leases.get(
  '/leases/:tenant/:id',
  signedIn(async (c, visit) => {
    const found = await leaseHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { tenant } = found.value.lease;
    const live = await liveOversight(visit, [tenant], tenant);
    const { at, lease } = found.value;
    const [entries, verdicts, acts] = await Promise.all([
      visit.deps.store.entries(tenant, { lease: lease.id }),
      visit.deps.store.verdicts(tenant, lease.id),
      afterwards(visit, found.value),
    ]);
    const title = `${lease.task} at ${tenant}`;
    return page(
      c,
      visit,
      { title, live },
      html`<p class="sub"><a href="/leases">Leases</a></p>
        <h1 class="asks">
          <strong>${lease.agent}</strong> for <strong>${lease.task}</strong> at
          ${clientOf(at.tenant.name, at.tenant.displayName)}
        </h1>
        ${noteOf(c)}
        <div id="lease" data-part>
          <p class="sub">${stateTag(lease)} <code>${lease.id}</code></p>
          ${await standing(visit, found.value, acts)} ${isLive(lease) ? '' : lifeline(lease, visit.deps.clock())}
          <div class="told-apart">
            <section aria-labelledby="story">
              <h2 id="story">What happened</h2>
              ${story(timelineOf(lease, entries))}
            </section>
            ${factsOf(lease, verdicts)}
          </div>
        </div>`,
    );
  }),
);

/** What may be done about it, and why it is not dead yet. */
async function standing(visit: SignedInVisit, { at, lease }: LeaseHere, acts: Markup): Promise<Markup> {
  if (isLive(lease)) {
    const scope = new URLSearchParams({ scope: 'agent', name: lease.agent, tenant: lease.tenant }).toString();
    return html`<div class="acts">
      <p class="life wide">${timeLeft(lease, visit.deps.clock())}</p>
      ${
        readsAlone(at, visit.caller.person, visit.deps.clock())
          ? ''
          : html`${revoking(visit, lease, 'Revoke')}
              <a class="button" href="/blocks/new?${scope}">Block ${lease.agent}</a>`
      }
      ${acts}
    </div>`;
  }
  const after = html`<div class="acts">${acts}</div>`;
  if (lease.state !== 'revoking') return after;
  const why = (await visit.deps.store.whyAlive([lease.id])).get(lease.id);
  return html`${after}
    <p class="note warn">
      Not seen dead yet, ${precise(exposureSoFar(lease, visit.deps.clock()))} after its end.
      ${why === undefined ? '' : html`Tried ${why.attempts} times${why.why === null ? '' : html`: ${untrusted(why.why)}`}.`}
      It is tried until it is.
    </p>`;
}

function factsOf(lease: Lease, verdicts: readonly Verdict[]): Markup {
  const { death, exposure, uses, used, cause } = lease;
  return html`<section aria-labelledby="facts" class="beside">
    <h2 id="facts">The credential</h2>
    <dl class="facts">
      ${
        exposure === null
          ? ''
          : html`<dt>Exposure</dt>
              <dd class="figure">${precise(exposure)}</dd>`
      }
      ${
        death === null
          ? ''
          : html`<dt>Death</dt>
              <dd>${death.how}, ${moment(death.at)}</dd>`
      }
      ${
        cause === null
          ? ''
          : html`<dt>Ended</dt>
              <dd>${CAUSES[cause]}</dd>`
      }
      ${judged(verdicts)}
      <dt>Agent</dt>
      <dd><a href="/agents/${lease.agent}">${lease.agent}</a>, for ${lease.owner}</dd>
      <dt>On</dt>
      <dd>${untrusted(lease.resource)}</dd>
      <dt>As</dt>
      <dd>${lease.role}, tier ${lease.tier}</dd>
      <dt>By</dt>
      <dd>${lease.provider}, target ${lease.target} (version ${lease.targetVersion})</dd>
      ${
        uses === null
          ? ''
          : html`<dt>Used</dt>
              <dd>${used} of ${uses}</dd>`
      }
      <dt>Ends</dt>
      <dd>${moment(lease.expiresAt)}</dd>
      <dt>Data</dt>
      <dd>${lease.dataClasses.length === 0 ? 'none that is protected' : lease.dataClasses.join(', ')}</dd>
      ${
        lease.approval === null
          ? ''
          : html`<dt>Approval</dt>
              <dd>
                <a href="/approvals/${lease.tenant}/${lease.approval}"><code>${lease.approval}</code></a>
              </dd>`
      }
      ${
        lease.block === null
          ? ''
          : html`<dt>Block</dt>
              <dd>
                <a href="/blocks/${lease.block}"><code>${lease.block}</code></a>
              </dd>`
      }
      <dt>Request</dt>
      <dd><code>${lease.request}</code></dd>
      <dt>Mark</dt>
      <dd><code>${lease.mark}</code></dd>
      <dt>Policy</dt>
      <dd><code>${lease.policy.slice(0, 16)}…</code></dd>
    </dl>
  </section>`;
}
