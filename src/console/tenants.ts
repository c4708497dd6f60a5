/** Clients: what each is, what holds there for now, who has which function, and what agents may do there. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Assignment, RoleFunction, Situation, TargetVersion, TenantContext } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import { summarizeAt } from '../administer/explain.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { Summary, SummaryTask, Way } from '../decide/summary.ts';
import { WAYS } from '../decide/summary.ts';
import type { Scope } from '../http/scope.ts';
import { blockRow } from './blocks.ts';
import { contractWords, SITUATIONS } from './decision/words.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { moment, momentFrom } from './shown.ts';
import { tenantFor, tenantsSeen } from './standing.ts';
import { untrusted } from './untrusted.ts';
import { signedIn } from './visit.ts';

export const tenants = new Hono<Scope>();

tenants.get(
  '/tenants',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const seen = new Map((await tenantsSeen(deps, caller)).map(({ tenant, held }) => [tenant, held]));
    const found = seen.size === 0 ? [] : (await deps.store.tenants()).filter(({ name }) => seen.has(name));
    return page(
      c,
      visit,
      { title: 'Tenants' },
      html`<h1>Tenants</h1>
        ${
          found.length === 0
            ? html`<p class="calm">You have no function at any tenant.</p>`
            : html`<ul class="rows spaced">
                ${found.map(
                  ({ name, displayName, context }) =>
                    html`<li>
                      <div>
                        <a href="/tenants/${name}"><strong>${untrusted(displayName)}</strong></a>
                        <code class="small">${name}</code>
                        ${context.regulations.map((one) => html`<span class="tag">${one}</span> `)}
                        <span class="sub">Its contract ${contractWords(context.autonomy)}.</span>
                      </div>
                      <span class="due">${FUNCTIONS[seen.get(name) ?? 'execution']}</span>
                    </li>`,
                )}
              </ul>`
        }`,
    );
  }),
);

const FUNCTIONS: Readonly<Record<RoleFunction, string>> = {
  administration: 'you administer',
  oversight: 'you oversee',
  approval: 'you approve',
  execution: '',
};

tenants.get(
  '/tenants/:tenant',
  signedIn(async (c, visit) => {
    const at = await tenantFor(c, visit.caller, ['administration', 'oversight', 'approval']);
    if (!at.ok) return refusalPage(c, visit, at.error);
    const { deps, caller } = visit;
    const snapshot = at.value;
    const { tenant } = snapshot;
    const now = deps.clock();
    const held = functionAt(snapshot, caller.person, now);
    // What agents may do, and what stands, is told to those who answer for it.
    const summary = held === 'approval' ? null : await summarizeAt(deps, caller, tenant.name);
    const blocks =
      held === 'oversight'
        ? await deps.store.blocks({ within: [tenant.name], standing: true, before: null, limit: 20 })
        : [];
    return page(
      c,
      visit,
      { title: tenant.displayName },
      html`<p class="sub"><a href="/tenants">Tenants</a></p>
        <h1>${untrusted(tenant.displayName)}</h1>
        <p class="sub"><code>${tenant.name}</code>, ${FUNCTIONS[held ?? 'execution']}</p>
        ${snapshot.situations.filter(({ from }) => from <= now).map((one) => situationNote(one, now))}
        ${[...snapshot.lateNotices.keys()].map(lateNote)}
        ${
          blocks.length === 0
            ? ''
            : html`<section aria-labelledby="blocks">
                <h2 id="blocks">Blocks that stand here</h2>
                <ul class="rows">
                  ${blocks.map((block) => blockRow(visit, block))}
                </ul>
              </section>`
        }
        <div class="halves">${contextOf(tenant.context)} ${peopleOf(snapshot, now)}</div>
        ${summary?.ok === true ? mayDo(summary.value) : ''} ${targetsOf(snapshot)} ${agentsOf(snapshot, now)}`,
    );
  }),
);

const situationNote = ({ kind, resource, until, author }: Situation, now: Instant): Markup =>
  html`<p class="note warn">
    ${SITUATIONS[kind] ?? kind}${resource === null ? '' : html` on ${untrusted(resource)}`}, said ${author}; it ends
    ${momentFrom(until, now)}.
  </p>`;

const lateNote = (task: string): Markup =>
  html`<p class="note warn">
    Nobody could be told of <strong>${task}</strong> in time: agents ask for it here until somebody is.
  </p>`;

const some = (list: readonly string[], none: string): string => (list.length === 0 ? none : list.join(', '));

function contextOf(context: TenantContext): Markup {
  const { terms, windows, contacts } = context;
  return html`<section aria-labelledby="context">
    <h2 id="context">What it is</h2>
    <dl class="facts">
      <dt>Under</dt>
      <dd>${some(context.regulations, 'no regulation recorded')}</dd>
      <dt>Data</dt>
      <dd>${some(context.dataClasses, 'none recorded')}</dd>
      <dt>Contract</dt>
      <dd>${contractWords(context.autonomy)}</dd>
      ${
        terms === null
          ? ''
          : html`<dt>Of AI</dt>
              <dd>
                vendors ${some(terms.vendors, 'none')}; models
                ${some(
                  terms.models.map(({ model, version }) => `${model} ${version}`),
                  'none',
                )};
                ${terms.training ? 'its data may train models' : 'its data trains nothing'}, kept ${terms.retentionDays}
                days at the most
              </dd>`
      }
      <dt>Data stays in</dt>
      <dd>${some(context.residency, 'anywhere')}</dd>
      <dt>Environments</dt>
      <dd>${some(context.environments, 'none recorded')}</dd>
      <dt>Changes</dt>
      <dd>
        ${
          windows.length === 0
            ? 'at any time'
            : windows.map(({ days, from, to }) => html`<div>${days.join(', ')} ${from} to ${to}</div>`)
        }
        <span class="small">${context.timeZone}</span>
      </dd>
      ${
        context.resources.length === 0
          ? ''
          : html`<dt>Parts</dt>
              <dd>
                ${context.resources.map(
                  ({ resource, dataClasses, changeManaged }) =>
                    html`<div>
                      ${untrusted(resource)}:
                      ${some(dataClasses, 'no protected data')}${changeManaged ? ', changes are managed' : ''}
                    </div>`,
                )}
              </dd>`
      }
      ${
        contacts.length === 0
          ? ''
          : html`<dt>Contacts</dt>
              <dd>
                ${contacts.map((one) => html`<div>${one.for}: ${untrusted(one.name)}, ${untrusted(one.email)}</div>`)}
              </dd>`
      }
    </dl>
  </section>`;
}

const OF_PEOPLE = ['oversight', 'approval', 'administration'] as const;
const DO = { oversight: 'Oversee', approval: 'Approve', administration: 'Administer' } as const;

function peopleOf({ assignments, deployment }: Snapshot, now: Instant): Markup {
  const all = [...assignments, ...deployment.assignments].filter(({ until }) => until === null || until > now);
  return html`<section aria-labelledby="people">
    <h2 id="people">Who answers for it</h2>
    <dl class="facts">
      ${OF_PEOPLE.map((one) => {
        const held = all.filter((assignment) => assignment.function === one && assignment.holder.kind === 'person');
        return html`<dt>${DO[one]}</dt>
          <dd>${held.length === 0 ? html`<span class="tag bad">nobody</span>` : held.map(heldWords)}</dd>`;
      })}
    </dl>
  </section>`;
}

const heldWords = ({ holder, role, until, tenant }: Assignment): Markup =>
  html`<div>
    ${holder.name}
    <span class="small"
      >${role}${tenant === null ? ', everywhere' : ''}${until === null ? '' : html`, until ${moment(until)}`}</span
    >
  </div>`;

const HEADS: Readonly<Record<Way, string>> = {
  acts: 'By themselves',
  tells: 'And tell people at once',
  asks: 'Once a person has said yes',
  never: 'Never',
};

function mayDo({ roles, peopleAlone, policy }: Summary): Markup {
  return html`<section aria-labelledby="may">
    <h2 id="may">What agents may do here</h2>
    ${
      roles.length === 0
        ? html`<p>No agent holds a role here.</p>`
        : html`<div class="ways">${WAYS.map((way) => wayOf(way, roles))}</div>`
    }
    ${peopleAlone.length === 0 ? '' : html`<p class="small">By people alone, whoever approves: ${peopleAlone.map(({ task }) => task).join(', ')}.</p>`}
    <p class="small">By policy <code>${policy.slice(0, 12)}</code>, for those who are enrolled here now.</p>
  </section>`;
}

function wayOf(way: Way, roles: Summary['roles']): Markup {
  const tasks = roles.flatMap(({ agents, tasks: all }) =>
    all.filter((task) => task.way === way).map((task) => ({ ...task, agents: agents.join(', ') })),
  );
  const together = [...Map.groupBy(tasks, ({ reasons }) => reasons.join(' '))];
  return html`<div class="way">
    <h3>${HEADS[way]} <span class="soft">${tasks.length}</span></h3>
    ${tasks.length === 0 ? html`<p class="small">Nothing.</p>` : ''}
    ${together.map(
      ([reason, all]) =>
        html`${reason === '' ? '' : html`<p class="small">${reason}</p>`}
          <ul class="plain">
            ${all.map(taskOf)}
          </ul>`,
    )}
  </div>`;
}

const taskOf = ({ task, description, atMost, agents }: SummaryTask & { readonly agents: string }): Markup =>
  html`<li>
    <strong title="${description}">${task}</strong>${atMost ? html` <span class="tag">at most</span>` : ''}
    <span class="small">${agents}</span>
  </li>`;

function targetsOf({ targets }: Snapshot): Markup {
  const all = [...targets.values()];
  return html`<section aria-labelledby="targets">
    <h2 id="targets">Targets</h2>
    ${
      all.length === 0
        ? html`<p>None.</p>`
        : html`<ul class="rows">
            ${all.map(targetRow)}
          </ul>`
    }
  </section>`;
}

/** No secret is in what a provider made of it; that there is one is said. */
const targetRow = ({
  name,
  provider,
  version,
  environment,
  dataClasses,
  secret,
  mspWide,
  config,
}: TargetVersion): Markup =>
  html`<li>
    <details class="target">
      <summary>
        <strong>${name}</strong> <span class="tag">${provider}</span>
        ${mspWide === null ? '' : html`<span class="tag warn">its secret stands elsewhere too</span>`}
        <span class="sub">
          ${environment}, ${some(dataClasses, 'no protected data')}; version
          ${version}${secret === null ? '' : ', with a secret, which is sealed'}.
        </span>
      </summary>
      <pre tabindex="0" role="region" aria-label="What ${name} is">${untrusted(JSON.stringify(config, null, 2))}</pre>
    </details>
  </li>`;

function agentsOf({ agents, assignments }: Snapshot, now: Instant): Markup {
  const all = [...agents.values()];
  const roles = (name: string): string =>
    assignments
      .filter(({ holder, until }) => holder.name === name && holder.kind === 'agent' && (until === null || until > now))
      .map(({ role }) => role)
      .join(', ');
  return html`<section aria-labelledby="agents">
    <h2 id="agents">Agents that work here</h2>
    ${
      all.length === 0
        ? html`<p>None.</p>`
        : html`<ul class="rows">
            ${all.map(
              ({ agent, enrolment }) =>
                html`<li>
                  <div>
                    <a href="/agents/${agent.name}"><strong>${agent.name}</strong></a>
                    ${agent.active ? '' : html`<span class="tag bad">disabled</span>`}
                    <span class="sub"
                      >${roles(agent.name) || 'no role'}; for ${agent.owner}, by
                      ${enrolment.proof.by === 'key' ? 'a key of its own' : `its workload at ${enrolment.proof.binding.issuer}`}.</span
                    >
                  </div>
                  ${enrolment.exception === null ? '' : html`<span class="due">exception until ${moment(enrolment.exception.until)}</span>`}
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}
