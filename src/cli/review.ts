import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge, printList } from './register.ts';
import { print, shown } from './terminal.ts';

const list: Command = {
  name: 'review list',
  says: 'Lists what somebody has to look at where you oversee, newest first.',
  options: { open: { says: 'those alone that nobody has done' }, ...OPERATOR_OPTIONS },
  example: 'brevet review list --open --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.all('/api/reviews', given.flag('open') ? { open: 'true' } : {});
    printList(terminal, found, ['id', 'tenant', 'what', 'about', 'agent', 'opened_by', 'reason', 'due', 'done_by']);
    return EXIT.done;
  },
};

const open: Command = {
  name: 'review open',
  says: 'Has somebody else look at what was done under a lease.',
  takes: ['LEASE'],
  options: {
    tenant: { takes: 'NAME', says: 'whose it is', needed: true },
    reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true },
    due: { takes: 'TIME', says: 'until when; otherwise in a week' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet review open lse_01jq… --tenant acme --reason 'an odd hour' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const due = given.text('due');
    const said = { tenant: given.need('tenant'), lease: given.need('LEASE'), reason: given.need('reason') };
    const body = { ...said, ...(due === undefined ? {} : { due }) };
    const opened = await line.send({ method: 'POST', path: '/api/reviews', body });
    print(terminal, opened, () => `review ${shown(opened['id'])} is open until ${shown(opened['due'])}`);
    return EXIT.done;
  },
};

const done: Command = {
  name: 'review done',
  says: 'Says what you made of it, which closes it. For somebody who had no hand in what it is about.',
  takes: ['REVIEW'],
  options: { words: { takes: 'TEXT', says: 'what you made of it', needed: true }, ...OPERATOR_OPTIONS },
  example: `brevet review done rev_01jq… --words 'one endpoint, rightly' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const id = given.need('REVIEW');
    const path = `/api/reviews/${encodeURIComponent(id)}/done`;
    const answer = await line.send({ method: 'POST', path, body: { words: given.need('words') } });
    return acknowledge(terminal, answer, `review ${id} is done`);
  },
};

export const commands: readonly Command[] = [list, open, done];
