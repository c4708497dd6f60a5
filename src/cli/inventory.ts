import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { print, shown, table } from './terminal.ts';

const COLUMNS = [
  'name',
  'owner',
  'kind',
  'purpose',
  'vendor',
  'model',
  'autonomy',
  'tenants',
  'data',
  'decisions',
  'last_use',
];

const inventory: Command = {
  name: 'inventory',
  says: 'Lists every agent: whose it is, what it is, where it works, and which of its roles were never used.',
  options: OPERATOR_OPTIONS,
  example: 'brevet inventory --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const agents = await line.all('/api/inventory');
    print(terminal, agents, () => (agents.length === 0 ? 'none' : told(agents)));
    return EXIT.done;
  },
};

const told = (agents: readonly Body[]): string =>
  table(
    [...COLUMNS.map((column) => column.replaceAll('_', ' ')), 'unused roles', 'marks'],
    agents.map((agent) => [
      ...COLUMNS.map((column) => shown(agent[column])),
      shown((agent['unused_roles'] as Body[]).map(({ tenant, role }) => `${shown(role)} at ${shown(tenant)}`)),
      shown(marksOf(agent)),
    ]),
  );

const marksOf = (agent: Body): string[] => [
  ...(agent['can_authenticate'] === true ? [] : ['only listed']),
  ...(agent['active'] === true ? [] : ['disabled']),
  ...(agent['answered_for'] === true ? [] : ['nobody answers for it']),
];

export const commands: readonly Command[] = [inventory];
