import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge, printList } from './register.ts';

const list: Command = {
  name: 'trip list',
  says: 'Lists circuit breakers that have tripped where you oversee, newest first.',
  options: { standing: { says: 'those alone that nobody has ended' }, ...OPERATOR_OPTIONS },
  example: 'brevet trip list --standing --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.all('/api/trips', given.flag('standing') ? { standing: 'true' } : {});
    printList(terminal, found, ['id', 'tenant', 'agent', 'task', 'breaker', 'to', 'from', 'block', 'ended_by']);
    return EXIT.done;
  },
};

const reset: Command = {
  name: 'trip reset',
  says: 'Resets one to which an agent has to ask, where you oversee and do not answer for it; counting begins anew.',
  takes: ['TRIP'],
  options: { reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true }, ...OPERATOR_OPTIONS },
  example: `brevet trip reset trp_01jq… --reason 'the vendor has mended its API' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const id = given.need('TRIP');
    const path = `/api/trips/${encodeURIComponent(id)}/reset`;
    const answer = await line.send({ method: 'POST', path, body: { reason: given.need('reason') } });
    return acknowledge(terminal, answer, `${id} is reset, and counting begins anew`);
  },
};

export const commands: readonly Command[] = [list, reset];
