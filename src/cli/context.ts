import { UsageError, EXIT } from './command.ts';
import type { Command, Given, Options } from './command.ts';
import { readObject } from './files.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { acknowledge } from './register.ts';
import { fields, print, shown, table } from './terminal.ts';

const TENANT: Options = { tenant: { takes: 'NAME', says: 'at this tenant', needed: true } };

const pathOf = (given: Given, rest: string): string =>
  `/api/tenants/${encodeURIComponent(given.need('tenant'))}/${rest}`;

const SITUATION: Options = {
  until: { takes: 'TIME', says: 'when it ends by itself, as 2026-12-31T00:00:00Z' },
  from: { takes: 'TIME', says: 'when it begins; now, unless told' },
  resource: { takes: 'RESOURCE', says: 'of a data subject request: what it is about' },
  'ask-within': { takes: 'N', says: 'of an incident: how many seconds what still asks may wait; 900 by default' },
  reason: { takes: 'TEXT', says: 'why, for the ledger' },
};

const set: Command = {
  name: 'context set',
  says: 'Writes what a tenant is, in whole, from a file; or sets an incident, a freeze or a data-subject-request.',
  takes: ['[SITUATION]'],
  options: {
    file: { takes: 'FILE', short: 'f', says: 'the context in YAML or JSON; - is stdin' },
    ...SITUATION,
    ...TENANT,
    ...OPERATOR_OPTIONS,
  },
  example: `brevet context set freeze --tenant acme --until 2027-01-04T06:00:00Z --reason 'Year-end closing' --as ada`,
  run: async (given, terminal) => {
    const kind = given.text('SITUATION');
    if (kind !== undefined) {
      const body = situationBody(given, kind);
      const line = await operatorLine(given);
      const answer = await line.send({ method: 'POST', path: pathOf(given, 'situations'), body });
      return acknowledge(terminal, answer, `${kind} ${shown(answer['id'])} is set`);
    }
    const body = contextBody(given);
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'PUT', path: pathOf(given, 'context'), body });
    return acknowledge(terminal, answer, `the context of ${given.need('tenant')} is written`);
  },
};

function contextBody(given: Given) {
  const stray = Object.keys(SITUATION).find((name) => given.text(name) !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray} is of a situation: say which`);
  return readObject(given.need('file'));
}

function situationBody(given: Given, kind: string) {
  if (given.text('file') !== undefined) throw new UsageError('a situation is told by options, not by --file');
  const { until, reason } = { until: given.need('until'), reason: given.need('reason') };
  const [from, resource, within] = [given.text('from'), given.text('resource'), given.whole('ask-within')];
  return {
    kind,
    until,
    reason,
    ...(from === undefined ? {} : { from }),
    ...(resource === undefined ? {} : { resource }),
    ...(within === undefined ? {} : { ask_within: within }),
  };
}

const end: Command = {
  name: 'context end',
  says: 'Ends an incident (oversight), a freeze or a data subject request (administration) before its time.',
  takes: ['SITUATION'],
  options: { reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true }, ...TENANT, ...OPERATOR_OPTIONS },
  example: `brevet context end sit_01jq… --tenant acme --reason 'Closing is done' --as ada`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const id = given.need('SITUATION');
    const path = pathOf(given, `situations/${encodeURIComponent(id)}/end`);
    const answer = await line.send({ method: 'POST', path, body: { reason: given.need('reason') } });
    return acknowledge(terminal, answer, `${id} is ended`);
  },
};

const COLUMNS = ['id', 'kind', 'resource', 'from', 'until', 'author'];

const show: Command = {
  name: 'context show',
  says: 'Shows what a tenant is, and what holds there for the time being.',
  options: { ...TENANT, ...OPERATOR_OPTIONS },
  example: 'brevet context show --tenant acme --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'GET', path: pathOf(given, 'context') });
    const { situations, ...context } = answer;
    const open = (situations ?? []) as Body[];
    const rows = (): string[][] => open.map((one) => COLUMNS.map((column) => shown(one[column])));
    print(terminal, answer, () =>
      open.length === 0 ? fields(context) : `${fields(context)}\n\n${table(COLUMNS, rows())}`,
    );
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [set, end, show];
