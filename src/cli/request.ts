import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { narrowed, printList } from './register.ts';
import { fields, print } from './terminal.ts';

const list: Command = {
  name: 'request list',
  says: 'Lists what agents asked for, at the tenants that you oversee, newest first.',
  options: {
    tenant: { takes: 'NAME', says: 'at this tenant alone' },
    agent: { takes: 'NAME', says: 'of this agent alone' },
    effect: { takes: 'EFFECT', says: 'decided so alone: permit, ask or forbid' },
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet request list --tenant acme --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'at', 'tenant', 'agent', 'task', 'resource', 'effect', 'lease'];
    printList(terminal, await line.all('/api/requests', narrowed(given, ['tenant', 'agent', 'effect'])), columns);
    return EXIT.done;
  },
};

const show: Command = {
  name: 'request show',
  says: 'Shows one request and how it was decided.',
  takes: ['REQUEST'],
  options: OPERATOR_OPTIONS,
  example: 'brevet request show req_01jq… --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const path = `/api/requests/${encodeURIComponent(given.need('REQUEST'))}`;
    const request = await line.send({ method: 'GET', path });
    print(terminal, request, () => fields(request));
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [list, show];
