import { EXIT } from './command.ts';
import type { Command, Given } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { REASON, acknowledge, reasonHeaders, registerCommands } from './register.ts';
import { fields, print } from './terminal.ts';

const register = registerCommands({
  noun: 'person',
  what: 'a person: one human, to whom operators and agents lead',
  path: () => '/api/people',
  proposal: (given, body) => ({ act: 'person.put', name: given.need('NAME'), body }),
  fields: {
    'display-name': { says: 'their name', is: 'text' },
    email: { says: 'where they are told', is: 'text' },
  },
  columns: ['name', 'display_name', 'email', 'active'],
  examples: { put: `grace --display-name 'Grace Hopper' --email grace@msp.example --as ada`, named: 'grace --as ada' },
});

const absenceOf = (given: Given): string => `/api/people/${encodeURIComponent(given.need('NAME'))}/absences`;

const away: Command = {
  name: 'person away',
  says: 'Says when a person is away, and so asked nothing: by themselves, or an administrator. Without --until, shows it.',
  takes: ['NAME'],
  options: {
    until: { takes: 'TIME', says: 'when they are back, as 2026-12-31T07:00:00Z; within 90 days' },
    from: { takes: 'TIME', says: 'when it begins; now, unless told' },
    ...REASON,
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet person away paula --until 2026-12-31T07:00:00Z --as ada',
  run: async (given, terminal) => {
    const [from, until] = [given.text('from'), given.text('until')];
    const line = await operatorLine(given);
    if (until === undefined) {
      const answer = await line.send({ method: 'GET', path: absenceOf(given) });
      print(terminal, answer, () => fields(answer));
      return EXIT.done;
    }
    const body = { until, ...(from === undefined ? {} : { from }) };
    const answer = await line.send({ method: 'PUT', path: absenceOf(given), body, ...reasonHeaders(given) });
    return acknowledge(terminal, answer, `${given.need('NAME')} is away until ${until}`);
  },
};

const back: Command = {
  name: 'person back',
  says: 'Ends a person’s absence before its time.',
  takes: ['NAME'],
  options: { ...REASON, ...OPERATOR_OPTIONS },
  example: 'brevet person back paula --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'DELETE', path: absenceOf(given), ...reasonHeaders(given) });
    return acknowledge(terminal, answer, `${given.need('NAME')} is back`);
  },
};

export const commands: readonly Command[] = [...register, away, back];
