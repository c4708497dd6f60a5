import { EXIT } from './command.ts';
import type { Command, Given, Options } from './command.ts';
import { foundOutAbout } from './diff-words.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge, printList } from './register.ts';
import { fields, print } from './terminal.ts';

const PATH = '/api/changes';

const pathOf = (given: Given, verb = ''): string => `${PATH}/${encodeURIComponent(given.need('CHANGE'))}${verb}`;

const list: Command = {
  name: 'change list',
  says: 'Lists what takes two persons, as it was proposed: at the deployment, or at one tenant.',
  options: { tenant: { takes: 'NAME', says: 'at this tenant; without it, at the deployment' }, ...OPERATOR_OPTIONS },
  example: 'brevet change list --token-file token',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'what', 'state', 'proposer', 'confirmer', 'expires_at', 'reason'];
    printList(terminal, await line.all(PATH, { tenant: given.text('tenant') }), columns);
    return EXIT.done;
  },
};

const show: Command = {
  name: 'change show',
  says: 'Shows a change that takes two: everything that will be done, and the hash that stands for it.',
  takes: ['CHANGE'],
  options: OPERATOR_OPTIONS,
  example: 'brevet change show chg_01jq… --token-file token',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.send({ method: 'GET', path: pathOf(given) });
    const { shown: _, ...change } = found;
    print(terminal, found, () => [foundOutAbout(found), fields(change)].filter((text) => text !== '').join('\n\n'));
    return EXIT.done;
  },
};

/** The hash says what was seen: it is given by whoever confirms, and never looked up for them. */
export const HASH: Options = { hash: { takes: 'HASH', says: 'of what you saw', needed: true } };

const confirm: Command = {
  name: 'change confirm',
  says: 'Confirms what another person proposed, and it is done. Both sign in at the operators’ issuer.',
  takes: ['CHANGE'],
  options: { ...HASH, ...OPERATOR_OPTIONS },
  example: 'brevet change confirm chg_01jq… --hash 6f1e… --token-file token',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({
      method: 'POST',
      path: pathOf(given, '/confirm'),
      body: { hash: given.need('hash') },
    });
    return acknowledge(terminal, answer, `${given.need('CHANGE')} is confirmed`);
  },
};

const withdraw: Command = {
  name: 'change withdraw',
  says: 'Withdraws a change that was proposed. It takes one.',
  takes: ['CHANGE'],
  options: OPERATOR_OPTIONS,
  example: 'brevet change withdraw chg_01jq… --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: pathOf(given, '/withdraw') });
    return acknowledge(terminal, answer, `${given.need('CHANGE')} is withdrawn`);
  },
};

export const commands: readonly Command[] = [list, show, confirm, withdraw];
