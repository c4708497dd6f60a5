/**
 * One decision, drawn from its package and from nothing else: what would be done, to what, and what it would cost if it
 * goes wrong stand first; the agent's words stand apart, marked as such; the rest folds away.
 */
import { html } from 'hono/html';
import type { Shown } from '../../approve/package.ts';
import type { Instant } from '../../core/time.ts';
import { parseInstant } from '../../core/time.ts';
import type { Markup } from '../layout.ts';
import { apart, clientOf } from '../shown.ts';
import { spanOf } from '../spans.ts';
import { untrusted } from '../untrusted.ts';
import {
  cameOf,
  contractWords,
  endWords,
  named,
  raiseWords,
  saidBefore,
  SITUATIONS,
  SKIPPED,
  tierWords,
  valueOf,
  worstWords,
} from './words.ts';

export function decisionBody(shown: Shown, now: Instant): Markup {
  return html`<div class="decision">
    <div class="weighty">${what(shown)} ${risk(shown)} ${words(shown)}</div>
    <div class="folds">
      ${fold('If it goes wrong', wrong(shown), true)} ${fold('How it went before', before(shown, now), true)}
      ${fold('What else is going on', around(shown), shown.holds.length + shown.elsewhere.other_clients > 0)}
      ${fold('Why it is asked, and of whom', why(shown))} ${fold('The client and the agent', who(shown))}
      ${fold('Every byte that was asked', every(shown))}
    </div>
  </div>`;
}

const fold = (title: string, body: Markup, open = false): Markup =>
  html`<details class="fold" ${open ? 'open' : ''}>
    <summary><h2>${title}</h2></summary>
    ${body}
  </details>`;

/** The sentence that a yes says yes to. */
export function sentenceOf({ agent, task, client }: Shown): Markup {
  return html`<strong>${agent.name}</strong> asks for <strong>${task.name}</strong> at
    ${clientOf(client.name, client.display_name)}`;
}

/** Where it stands among people, where there is more to that than one person who is asked: on top of the page. */
export function wayWords({ route }: Shown): Markup | '' {
  const { steps, step: at, answered, standing } = route;
  const step = steps[at];
  if (step === undefined) return '';
  const silent = steps.slice(0, at).flatMap(({ asks }) => asks);
  const yes = [...new Set(answered.filter(({ verdict }) => verdict === 'approve').map(({ person }) => person))];
  const said = yes.filter((person) => standing.includes(person));
  const fallen = yes.filter((person) => !standing.includes(person));
  const several = typeof step.quorum !== 'number' || step.quorum > 1;
  if (silent.length === 0 && !several && fallen.length === 0) return '';
  return html`<p class="note">
    ${silent.length === 0 ? '' : html`Not answered in time by ${silent.join(', ')}. `}
    ${several ? html`It takes ${quorumOf(step)} ${step.asks.join(' and ')}: ${said.length === 0 ? 'nobody has said yes yet' : html`<strong>${said.join(', ')}</strong> said yes`}.` : ''}
    ${fallen.length === 0 ? '' : html`What ${fallen.join(', ')} said counts no more: they, or their passkey, may not say it now.`}
  </p>`;
}

type Step = Shown['route']['steps'][number];
const quorumOf = ({ quorum }: Step): string => (typeof quorum === 'number' ? `${quorum} of` : 'one of each of');

function what(shown: Shown): Markup {
  const { mint, task, narrows } = shown;
  const parameters = Object.entries(mint.parameters);
  const loose = new Set(mint.not_enforced);
  // Where it is so of every one, the note says it once.
  const isMixed = parameters.some(([name]) => !loose.has(name));
  const tag = (name: string): Markup | '' => (isMixed && loose.has(name) ? LOOSE : '');
  return html`<section class="what" aria-labelledby="what">
    <h2 id="what">What would be done</h2>
    ${
      narrows === null
        ? ''
        : html`<p class="note">
            ${narrows.by} would approve this instead of what was asked.
            ${narrows.accepted ? 'The agent takes it.' : 'The agent has yet to take it.'}
          </p>`
    }
    <p class="does">${task.description ?? named(task.name)}</p>
    <dl class="facts">
      <dt>To</dt>
      <dd>${valueOf(mint.resource)} ${tag('resource')}</dd>
      ${parameters.map(
        ([name, value]) =>
          html`<dt>${named(name)}</dt>
            <dd>${valueOf(value)} ${tag(name)}</dd>`,
      )}
      <dt>With</dt>
      <dd>
        a credential of <code>${mint.provider}</code> at target <code>${mint.target}</code>${
          shown.credential.uses === null
            ? ', as often as it likes while it lives'
            : `, ${shown.credential.uses === 1 ? 'for one use' : `for ${shown.credential.uses} uses`}`
        }
      </dd>
    </dl>
    ${
      loose.size === 0
        ? ''
        : html`<p class="note warn">
            The credential opens <code>${mint.target}</code>, and does not hold the agent to
            ${isMixed ? 'what is marked' : listed([...loose].map(named))}: that is left to it and to the target.
          </p>`
    }
  </section>`;
}

const listed = (names: readonly string[]): string => new Intl.ListFormat('en', { type: 'disjunction' }).format(names);

const LOOSE = html`<span class="tag warn">not enforced</span>`;

function risk({ risk: { tier, raised, data_classes, scores }, client, task, credential, policy }: Shown): Markup {
  const because = (aspect: string): string | undefined => scores.find((score) => score.aspect === aspect)?.because;
  const open = client.situations.map(({ kind }) => SITUATIONS[kind] ?? kind);
  return html`<section class="risk" aria-labelledby="risk">
    <h2 id="risk">What it puts at stake</h2>
    <dl class="facts">
      <dt>Could be misused</dt>
      <dd>at most <strong>${worstWords(credential)}</strong></dd>
      ${row('Could reach', because('blast_radius'))} ${row('To undo', because('reversibility'))}
      <dt>Data</dt>
      <dd>${dataOf(data_classes, client)}</dd>
      <dt>Changes</dt>
      <dd>
        ${task.reads_only === true ? 'nothing: it only reads' : task.changes.length === 0 ? 'no protection or access' : task.changes.map(named).join(', ')}
      </dd>
      <dt>Tier</dt>
      <dd>
        ${tierWords(tier)}${raised.length === 0 ? '' : html`<span class="sub"> Raised: ${raised.map((raise) => raiseWords(raise.because)).join('; ')}.</span>`}
      </dd>
      <dt>Asked because</dt>
      <dd>${policy.rules.map(({ reason }) => html`${reason} `)}</dd>
      ${
        client.regulations.length === 0
          ? ''
          : html`<dt>Client under</dt>
              <dd>${client.regulations.map((one) => one.toUpperCase()).join(', ')}</dd>`
      }
    </dl>
    ${open.map((said) => html`<p class="note warn">${said}.</p>`)}
  </section>`;
}

const row = (title: string, value: string | undefined): Markup | '' =>
  value === undefined
    ? ''
    : html`<dt>${title}</dt>
        <dd>${value}</dd>`;

/** A target of which nobody said what it holds may hold what its client has. */
function dataOf(declared: readonly string[], { data_classes: has }: Shown['client']): Markup | string {
  const tags = (classes: readonly string[]) => classes.map((data) => html`<span class="tag bad">${data}</span> `);
  if (declared.length > 0) return html`${tags(declared)}`;
  return has.length === 0 ? 'none that is protected' : html`none is declared here, though the client has ${tags(has)}`;
}

/** The agent's, all of it. */
function words({ agent, said }: Shown): Markup {
  const { confidence, trigger, rollback, ...others } = said.circumstances;
  const more = Object.entries(others);
  return html`<section class="theirs" aria-labelledby="theirs">
    <h2 id="theirs">In the agent’s own words</h2>
    <blockquote tabindex="0">${untrusted(said.reason)}</blockquote>
    <dl class="facts">
      <dt>Because of</dt>
      <dd>${trigger === undefined ? 'not said' : triggerOf(trigger)}</dd>
      <dt>Says it is sure</dt>
      <dd>${typeof confidence === 'number' ? `${Math.round(confidence * 100)} %` : 'not said'}</dd>
      ${
        rollback === undefined
          ? ''
          : html`<dt>Would undo it by</dt>
              <dd>${valueOf(rollback)}</dd>`
      }
      ${more.map(
        ([name, value]) =>
          html`<dt>${named(name)}</dt>
            <dd>${valueOf(value)}</dd>`,
      )}
    </dl>
    <p class="sub">Nobody has checked what ${agent.name} says here. It cannot lower what is asked of it.</p>
  </section>`;
}

function triggerOf(trigger: Shown['said']['circumstances'][string]): Markup | string {
  const { kind, reference } = trigger as { readonly kind?: string; readonly reference?: string };
  return html`${untrusted(kind ?? '')} ${valueOf(reference)}`;
}

function wrong({ credential, rollback, task }: Shown): Markup {
  const tried =
    rollback.tried === 0
      ? 'it was not asked for here before'
      : `it went well ${rollback.succeeded} of the last ${rollback.tried} times`;
  return html`<dl class="facts">
    <dt>Its end</dt>
    <dd>${endWords(credential)}</dd>
    <dt>Held to</dt>
    <dd>${credential.enforces.length === 0 ? 'no single parameter' : credential.enforces.map(named).join(', ')}</dd>
    <dt>The way back</dt>
    <dd>${rollback.task === null ? 'The task class names none.' : html`<code>${rollback.task}</code>: ${tried}.`}</dd>
    ${
      task.leaves_objects === true
        ? html`<dt>Leaves behind</dt>
            <dd>What it makes stays when the credential is dead.</dd>`
        : ''
    }
  </dl>`;
}

function before({ before: all }: Shown, now: Instant): Markup {
  if (all.length === 0) return html`<p>It was never asked for at this client.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">When</th>
        <th scope="col">By</th>
        <th scope="col">On</th>
        <th scope="col">People said</th>
        <th scope="col">Came of it</th>
      </tr>
    </thead>
    <tbody>
      ${all.map(
        (one) =>
          html`<tr>
            <td>${apart(parseInstant(one.at) ?? now, now)}</td>
            <td>${one.agent}</td>
            <td>${untrusted(one.resource)}</td>
            <td>${saidBefore(one)}</td>
            <td>${cameOf(one)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function around({ holds, elsewhere, plan, client }: Shown): Markup {
  return html`<dl class="facts">
    <dt>It holds now</dt>
    <dd>
      ${
        holds.length === 0
          ? 'nothing else at this client'
          : html`<ul>
              ${holds.map(({ task, resource }) => html`<li><code>${task}</code> on ${valueOf(resource)}</li>`)}
            </ul>`
      }
    </dd>
    <dt>Elsewhere</dt>
    <dd>
      ${
        elsewhere.other_clients === 0
          ? `not at another client in the last ${elsewhere.minutes} min`
          : html`<strong
                >at ${elsewhere.other_clients} other ${elsewhere.other_clients === 1 ? 'client' : 'clients'}</strong
              >
              in the last ${elsewhere.minutes} min`
      }
    </dd>
    ${
      plan.length === 0
        ? ''
        : html`<dt>Same plan</dt>
            <dd>
              <ul>
                ${plan.map(
                  ({ approval, task, resource }) =>
                    html`<li>
                      <a href="/approvals/${client.name}/${approval}"><code>${task}</code></a> on ${valueOf(resource)}
                    </li>`,
                )}
              </ul>
            </dd>`
    }
  </dl>`;
}

function why({ policy, risk: { scores }, route }: Shown): Markup {
  return html`<ul class="reasons">
      ${policy.rules.map(({ rule, reason }) => html`<li>${reason} <code class="small">${rule}</code></li>`)}
    </ul>
    <dl class="facts">
      ${scores.map(
        ({ aspect, score, because }) =>
          html`<dt>${named(aspect)}</dt>
            <dd>${score} of 3. ${because}</dd>`,
      )}
    </dl>
    <ol class="steps">
      ${route.steps.map((step, at) => stepOf(route, step, at))}
    </ol>`;
}

function stepOf(route: Shown['route'], step: Step, at: number): Markup {
  const answered = route.answered.filter(({ person }) => step.asks.includes(person));
  return html`<li ${at === route.step ? html`aria-current="step"` : ''}>
    <strong>${named(step.name)}</strong>, ${spanOf(step.within_s)}:
    ${step.asks.length === 0 ? 'nobody could be asked' : `${quorumOf(step)} ${step.asks.join(', ')}`}.
    ${answered.map(({ person, verdict }) => html`<span class="tag">${person}: ${verdict}</span> `)}
    ${step.skipped.map(({ person, why: reason }) => html`<span class="sub">${person} is passed over: ${SKIPPED[reason] ?? reason}.</span>`)}
  </li>`;
}

function who({ client, agent }: Shown): Markup {
  return html`<dl class="facts">
    <dt>Client</dt>
    <dd>${untrusted(client.display_name)} (<code>${client.name}</code>), ${client.environment}</dd>
    <dt>Its data</dt>
    <dd>${client.data_classes.length === 0 ? 'none recorded' : client.data_classes.join(', ')}</dd>
    <dt>Its contract</dt>
    <dd>${contractWords(client.contract)}</dd>
    <dt>Agent</dt>
    <dd>${agent.name}: ${untrusted(agent.purpose)}</dd>
    <dt>Accountable</dt>
    <dd>${agent.owner}</dd>
    <dt>Made of</dt>
    <dd>${agent.vendor}, ${untrusted(`${agent.model} ${agent.model_version}`)}; ${agent.kind}, ${agent.autonomy}</dd>
  </dl>`;
}

const every = ({ said, mint, policy, approval }: Shown): Markup =>
  html`<pre>${untrusted(JSON.stringify(said.asked, null, 2))}</pre>
    <dl class="facts">
      <dt>Approval</dt>
      <dd><code class="long">${approval}</code></dd>
      <dt>Request</dt>
      <dd><code class="long">${mint.request}</code></dd>
      <dt>Will be minted</dt>
      <dd><code class="long">${mint.mint}</code></dd>
      <dt>Policy</dt>
      <dd><code class="long">${policy.version}</code></dd>
    </dl>`;
