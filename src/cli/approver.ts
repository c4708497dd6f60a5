import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { printList } from './register.ts';

const list: Command = {
  name: 'approver list',
  says: 'Shows how approvers answered where you oversee: how fast, how often with a yes, and how many in one go.',
  options: { days: { takes: 'N', says: 'over so many days; 30 by default' }, ...OPERATOR_OPTIONS },
  example: 'brevet approver list --days 7 --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = [
      'person',
      'decisions',
      'approved',
      'narrowed',
      'rejected',
      'approval_rate',
      'median_ms',
      'under_ten_seconds',
      'batches',
      'largest_batch',
    ];
    printList(terminal, await line.all('/api/oversight/approvers', { days: given.text('days') }), columns);
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [list];
