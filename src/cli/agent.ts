import { registerCommands } from './register.ts';

export const commands = registerCommands({
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
