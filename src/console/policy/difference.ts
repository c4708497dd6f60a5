/** What a version changes against the one that is active, for people to read: whatever widens is marked, and comes first. */
import { html } from 'hono/html';
import type { Json } from '../../core/canonical.ts';
import type { Comparison } from '../../administer/comparison.ts';
import type { Answered, BundleDiff, Difference } from '../../decide/diff.ts';
import type { Markup } from '../layout.ts';
import { spanOf } from '../spans.ts';
import { untrusted } from '../untrusted.ts';

export function comparisonBody({ diff, untried, gaining }: Comparison): Markup {
  const { differences, people, registers, rules, widens, digest, notEvaluated } = diff;
  const nothing = differences.length + people.length + registers.length + rules.length === 0;
  if (nothing) return html`<p class="calm">It says the same as the active one.</p>`;
  return html`<p class="note ${widens ? 'warn' : ''}">
      ${
        widens
          ? html`<strong>It widens what may be done.</strong>
              ${gaining.length === 0 ? '' : `Who gains by it: ${gaining.join(', ')}.`}`
          : 'Nothing is widened by it.'
      }
      ${untried === 0 ? '' : `${untried} agents at clients were not tried, and may gain.`}
    </p>
    ${agentsPart(differences)} ${peoplePart(people)} ${rulesPart(rules)} ${registersPart(registers)}
    ${
      notEvaluated.length === 0
        ? ''
        : html`<p class="small">
            Not tried: ${notEvaluated.map(({ task, why }) => html`<span title="${why}">${task}</span> `)}
          </p>`
    }
    <p class="small">Digest of this comparison <code>${digest}</code></p>`;
}

const widestFirst = <T extends { readonly widening: boolean }>(all: readonly T[]): readonly T[] =>
  all.toSorted((a, b) => Number(b.widening) - Number(a.widening));

const mark = (widening: boolean): Markup | '' => (widening ? html`<span class="tag bad">wider</span>` : '');

/** Agents that it comes to the same for share a row. */
function agentsPart(differences: readonly Difference[]): Markup | '' {
  if (differences.length === 0) return '';
  const together = Map.groupBy(widestFirst(differences), (one) => JSON.stringify({ ...one, agent: null }));
  return part(
    'What agents gain or lose',
    ['Agent', 'Task', 'At', 'When', 'Was', 'Becomes'],
    [...together.values()].flatMap((all) => {
      const [first] = all;
      return first === undefined
        ? []
        : [
            agentRow(
              first,
              all.map(({ agent }) => agent),
            ),
          ];
    }),
  );
}

function agentRow(one: Difference, agents: readonly string[]): Markup {
  const { tenant, task, role, targets, before, after, widening } = one;
  return html`<tr>
    <td>${agents.join(', ')} ${mark(widening)}<span class="sub">as ${role}</span></td>
    <td>${task}</td>
    <td>${tenant}<span class="sub">${targets.join(', ')}</span></td>
    <td>${whenOf(one)}</td>
    <td class="was">${words(before)}</td>
    <td class="becomes">${words(after)}</td>
  </tr>`;
}

function whenOf({ when, except }: Difference): string {
  if (when.length > 0) return when.join('; ');
  return except.length === 0 ? 'always' : `always but: ${except.join('; ')}`;
}

const GIVEN = { permit: ['', 'does it', 'does it and tells', 'does it'], ask: ['', 'asks', 'asks', 'asks'] } as const;

function words(answered: Answered): Markup {
  if (answered.answer === 'forbid') {
    return html`never<span class="sub"
        >${answered.rules.length === 0 ? answered.code : answered.rules.join(', ')}</span
      >`;
  }
  const { answer, tier, ttl, uses, rules } = answered;
  return html`${GIVEN[answer][tier]}<span class="sub"
      >${spanOf(ttl)}${uses === null ? '' : `, ${uses} ${uses === 1 ? 'use' : 'uses'}`}${answer === 'ask' ? `; ${rules.join(', ')}` : ''}</span
    >`;
}

const peoplePart = (people: BundleDiff['people']): Markup | '' =>
  people.length === 0
    ? ''
    : part(
        'What people gain or lose',
        ['Person', 'At', 'What'],
        widestFirst(people).map(
          ({ person, tenants, gains, function: of, role, widening }) =>
            html`<tr>
              <td>${person} ${mark(widening)}</td>
              <td>${tenants.join(', ')}</td>
              <td>${gains ? 'gains' : 'loses'} ${of} (${role})</td>
            </tr>`,
        ),
      );

const rulesPart = (rules: BundleDiff['rules']): Markup | '' =>
  rules.length === 0
    ? ''
    : part(
        'Rules',
        ['Rule', 'Where', 'What'],
        widestFirst(rules).map(
          ({ rule, effect, how, file, line, seen, widening }) =>
            html`<tr>
              <td><code>${rule}</code> ${mark(widening)}</td>
              <td>${untrusted(`${file}:${line}`)}</td>
              <td>
                ${effect}
                ${how}${seen || how === 'reworded' ? '' : html`<span class="sub">no answer that was tried comes out otherwise by it</span>`}
              </td>
            </tr>`,
        ),
      );

const registersPart = (registers: BundleDiff['registers']): Markup | '' =>
  registers.length === 0
    ? ''
    : part(
        'In the files',
        ['Where', 'Field', 'Was', 'Becomes'],
        widestFirst(registers).map(
          ({ where, field, before, after, widening }) =>
            html`<tr>
              <td><code>${where}</code> ${mark(widening)}</td>
              <td>${field}</td>
              <td class="was">${valueOf(before)}</td>
              <td class="becomes">${valueOf(after)}</td>
            </tr>`,
        ),
      );

/** Its whole text, folded where it is long. */
const LONGEST = 120;

function valueOf(value: Json): Markup | string {
  if (value === null) return 'not there';
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  if (text.length <= LONGEST) return untrusted(text);
  return html`<details>
    <summary>${untrusted(text.slice(0, LONGEST / 2))}…</summary>
    <pre>${untrusted(text)}</pre>
  </details>`;
}

function part(title: string, heads: readonly string[], rows: readonly Markup[]): Markup {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <div class="wide" tabindex="0" role="region" aria-label="${title}, as a table">
      <table class="difference">
        <thead>
          <tr>
            ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}
