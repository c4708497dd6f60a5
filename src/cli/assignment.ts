import type { JsonObject } from '../core/canonical.ts';
import { EXIT } from './command.ts';
import type { Command, Given, Options } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { PROPOSING, propose } from './propose.ts';
import { acknowledge, bodyOf, oneOf, printList, REASON, reasonHeaders } from './register.ts';
import type { Field } from './register.ts';
import { fields, print, shown } from './terminal.ts';

const PATH = '/api/assignments';

const COLUMNS = ['id', 'tenant', 'holder', 'role', 'function', 'until', 'reviewer'];

const FIELDS: Readonly<Record<string, Field>> = {
  tenant: { says: 'at this tenant; without it, at the deployment', is: 'text' },
  role: { says: 'a role of the active policy', is: 'text' },
  until: {
    says: 'when it ends, as 2026-12-31T00:00:00Z; after 90 days unless told, and until: null in a file means never',
    is: 'text',
  },
  reviewer: { says: 'the person who reviews it', is: 'text' },
};

const HOLDERS: Options = {
  person: { takes: 'NAME', says: 'who gets it, where it is a person' },
  agent: { takes: 'NAME', says: 'who gets it, where it is an agent' },
};

const put: Command = {
  name: 'assignment put',
  says: 'Gives a role to a person or an agent.',
  options: {
    ...Object.fromEntries(Object.entries(FIELDS).map(([name, { says }]) => [name, { takes: 'TEXT', says }])),
    ...HOLDERS,
    ...REASON,
    file: { takes: 'FILE', short: 'f', says: 'fields from YAML or JSON; - is stdin. Options go before them' },
    ...PROPOSING,
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet assignment put --agent report-bot --role reporting --tenant acme --reviewer grace --as ada',
  run: async (given, terminal) => {
    const body = bodyOf({ fields: FIELDS, more: { options: HOLDERS, body: holder } }, given);
    const line = await operatorLine(given);
    const reason = given.text('propose');
    const assignment = { tenant: null, ...body };
    if (reason !== undefined) return propose(line, terminal, { act: 'assignment.put', body: assignment, reason });
    const answer = await line.send({ method: 'POST', path: PATH, body: assignment, ...reasonHeaders(given) });
    return acknowledge(terminal, answer, `assignment ${shown(answer['assignment'])} is written`);
  },
};

function holder(given: Given): JsonObject {
  if (given.text('file') !== undefined && given.text('person') === undefined && given.text('agent') === undefined) {
    return {};
  }
  const kind = oneOf(given, 'person', 'agent');
  return { holder: { [kind]: given.need(kind) } };
}

const list: Command = {
  name: 'assignment list',
  says: 'Lists who holds which role at a tenant, or at the deployment, until when.',
  options: { tenant: { takes: 'NAME', says: 'at this tenant; without it, at the deployment' }, ...OPERATOR_OPTIONS },
  example: 'brevet assignment list --tenant acme --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    printList(terminal, await line.all(PATH, { tenant: given.text('tenant') }), COLUMNS);
    return EXIT.done;
  },
};

const get: Command = {
  name: 'assignment get',
  says: 'Shows one assignment.',
  takes: ['ASSIGNMENT'],
  options: { tenant: { takes: 'NAME', says: 'at this tenant; without it, at the deployment' }, ...OPERATOR_OPTIONS },
  example: 'brevet assignment get asg_01jq… --tenant acme --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.find(PATH, given.need('ASSIGNMENT'), { tenant: given.text('tenant') });
    print(terminal, found, () => fields(found));
    return EXIT.done;
  },
};

const remove: Command = {
  name: 'assignment remove',
  says: 'Ends an assignment, and every lease that rests on it.',
  takes: ['ASSIGNMENT'],
  options: { ...REASON, ...OPERATOR_OPTIONS },
  example: 'brevet assignment remove asg_01jq… --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const id = given.need('ASSIGNMENT');
    const answer = await line.send({
      method: 'DELETE',
      path: `${PATH}/${encodeURIComponent(id)}`,
      ...reasonHeaders(given),
    });
    return acknowledge(terminal, answer, `assignment ${id} is removed`);
  },
};

export const commands: readonly Command[] = [put, list, get, remove];
