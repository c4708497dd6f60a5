/** What differs between two bundles, in tables for people; and what a proposed policy comes with for its second person. */
import type { Answered, BundleDiff, Difference, RuleDifference } from '../decide/diff.ts';
import { foundOut } from './findings.ts';
import type { Body } from './operator-line.ts';
import { printable, shown, table } from './terminal.ts';

const mark = (widening: boolean): string => (widening ? 'WIDER' : '');

/** As tables, the wider marked. */
export function report(found: BundleDiff): string {
  const { differences, people, registers, rules, widens, digest } = found;
  if (found.before === found.after) return `no difference; version ${found.before}`;
  const tables = [
    section(['', 'agent', 'tenant', 'role', 'task', 'target', 'when', 'before', 'after'], rows(differences)),
    section(
      ['', 'person', 'tenant', 'what'],
      people.map(({ person, tenants, gains, function: of, role, widening }) => [
        mark(widening),
        person,
        tenants.join(', '),
        `${gains ? 'gains' : 'loses'} ${of} (${role})`,
      ]),
    ),
    section(
      ['', 'rule', 'where', 'what'],
      rules.map((rule) => [mark(rule.widening), rule.rule, `${rule.file}:${rule.line}`, ruleWords(rule)]),
    ),
    section(
      ['', 'file', 'field', 'before', 'after'],
      registers.map(({ where, field, before, after, widening }) => [
        mark(widening),
        where,
        field,
        short(before),
        short(after),
      ]),
    ),
    ...leftOut(found.notEvaluated),
  ].filter((text) => text !== '');
  return [...tables, `${widens ? 'this WIDENS what may be done' : 'nothing is widened'}; digest ${digest}`].join(
    '\n\n',
  );
}

function leftOut(left: BundleDiff['notEvaluated']): readonly string[] {
  const tasks = Map.groupBy(left, ({ why }) => why);
  return [...tasks].map(([why, of]) => printable(`not tried, since ${why}: ${of.map(({ task }) => task).join(', ')}`));
}

const section = (head: readonly string[], cells: readonly (readonly string[])[]): string =>
  cells.length === 0
    ? ''
    : table(
        head,
        cells.map((row) => row.map(printable)),
      );

/** Agents that it comes to the same for share a line. */
function rows(differences: readonly Difference[]): string[][] {
  const together = new Map<string, { agents: Set<string>; row: string[] }>();
  for (const difference of differences) {
    const { agent, tenant, role, task, targets, before, after, widening } = difference;
    const row = [tenant, role, task, targets.join(', '), when(difference), words(before), words(after)];
    const key = JSON.stringify([widening, row]);
    const line = together.get(key) ?? { agents: new Set(), row: [mark(widening), ...row] };
    line.agents.add(agent);
    together.set(key, line);
  }
  return [...together.values()].map(({ agents, row: [wider = '', ...rest] }) => [
    wider,
    [...agents].join(', '),
    ...rest,
  ]);
}

function when({ when: only, except }: Difference): string {
  if (only.length > 0) return only.join('; ');
  return except.length === 0 ? 'always' : `always but: ${except.join('; ')}`;
}

function words(answered: Answered): string {
  if (answered.answer === 'forbid') return ['no', ...because(answered.rules, answered.code)].join(' ');
  const { answer, tier, ttl, uses, rules } = answered;
  const most = uses === null ? `${ttl} s` : `${ttl} s, ${uses}x`;
  return [answer === 'ask' ? 'ask' : 'permit', `tier ${tier}`, most, ...because(rules, '')].join(' ');
}

const because = (rules: readonly string[], code: string): readonly string[] =>
  rules.length === 0 && code === '' ? [] : [`(${rules.length === 0 ? code : rules.join(', ')})`];

function ruleWords({ effect, how, seen }: RuleDifference): string {
  const nowhere = seen || how === 'reworded' ? '' : ', and no answer that was tried comes out otherwise by it';
  return `${effect} ${how}${nowhere}`;
}

/** A long value says that it differs: the files say how. */
const LONGEST_CELL = 60;
function short(value: unknown): string {
  const text = shown(value);
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}…` : text;
}

interface ShownWith {
  readonly diff?: WireDiff | null;
  readonly at_end?: WireDiff;
  readonly live?: { readonly would_not_be_given: number; readonly leases: readonly Body[] };
  readonly findings?: Parameters<typeof foundOut>[0];
}
type WireDiff = Omit<BundleDiff, 'notEvaluated'> & {
  readonly not_evaluated: BundleDiff['notEvaluated'];
  readonly untried: number;
};

/** What was found out about a change before it was proposed; empty where nothing was. */
export function foundOutAbout({ shown: found }: Body): string {
  if (found === undefined || found === null) return '';
  const { diff, at_end: end, live, findings = [] } = found as ShownWith;
  return [
    diff ? differs(diff) : '',
    end === undefined ? '' : `What is left once the widening ends:\n${differs(end)}`,
    live === undefined ? '' : living(live),
    foundOut(findings).join('\n'),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

const differs = ({ not_evaluated: left, untried, ...diff }: WireDiff): string =>
  [
    report({ ...diff, notEvaluated: left }),
    ...(untried === 0 ? [] : [`${untried} agents at clients were not tried, and may gain`]),
  ].join('\n');

function living({ would_not_be_given: count, leases }: NonNullable<ShownWith['live']>): string {
  if (count === 0) return 'nothing that is live would be given no more';
  const columns = ['lease', 'tenant', 'agent', 'task', 'why'];
  const rows = leases.map((lease) => columns.map((column) => shown(lease[column])));
  return `live, and would be given no more (policy activate --revoke ends them): ${count}\n${table(columns, rows)}`;
}
