import type { JsonObject } from '../core/canonical.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { printList } from './register.ts';
import { print, shown } from './terminal.ts';

const REASON = { takes: 'TEXT', says: 'why, for the ledger', needed: true } as const;

const placesIn = ({ everywhere, tenants }: Body): string => (everywhere === true ? 'every tenant' : shown(tenants));

const list: Command = {
  name: 'pause list',
  says: 'Lists pauses at the tenants that you oversee, newest first.',
  options: { standing: { says: 'those alone that have not ended' }, ...OPERATOR_OPTIONS },
  example: 'brevet pause list --standing --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.all('/api/pauses', given.flag('standing') ? { standing: 'true' } : {});
    printList(terminal, found, ['id', 'everywhere', 'standing', 'from', 'author', 'reason']);
    return EXIT.done;
  },
};

const end: Command = {
  name: 'pause end',
  says: 'Ends a pause where you oversee, and answer for no agent. It gives nothing back that it ended.',
  takes: ['PAUSE'],
  options: {
    reason: REASON,
    tenant: { takes: 'NAMES', says: 'at these alone, by commas' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet pause end pse_01jq… --reason 'the vendor has answered' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const tenants = given.text('tenant');
    const body = { reason: given.need('reason'), ...(tenants === undefined ? {} : { tenants: tenants.split(',') }) };
    const path = `/api/pauses/${encodeURIComponent(given.need('PAUSE'))}/end`;
    const ended = await line.send({ method: 'POST', path, body });
    print(terminal, ended, () => `pause ${shown(ended['id'])} has ended at ${placesIn(ended)}`);
    return EXIT.done;
  },
};

/** The last of them: its name is the first word of the others. */
const start: Command = {
  name: 'pause',
  says: 'Puts everything where you oversee at its most conservative tier, at once: nothing without a person’s word.',
  options: {
    reason: REASON,
    tenant: { takes: 'NAMES', says: 'at these alone, by commas; otherwise wherever you oversee' },
    everywhere: { says: 'at all tenants, also those to come; takes oversight at each' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet pause --tenant acme --reason 'the planner does odd things' --as grace`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const tenants = given.text('tenant');
    const body: JsonObject = {
      reason: given.need('reason'),
      ...(tenants === undefined ? {} : { tenants: tenants.split(',') }),
      ...(given.flag('everywhere') ? { everywhere: true } : {}),
    };
    const begun = await line.send({ method: 'POST', path: '/api/pauses', body });
    print(terminal, begun, () => `pause ${shown(begun['id'])} stands at ${placesIn(begun)}`);
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [list, end, start];
