import { EXIT } from './command.ts';
import type { Command, Given, Options } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { narrowed, printList } from './register.ts';
import { fields, print, printable, shown } from './terminal.ts';

const OF_TENANT: Options = { tenant: { takes: 'NAME', says: 'whose it is', needed: true }, ...OPERATOR_OPTIONS };

const pathOf = (given: Given): string =>
  `/t/${encodeURIComponent(given.need('tenant'))}/leases/${encodeURIComponent(given.need('LEASE'))}`;

const list: Command = {
  name: 'lease list',
  says: 'Lists leases at the tenants that you oversee, newest first.',
  options: {
    tenant: { takes: 'NAME', says: 'at this tenant alone' },
    agent: { takes: 'NAME', says: 'of this agent alone' },
    state: { takes: 'STATE', says: 'in this state alone: opening, active, revoking, revoked or failed' },
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet lease list --tenant acme --state active --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'tenant', 'agent', 'task', 'resource', 'state', 'expires_at', 'exposure_ms'];
    printList(terminal, await line.all('/api/leases', narrowed(given, ['tenant', 'agent', 'state'])), columns);
    return EXIT.done;
  },
};

const show: Command = {
  name: 'lease show',
  says: 'Shows where one lease stands.',
  takes: ['LEASE'],
  options: OF_TENANT,
  example: 'brevet lease show lse_01jq… --tenant acme --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'GET', path: pathOf(given) });
    print(terminal, answer, () => fields((answer['lease'] ?? answer) as Body));
    return EXIT.done;
  },
};

const timeline: Command = {
  name: 'lease timeline',
  says: 'Tells the story of one lease: who, for whom, under which rule, every step, and how dead it is.',
  takes: ['LEASE'],
  options: OF_TENANT,
  example: 'brevet lease timeline lse_01jq… --tenant acme --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'GET', path: `${pathOf(given)}/timeline` });
    print(terminal, answer, () => story(answer));
    return EXIT.done;
  },
};

/** The lease's own lines, then each step with what was done, by whom, and what was said and seen. */
export function story({ steps, ...head }: Body): string {
  const told = ((steps ?? []) as Body[]).flatMap((step) => {
    const { name, by } = (step['actor'] ?? {}) as Body;
    const actor = by === undefined ? shown(name) : `${shown(name)} (${shown(by)})`;
    return [
      `${shown(step['at'])}  ${shown(step['kind'])}  by ${actor}`,
      ...details('', step['facts']),
      ...details('said ', step['said']),
      ...details('seen ', step['seen']),
    ];
  });
  return [fields(head), '', ...told].join('\n');
}

function details(prefix: string, values: unknown): string[] {
  const pairs = Object.entries((values ?? {}) as Body).filter(([, value]) => value !== null);
  return pairs.map(([name, value]) => `    ${prefix}${printable(name)}: ${shown(value)}`);
}

const revoke: Command = {
  name: 'lease revoke',
  says: 'Ends a lease now. Answers when its credential was seen dead, or how far that has come.',
  takes: ['LEASE'],
  options: { reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true }, ...OF_TENANT },
  example: `brevet lease revoke lse_01jq… --tenant acme --reason 'wrong table' --as grace`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const body = { reason: given.need('reason') };
    const answer = await line.send({ method: 'POST', path: `${pathOf(given)}/revoke`, body });
    print(terminal, answer, () => fields((answer['lease'] ?? answer) as Body));
    return EXIT.done;
  },
};

const verdict: Command = {
  name: 'lease verdict',
  says: `Says what you make of a finished lease, apart from its agent's own outcome.
VERDICT is correct, false_positive, false_negative, reversed or caused_incident.`,
  takes: ['LEASE', 'VERDICT'],
  options: { reference: { takes: 'TEXT', says: 'where more of it stands', needed: true }, ...OF_TENANT },
  example: 'brevet lease verdict lse_01jq… correct --tenant acme --reference INC-7 --token-file token',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const body = { verdict: given.need('VERDICT'), reference: given.need('reference') };
    const answer = await line.send({ method: 'POST', path: `${pathOf(given)}/verdict`, body });
    print(terminal, answer, () => fields(answer));
    return EXIT.done;
  },
};

const reverse: Command = {
  name: 'lease reverse',
  says: 'Takes back what was done at tier 2: ends the lease, and orders its rollback, which the agent asks for.',
  takes: ['LEASE'],
  options: { reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true }, ...OF_TENANT },
  example: `brevet lease reverse lse_01jq… --tenant acme --reason 'wrong article' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const body = { reason: given.need('reason') };
    const answer = await line.send({ method: 'POST', path: `${pathOf(given)}/reverse`, body });
    print(terminal, answer, () => fields(answer['order'] as Body));
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [list, show, timeline, revoke, verdict, reverse];
