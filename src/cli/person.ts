import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'person',
  what: 'a person: one human, to whom operators and agents lead',
  path: () => '/api/people',
  proposal: (given, body) => ({ act: 'person.put', name: given.need('NAME'), body }),
  fields: {
    'display-name': { says: 'their name', is: 'text' },
    email: { says: 'where they are told', is: 'text' },
  },
  columns: ['name', 'display_name', 'email', 'active'],
  examples: { put: `grace --display-name 'Grace Hopper' --email grace@msp.example --as ada`, named: 'grace --as ada' },
});
