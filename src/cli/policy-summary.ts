/** `policy summary`: one page that a client would read. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { createCedar } from '../decide/cedar.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { exampleScene, summarize, summaryWire } from '../decide/summary.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { HERE, withBundle } from './policy-folder.ts';
import { print, printable, shown } from './terminal.ts';

export const summary: Command = {
  name: 'policy summary',
  says: 'One page for people: what agents do, do and tell, must ask for, and never do. By a bundle’s examples, or at a client of the broker.',
  takes: ['[FOLDER]'],
  options: { tenant: { takes: 'NAME', says: 'at this client alone' }, ...OPERATOR_OPTIONS },
  example: 'brevet policy summary ./policy --tenant acme',
  run: async (given, terminal) => {
    const tenant = given.text('tenant');
    if (given.text('as') !== undefined || given.text('token-file') !== undefined) {
      const query = new URLSearchParams({ tenant: given.need('tenant') }).toString();
      const line = await operatorLine(given);
      const found = await line.send({ method: 'GET', path: `/api/policy/summary?${query}` });
      print(terminal, found, () => page(found));
      return EXIT.done;
    }
    const engine = createCedar(cedar);
    return withBundle(terminal, given.text('FOLDER') ?? HERE, engine, (bundle) => {
      const scene = exampleScene(bundle, createRulebook(engine), tenant ?? null);
      if (scene.worlds.length === 0) throw new UsageError(`the cases have no client ${printable(tenant ?? '')}`);
      const found = summaryWire(summarize(scene));
      print(terminal, found, () => page(found));
      return EXIT.done;
    });
  },
};

const rows = (whole: Body, name: string): readonly Body[] => (whole[name] ?? []) as readonly Body[];

const SECTIONS = [
  ['acts', 'Agents do this by themselves'],
  ['tells', 'Agents do this, and tell people at once'],
  ['asks', 'Agents ask, and wait for a person'],
  ['never', 'Agents do not do this'],
] as const;

function page(found: Body): string {
  const where = found['tenant'] === null ? 'at all clients' : `at ${shown(found['tenant'])}`;
  const roles = rows(found, 'roles');
  const alone = rows(found, 'people_alone').map(({ task }) => shown(task));
  const sections = SECTIONS.map(([way, title]) =>
    section(title, [
      ...roles.flatMap((role) => roleLines(role, way, found['tenant'] !== null)),
      ...(way === 'never' && alone.length > 0 ? [`by people alone, whoever approves: ${alone.join(', ')}`] : []),
    ]),
  );
  const rules = rows(found, 'rules');
  const words = (asks: boolean): string[] =>
    rules.filter((rule) => rule['asks'] === asks).map((rule) => shown(rule['words']));
  const starred = roles.some((role) => rows(role, 'tasks').some((task) => task['at_most'] === true));
  return [
    `What agents may do ${where}\nanswered for by ${shown(found['owner'])}, looked at again by ${shown(found['next_review'])}; policy ${shown(found['policy'])}`,
    ...sections,
    ...(starred ? ['* at most: less freely for some agents, systems or clients'] : []),
    section('A person is asked, whatever the task, where', words(true)),
    section('Nobody can approve, where', words(false)),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n');

/** A role's task classes that go one way; at one client, with why they must ask. */
function roleLines(role: Body, way: string, atOne: boolean): string[] {
  const together = new Map<string, string[]>();
  for (const task of rows(role, 'tasks').filter((one) => one['way'] === way)) {
    const tells = way === 'never' || (way === 'asks' && atOne);
    const reasons = tells ? ((task['reasons'] ?? []) as readonly string[]).map(printable).join(' ') : '';
    const named = `${shown(task['task'])}${task['at_most'] === true ? '*' : ''}`;
    together.set(reasons, [...(together.get(reasons) ?? []), named]);
  }
  return [...together].map(([reasons, tasks]) =>
    [`${shown(role['role'])}: ${tasks.join(', ')}`, ...(reasons === '' ? [] : [reasons])].join(': '),
  );
}
