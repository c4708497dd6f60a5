import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { printList } from './register.ts';

const list: Command = {
  name: 'order list',
  says: 'Lists reversals that were ordered where you oversee, newest first, and the request that took each.',
  options: OPERATOR_OPTIONS,
  example: 'brevet order list --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'tenant', 'agent', 'task', 'resource', 'takes_back', 'by', 'at', 'until', 'request'];
    printList(terminal, await line.all('/api/orders'), columns);
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [list];
