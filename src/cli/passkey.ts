import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge, printList } from './register.ts';

const PATH = '/api/passkeys';

const list: Command = {
  name: 'passkey list',
  says: 'Lists the passkeys with which people sign. One that waits for its second person is a change: brevet change list.',
  options: OPERATOR_OPTIONS,
  example: 'brevet passkey list --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'person', 'label', 'device_bound', 'enrolled_at', 'confirmed_by'];
    printList(terminal, await line.all(PATH), columns);
    return EXIT.done;
  },
};

const remove: Command = {
  name: 'passkey remove',
  says: 'Removes a passkey that was lost, with the sessions that it opened. Its owner enrols another, and that takes two.',
  takes: ['PASSKEY'],
  options: OPERATOR_OPTIONS,
  example: 'brevet passkey remove unJ78iUwLX7ts6-s… --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const id = given.need('PASSKEY');
    const answer = await line.send({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
    return acknowledge(terminal, answer, `${id} is removed`);
  },
};

export const commands: readonly Command[] = [list, remove];
