/** The story of one lease, entry by entry, in sentences. What an agent or a person wrote stands quoted below them. */
import { html } from 'hono/html';
import type { Json, JsonObject } from '../../core/canonical.ts';
import type { RevocationCause } from '../../core/lease.ts';
import { parseInstant } from '../../core/time.ts';
import type { Step, Timeline } from '../../attribute/timeline.ts';
import { revokedWords } from '../decision/over.ts';
import { named } from '../decision/words.ts';
import type { Markup } from '../layout.ts';
import { untrusted } from '../untrusted.ts';
import { precise } from './bars.ts';

/** More uses than these stand folded. */
const USES_SHOWN = 4;

export function story({ steps }: Timeline): Markup {
  const [first] = steps;
  const began = first === undefined ? 0 : at(first);
  return html`<ol class="story">
    ${chapters(steps).map((chapter) => (chapter.length > USES_SHOWN ? folded(chapter, began) : chapter.map((step) => stepOf(step, began))))}
  </ol>`;
}

const at = (step: Step): number => parseInstant(step.at) ?? 0;
const isUse = ({ kind }: Step): boolean => kind === 'lease.used' || kind === 'gateway.answered';

/** Uses that follow each other stand together; every other step alone. */
function chapters(steps: readonly Step[]): readonly (readonly Step[])[] {
  const found: Step[][] = [];
  for (const step of steps) {
    const last = found.at(-1);
    if (last !== undefined && isUse(step) && last.every(isUse)) last.push(step);
    else found.push([step]);
  }
  return found;
}

function folded(steps: readonly Step[], began: number): Markup {
  const uses = steps.filter(({ kind }) => kind === 'lease.used').length;
  return html`<li class="uses">
    <details class="fold">
      <summary>It was used ${uses} times</summary>
      <ol class="story">
        ${steps.map((step) => stepOf(step, began))}
      </ol>
    </details>
  </li>`;
}

function stepOf(step: Step, began: number): Markup {
  const since = at(step) - began;
  return html`<li>
    <p class="when">
      <time datetime="${step.at}">${step.at.slice(11, 23)}</time>
      <span class="small">${since === 0 ? step.at.slice(0, 10) : `+${precise(since)}`}</span>
    </p>
    <div class="what">
      <p>${sentenceOf(step)}</p>
      ${quotes(step)}
      <details class="entry">
        <summary><code>${step.kind}</code></summary>
        <dl class="facts">
          <dt>Entry</dt>
          <dd><code>${step.entry}</code></dd>
          <dt>Leaf hash</dt>
          <dd><code>${step.leaf_hash}</code></dd>
          ${
            step.accountable === null
              ? ''
              : html`<dt>Accountable</dt>
                  <dd>${step.accountable}</dd>`
          }
        </dl>
        ${part('In the leaf', step.facts)} ${part('Said', step.said)} ${part('Seen', step.seen)}
      </details>
    </div>
  </li>`;
}

const part = (title: string, values: JsonObject): Markup | '' =>
  Object.keys(values).length === 0
    ? ''
    : html`<h3>${title}</h3>
        <pre tabindex="0" role="region" aria-label="${title}">${untrusted(JSON.stringify(values, null, 2))}</pre>`;

/** Words of people and agents; a whole package stands below, in the entry. */
function quotes({ said }: Step): Markup | '' {
  const words = [said['reason'], said['summary'], said['words'], said['reference']].filter(
    (one) => typeof one === 'string',
  );
  return html`${words.map((one) => html`<blockquote>${untrusted(one)}</blockquote>`)}`;
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const list = (value: Json | undefined): string => (Array.isArray(value) ? value.map(String).join(', ') : '');
const object = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const number = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

/** Who did it: the person behind an operator, or the name as the register has it. */
function whoOf({ actor }: Step): string {
  const { kind, name, person } = actor;
  if (kind === 'broker') return 'Brevet';
  if (kind === 'target') return `Target ${text(name)}`;
  return text(person) || text(name);
}

function sentenceOf(step: Step): Markup | string {
  const { facts, said, seen } = step;
  const who = html`<strong>${whoOf(step)}</strong>`;
  switch (step.kind) {
    case 'request.permitted':
      return html`${who} asked for <strong>${text(facts['task'])}</strong> on ${untrusted(text(said['resource']))}, and
        had it: ${byRule(facts)}.`;
    case 'request.asked':
      return html`${who} asked for <strong>${text(facts['task'])}</strong> on ${untrusted(text(said['resource']))}.
        ${firstAsked(facts)} ${byRule(facts)}.`;
    case 'request.forbidden':
    case 'request.forbidden_again':
      return html`${who} was refused: ${byRule(facts)}.`;
    case 'approval.answered':
      return html`${who} ${VERDICTS[text(facts['verdict'])] ?? 'answered'}, after ${precise(number(seen['took_ms']))}
        with the page, by a passkey’s signature over the package <code>${text(facts['package_hash'])}</code>.`;
    case 'approval.escalated':
      return html`Nobody had answered in time. Asked from here on: ${list(facts['asks'])}.`;
    case 'approval.accepted':
      return html`${who} took the narrower answer.`;
    case 'approval.expired':
      return 'Nobody answered in time, which is no yes.';
    case 'approval.withdrawn':
      return html`${who} withdrew it.`;
    case 'approval.revoked':
      return revokedWords({
        because: text(facts['because']),
        who: whoOf(step),
        detail: text(seen['detail']),
      });
    case 'approval.redeemed':
      return html`${who} came for it, on the word of ${approvers(facts)}.`;
    case 'lease.opening':
      return html`Written down before it was made: <code>${text(facts['mark'])}</code>, at target
        <strong>${text(facts['target'])}</strong> (${text(facts['provider'])}).`;
    case 'lease.active':
      return html`The credential was made, and handed out to live until ${clock(facts['expires_at'])}.`;
    case 'lease.landed':
      return 'It was found to have been made after all.';
    case 'lease.failed':
      return 'It was seen never to have been made.';
    case 'lease.used':
      return html`${who} used
      it${facts['method'] === undefined ? '' : html`: <code>${text(facts['method'])} ${text(facts['path'])}</code>`}.`;
    case 'gateway.answered':
      return html`The tool answered <code>${JSON.stringify(facts['status'] ?? null)}</code>.`;
    case 'gateway.refused':
    case 'gateway.refused_again':
      return html`${who} made a call that was not let through: <code>${text(facts['code'])}</code>.`;
    case 'gateway.key_echoed':
      return 'The answer held the key, and was cut.';
    case 'lease.revoking':
      return html`${causeOf(step)} Its end was committed; then it was ended at its provider.`;
    case 'lease.revoked':
      return html`${step.actor['kind'] === 'broker' && facts['expires_at'] === undefined ? '' : causeOf(step)}
        <strong>${DEATHS[text(facts['death'])] ?? text(facts['death'])}</strong>${evidence(seen)} Exposure
        <strong>${precise(number(facts['exposure_ms']))}</strong>.`;
    case 'lease.reported':
      return html`${who} said of its work: <strong>${text(facts['outcome'])}</strong>.`;
    case 'lease.judged':
      return html`${who} judged it: <strong>${named(text(facts['verdict']))}</strong>.`;
    case 'order.given':
      return html`${who} had it taken back: the agent is ordered to ask for
        <strong>${text(facts['by_task'])}</strong>.`;
    case 'review.opened':
      return html`${who} asked for <a href="/reviews/${text(facts['review'])}">a look at it</a> by another person.`;
    case 'review.done':
      return html`${who} has <a href="/reviews/${text(facts['review'])}">looked at it</a>.`;
    default:
      return html`${who}: <code>${step.kind}</code>.`;
  }
}

const VERDICTS: Readonly<Record<string, string>> = {
  approve: 'said yes',
  reject: 'said no',
  narrow: 'said yes to less',
};

const DEATHS: Readonly<Record<string, string>> = {
  verified: 'Dead, and seen to be.',
  expired: 'Over by its own expiry.',
  unverifiable: 'Ended, and nobody can see whether it is dead, as was said beforehand.',
};

/** Who was asked first; the next steps are entries of their own, if they were needed. */
function firstAsked({ route }: JsonObject): string {
  const steps = Array.isArray(route) ? (route as readonly JsonObject[]) : [];
  const asked = steps.map(({ asks }) => list(asks)).find((asks) => asks !== '');
  return asked === undefined ? 'People were asked:' : `${asked} was asked:`;
}

function byRule(facts: JsonObject): Markup {
  const { rules, code } = object(facts['approval']);
  const { tier } = object(facts['execution']);
  const named = list(rules) || text(code);
  return html`${typeof tier === 'number' ? `tier ${tier}, ` : ''}${named === '' ? 'by no rule' : html`by <code>${named}</code>`}`;
}

function approvers(facts: JsonObject): Markup | string {
  const all = facts['approvers'];
  if (!Array.isArray(all) || all.length === 0) return 'nobody';
  return html`${(all as readonly JsonObject[]).map(
    ({ person, package_hash: hash }, n) =>
      html`${n === 0 ? '' : ', '}<strong>${text(person)}</strong> (package <code>${text(hash).slice(0, 12)}…</code>)`,
  )}`;
}

const clock = (value: Json | undefined): Markup | string =>
  typeof value === 'string' ? html`<time datetime="${value}">${value.slice(11, 19)}</time>` : 'its end';

function evidence(seen: JsonObject): Markup | string {
  const words = seen['seen'] ?? seen['why'];
  return typeof words === 'string' ? html` Evidence: ${untrusted(words)}.` : '';
}

/** Why one ended. */
export const CAUSES = {
  completed: 'the agent was done',
  expired: 'its time was over',
  agent: 'the agent gave it back',
  oversight: 'oversight revoked it',
  entitlement_ended: 'what it rested on was taken away',
  undelivered: 'nobody was there to take it',
  overtaken: 'what it rested on changed while it was made',
  mint_failed: 'nobody had heard in time whether it was made, and it was found',
  token_revoked: 'its token was revoked',
  spent: 'its last use was counted',
  idle: 'its use had visibly ended',
  blocked: 'a block was raised over it',
} as const satisfies Record<RevocationCause, string>;

/** The same, of what somebody did. */
const DID: Partial<Readonly<Record<RevocationCause, string>>> = {
  completed: 'was done',
  agent: 'gave it back',
  oversight: 'revoked it',
  token_revoked: 'revoked its token',
};

function causeOf(step: Step): Markup {
  const cause = text(step.facts['cause']) as RevocationCause;
  const outcome = text(step.facts['outcome']);
  const did = DID[cause];
  if (did === undefined) return html`It ended: ${CAUSES[cause] ?? named(cause)}.`;
  const said = outcome === '' ? '' : html`, and called it <strong>${outcome}</strong>`;
  return html`<strong>${whoOf(step)}</strong> ${did}${said}.`;
}
