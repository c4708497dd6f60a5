/** `policy diff`: who gains or loses what between two bundles, as a table for people. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { createCedar } from '../decide/cedar.ts';
import { diffBundles, diffWire, exampleTrial } from '../decide/diff.ts';
import type { Answered, BundleDiff, Difference, RuleDifference } from '../decide/diff.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { withBundle } from './policy-folder.ts';
import { print, printable, shown, table } from './terminal.ts';

export const diff: Command = {
  name: 'policy diff',
  says: 'Shows which agents and people gain or lose what between two bundles. Needs no broker. Ends with 0 either way.',
  takes: ['FOLDER_A', 'FOLDER_B'],
  example: 'brevet policy diff ./policy ./policy-next',
  run: async (given, terminal) => {
    const engine = createCedar(cedar);
    return withBundle(terminal, given.need('FOLDER_A'), engine, (before) =>
      withBundle(terminal, given.need('FOLDER_B'), engine, (after) => {
        const found = diffBundles(exampleTrial(before, after, createRulebook(engine, { keepAnswers: false })));
        print(terminal, diffWire(found), () => report(found));
        return EXIT.done;
      }),
    );
  },
};

const mark = (widening: boolean): string => (widening ? 'WIDER' : '');

function report(found: BundleDiff): string {
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
    section(
      ['not evaluated', 'why'],
      found.notEvaluated.map(({ task, why }) => [task, why]),
    ),
  ].filter((text) => text !== '');
  return [...tables, `${widens ? 'this WIDENS what may be done' : 'nothing is widened'}; digest ${digest}`].join(
    '\n\n',
  );
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
