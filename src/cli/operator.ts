import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { localToken, OPERATOR_OPTIONS, operatorLine, recovery } from './operator-line.ts';
import { acknowledge, registerCommands } from './register.ts';
import { print } from './terminal.ts';

const kept = registerCommands({
  noun: 'operator',
  what: 'an operator: a person’s way in',
  path: () => '/api/operators',
  proposal: (given, body) => ({ act: 'operator.put', name: given.need('NAME'), body }),
  fields: {
    person: { says: 'the person behind it', is: 'text' },
    issuer: { says: 'the operators’ OIDC issuer', is: 'text' },
    subject: { says: 'who they are there', is: 'text' },
  },
  columns: ['name', 'person', 'issuer', 'subject', 'active'],
  examples: {
    put: 'grace --person grace --issuer https://id.msp.example --subject 248289761001 --as ada',
    named: 'grace --as ada',
  },
});

const token: Command = {
  name: 'operator token',
  says: 'Prints a token for ten minutes, on the machine that holds the deployment key. The first makes the first operator.',
  options: {
    as: { ...OPERATOR_OPTIONS['as'], says: 'the operator (or BREVET_AS)', takes: 'NAME' },
    broker: { says: 'where it is (or BREVET_URL)', takes: 'URL' },
  },
  example: 'BREVET_OPERATOR_TOKEN=$(brevet operator token --as ada) brevet tenant list',
  run: async (given, terminal) => {
    const as = given.text('as') ?? process.env['BREVET_AS'];
    if (!as) throw new UsageError('--as is missing');
    const { token: made } = await localToken(given, as);
    print(terminal, { token: made.reveal() }, () => made.reveal());
    return EXIT.done;
  },
};

const invite: Command = {
  name: 'operator invite',
  says: 'Prints a link that enrols the first administrator’s passkey: once, for half an hour, and while there is none.',
  options: {
    as: { ...OPERATOR_OPTIONS['as'], says: 'the operator (or BREVET_AS)', takes: 'NAME' },
    broker: { says: 'where it is (or BREVET_URL)', takes: 'URL' },
  },
  example: 'brevet operator invite --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: '/api/invitations' });
    print(terminal, answer, () => String(answer['url']));
    return EXIT.done;
  },
};

const recover: Command = {
  name: 'operator recover',
  says: 'Stops all issuing and goes back to set-up, on the machine that holds the deployment key: where fewer than two administrators are left.',
  options: {
    as: { ...OPERATOR_OPTIONS['as'], says: 'who administers it from then on; made if there is none (or BREVET_AS)' },
    broker: { says: 'where it is (or BREVET_URL)', takes: 'URL' },
  },
  example: 'brevet operator recover --as grace',
  run: async (given, terminal) => {
    const as = given.text('as') ?? process.env['BREVET_AS'];
    if (!as) throw new UsageError('--as is missing');
    const answer = await recovery(given, as);
    return acknowledge(
      terminal,
      answer,
      `${as} administers the deployment, set-up lasts, and nothing is issued until two administrators have signed in`,
    );
  },
};

const signOut: Command = {
  name: 'operator sign-out',
  says: 'Ends every session at the console of the person behind an operator, at once.',
  takes: ['NAME'],
  options: OPERATOR_OPTIONS,
  example: 'brevet operator sign-out grace --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const name = given.need('NAME');
    const answer = await line.send({ method: 'DELETE', path: `/api/operators/${encodeURIComponent(name)}/sessions` });
    return acknowledge(terminal, answer, `${name} is signed out everywhere`);
  },
};

export const commands: readonly Command[] = [...kept, token, invite, recover, signOut];
