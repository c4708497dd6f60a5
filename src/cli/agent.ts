import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge, registerCommands } from './register.ts';

const kept = registerCommands({
  noun: 'agent',
  what: 'an agent: a non-human principal with an accountable owner',
  path: () => '/api/agents',
  fields: {
    owner: { says: 'the person accountable for it', is: 'text' },
    deputy: { says: 'the person who stands in', is: 'text' },
    kind: { says: 'autonomous-agent, assistant, workflow, service, embedded or planned', is: 'text' },
    purpose: { says: 'what it is for', is: 'text' },
    decisions: { says: 'something that it decides', is: 'list' },
    vendor: { says: 'who makes it', is: 'text' },
    model: { says: 'the model that it runs on', is: 'text' },
    'model-version': { says: 'the version of that', is: 'text' },
    autonomy: { says: 'advisory, semi-autonomous or autonomous', is: 'text' },
    data: { says: 'a class of data that it touches', is: 'list' },
  },
  columns: ['name', 'owner', 'deputy', 'kind', 'vendor', 'model', 'autonomy', 'active'],
  examples: { put: 'report-bot -f report-bot.yaml --as ada', named: 'report-bot --as ada' },
});

const accept: Command = {
  name: 'agent accept',
  says: 'Takes over an agent whose owner went. You must be its deputy, or named as its owner by an administrator.',
  takes: ['NAME'],
  options: { reason: { takes: 'TEXT', says: 'why, for the ledger' }, ...OPERATOR_OPTIONS },
  example: 'brevet agent accept report-bot --token-file token',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const name = given.need('NAME');
    const path = `/api/agents/${encodeURIComponent(name)}/accept`;
    const answer = await line.send({ method: 'POST', path, body: { reason: given.text('reason') ?? null } });
    return acknowledge(terminal, answer, `agent ${name} is yours`);
  },
};

export const commands: readonly Command[] = [...kept, accept];
