/** `policy explain`: why a request is answered as it is, and what would change that. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { posedBy } from '../decide/cases.ts';
import type { Example } from '../decide/cases.ts';
import { createCedar } from '../decide/cedar.ts';
import { explain, explanationWire } from '../decide/explain.ts';
import type { Bundle } from '../decide/bundle.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { parametersOf } from './parameters.ts';
import { HERE, withBundle } from './policy-folder.ts';
import { print, printable, shown, table } from './terminal.ts';
import type { Terminal } from './terminal.ts';

export const explainCommand: Command = {
  name: 'policy explain',
  says: 'Tells why a request is answered as it is and what would change it: a case or an example of a bundle, without a broker; or a request that was made, or might be, at one.',
  takes: ['[FOLDER]'],
  options: {
    case: { takes: 'NAME', says: 'this case of the bundle' },
    request: { takes: 'REQUEST', says: 'this request, as the active policy would answer it now' },
    agent: { takes: 'NAME', says: 'as this agent: an example of the bundle, or one enrolled at the broker' },
    tenant: { takes: 'NAME', says: 'at this tenant, likewise' },
    task: { takes: 'CLASS', says: 'asks for this task class' },
    resource: { takes: 'TARGET', says: 'at this target, or target/rest' },
    param: { takes: 'NAME=VALUE', many: true, says: 'a parameter, as text; NAME:=VALUE for JSON' },
    say: { takes: 'NAME=VALUE', many: true, says: 'what else the request says, such as change=CHG-1; := for JSON' },
    ...OPERATOR_OPTIONS,
  },
  example: "brevet policy explain ./policy --case 'Cardholder data stays out of reach'",
  run: async (given, terminal) => {
    if (given.text('request') !== undefined || atBroker(given)) return fromBroker(given, terminal);
    const engine = createCedar(cedar);
    return withBundle(terminal, given.text('FOLDER') ?? HERE, engine, (bundle) => {
      const posed = posedBy(bundle, createRulebook(engine), exampleOf(bundle, given));
      if (!posed.ok) throw new UsageError(posed.error.detail);
      return tell(terminal, explanationWire(explain(posed.value.policy, posed.value.asking)));
    });
  },
};

/** A hypothetical goes to a broker when it is said who calls. */
const atBroker = (given: Given): boolean =>
  given.text('as') !== undefined || given.text('token-file') !== undefined || given.text('broker') !== undefined;

async function fromBroker(given: Given, terminal: Terminal): Promise<number> {
  const request = given.text('request');
  const line = await operatorLine(given);
  if (request !== undefined) {
    const path = `/api/policy/explain?${new URLSearchParams({ request }).toString()}`;
    return tell(terminal, await line.send({ method: 'GET', path }));
  }
  const { agent, tenant, request: asked } = hypothetical(given);
  return tell(
    terminal,
    await line.send({ method: 'POST', path: '/api/policy/explain', body: { tenant, agent, ...asked } }),
  );
}

/** @throws {UsageError} for a case that there is not. */
function exampleOf({ cases }: Bundle, given: Given): Example {
  const name = given.text('case');
  if (name === undefined) return hypothetical(given);
  const found = cases.flatMap(({ holds }) => holds.cases ?? []).find((one) => one.name === name);
  if (found === undefined) throw new UsageError(`the bundle has no case named ${printable(name)}`);
  return found;
}

const hypothetical = (given: Given): Example => ({
  agent: given.need('agent'),
  tenant: given.need('tenant'),
  request: {
    task: given.need('task'),
    resource: given.need('resource'),
    parameters: parametersOf('param', given.list('param')),
    ...parametersOf('say', given.list('say')),
  },
});

function tell(terminal: Terminal, found: Body): number {
  print(terminal, found, () => words(found));
  return EXIT.done;
}

const part = (whole: Body, name: string): Body => (whole[name] ?? {}) as Body;
const rows = (whole: Body, name: string): readonly Body[] => (whole[name] ?? []) as readonly Body[];

function words(found: Body): string {
  const [agent, lead, recorded] = [part(found, 'agent'), part(found, 'lead'), found['recorded']];
  return [
    `${shown(lead['agent'])} at ${shown(lead['tenant'])} asks for ${shown(lead['task'])} at ${shown(lead['resource'])}`,
    ...(recorded === undefined ? [] : [recordedWords(recorded as Body)]),
    `For the agent\n${agentWords(agent)}`,
    `For the security lead\n${leadWords(lead)}`,
  ].join('\n\n');
}

const recordedWords = (recorded: Body): string =>
  `recorded ${shown(recorded['at'])}: ${shown(recorded['effect'])}, under ${
    recorded['same_policy'] === true ? 'the policy that is active now' : `another policy, ${shown(recorded['policy'])}`
  }`;

function agentWords(agent: Body): string {
  const reason = part(agent, 'reason');
  const said =
    agent['effect'] === 'forbid'
      ? [`no: ${shown(reason['detail'])} (${shown(reason['code'])})`, ...hint(reason)]
      : [`${shown(agent['effect'])}, tier ${shown(agent['tier'])}, ${shown(agent['ttl'])} s`];
  const could = rows(agent, 'could').map((one) => `could: ${shown(one['what'])} -> ${shown(one['answer'])}`);
  return indented([...said, ...could]);
}

const hint = (reason: Body): readonly string[] => (reason['hint'] === undefined ? [] : [shown(reason['hint'])]);

function leadWords(lead: Body): string {
  const approval = part(lead, 'approval');
  const because = approval['because'] === undefined ? [] : [`because ${shown(approval['because'])}`];
  const narrowed = rows(part(lead, 'execution'), 'narrowed').map(
    (one) =>
      `${shown(one['what'])}: ${shown(one['asked'])} asked, ${shown(one['given'])} given, by ${shown(one['by'])}`,
  );
  const decided = [
    `${shown(approval['effect'])} by ${shown(approval['code'] ?? approval['rules'])}; policy ${shown(lead['policy'])}`,
  ];
  const changes = rows(lead, 'changes').map((one) => [
    `if ${shown(one['if'])}`,
    answerWords(part(one, 'to')),
    one['freer'] === true ? 'freer' : 'stricter',
  ]);
  return [
    indented([...decided, ...because, ...narrowed]),
    ...rows(lead, 'roles').map(roleWords),
    ...(changes.length === 0 ? [] : [table(['what would change it', 'answer', ''], changes)]),
  ].join('\n\n');
}

function roleWords(one: Body): string {
  const raised = rows(one, 'raised').map(({ to, because }) => `${shown(because)} to ${shown(to)}`);
  const tier = `tier ${shown(one['tier'])}, of its own ${shown(one['own_tier'])}${raised.length === 0 ? '' : `, raised by ${raised.join(', ')}`}`;
  const rules = rows(one, 'rules').map((rule) => [
    rule['decided'] === true ? 'decided' : '',
    shown(rule['rule']),
    `${shown(rule['effect'])}${rule['lifted'] === true ? ' until approved' : ''}`,
    `${shown(rule['file'])}:${shown(rule['line'])}`,
    shown(rule['reason']),
  ]);
  const facts = Object.entries(part(one, 'facts')).map(([name, value]) => `${name} ${shown(value)}`);
  return [
    indented([`as ${shown(one['role'])}: ${tier}`, `facts: ${facts.join('; ')}`]),
    rules.length === 0 ? '  no rule says anything' : table(['', 'rule', 'says', 'where', 'reason'], rules),
  ].join('\n');
}

const answerWords = (to: Body): string =>
  to['answer'] === 'forbid'
    ? `no (${shown(to['code'])})`
    : `${shown(to['answer'])}, tier ${shown(to['tier'])}, ${shown(to['ttl'])} s`;

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');
