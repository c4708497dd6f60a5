/**
 * The registers that administrators keep, as commands: `put`, `get`, `list` and `remove` over a table each.
 */
import type { Json, JsonObject } from '../core/canonical.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given, Option, Options } from './command.ts';
import { readObject } from './files.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { PROPOSING, propose } from './propose.ts';
import type { Body, Query } from './operator-line.ts';
import { fields, print, printable, shown, table } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** How an option becomes a field of the body; the name is the option's, with underscores. */
export interface Field {
  readonly says: string;
  readonly is: 'text' | 'whole' | 'list';
}

export interface Register {
  /** The word of the command. */
  readonly noun: string;
  readonly what: string;
  /** Kept for each tenant: every command then needs `--tenant`. */
  readonly ofTenant?: true;
  /** What a `put` leaves out stays as it was. */
  readonly keeps?: true;
  /** One that was removed may be put again. */
  readonly comesBack?: true;
  /** Where its items are, below the deployment's API. */
  readonly path: (given: Given) => string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Further options, and what they make of the body. */
  readonly more?: { readonly options: Options; readonly body: (given: Given) => JsonObject };
  /** How what is put is proposed, where that takes two persons; its reason comes beside it. */
  readonly proposal?: (given: Given, body: JsonObject) => JsonObject;
  /** Which fields of an item a list shows. */
  readonly columns: readonly string[];
  readonly examples: { readonly put: string; readonly named: string };
}

const TENANT: Options = { tenant: { takes: 'NAME', says: 'at this tenant', needed: true } };
const FILE: Option = {
  takes: 'FILE',
  short: 'f',
  says: 'fields from YAML or JSON; - is stdin. Options go before them',
};

/** Why, for the ledger. */
export const REASON: Options = { reason: { takes: 'TEXT', says: 'why, for the ledger' } };

export function reasonHeaders(given: Given): { readonly headers?: Readonly<Record<string, string>> } {
  const reason = given.text('reason');
  return reason === undefined ? {} : { headers: { 'brevet-reason': encodeURIComponent(reason) } };
}

export function registerCommands(register: Register): readonly Command[] {
  return [putCommand(register), getCommand(register), listCommand(register), removeCommand(register)];
}

const scope = ({ ofTenant }: Register): Options => ({ ...(ofTenant ? TENANT : {}), ...OPERATOR_OPTIONS });

const placeOf = (register: Register, given: Given): string =>
  `${register.path(given)}/${encodeURIComponent(given.need('NAME'))}`;

function putCommand(register: Register): Command {
  const { noun, what, fields: described, more, examples, keeps, proposal } = register;
  return {
    name: `${noun} put`,
    says: `Writes ${what}${keeps ? ': what is left out stays as it is' : ', in whole: what is left out is reset'}.`,
    takes: ['NAME'],
    options: {
      ...REASON,
      ...fieldOptions(described),
      ...more?.options,
      file: FILE,
      ...(proposal === undefined ? {} : PROPOSING),
      ...scope(register),
    },
    example: `brevet ${noun} put ${examples.put}`,
    run: async (given, terminal) => {
      const body = bodyOf(register, given);
      const line = await operatorLine(given);
      const reason = given.text('propose');
      if (proposal !== undefined && reason !== undefined) {
        return propose(line, terminal, { ...proposal(given, body), reason });
      }
      const answer = await line.send({ method: 'PUT', path: placeOf(register, given), body, ...reasonHeaders(given) });
      return acknowledge(terminal, answer, `${noun} ${given.need('NAME')} is written`);
    },
  };
}

const fieldOptions = (described: Register['fields']): Options =>
  Object.fromEntries(
    Object.entries(described).map(([name, { says, is }]) => [
      name,
      { says, takes: is === 'whole' ? 'N' : 'TEXT', ...(is === 'list' ? { many: true as const } : {}) },
    ]),
  );

/** What the file says, and over it what the options say. */
export function bodyOf({ fields: described, more }: Pick<Register, 'fields' | 'more'>, given: Given): JsonObject {
  const file = given.text('file');
  const written = Object.entries(described).flatMap(([name, { is }]) => {
    const value = valueOf(given, name, is);
    return value === undefined ? [] : [[name.replaceAll('-', '_'), value] as const];
  });
  return {
    ...(file === undefined ? {} : readObject(file)),
    ...(Object.fromEntries(written) as JsonObject),
    ...more?.body(given),
  };
}

function valueOf(given: Given, name: string, is: Field['is']): Json | undefined {
  if (is === 'text') return given.text(name);
  if (is === 'whole') return given.whole(name);
  const list = given.list(name);
  return list.length === 0 ? undefined : list;
}

export function acknowledge(terminal: Terminal, answer: Body, done: string): number {
  const receipt = answer['receipt'] as { entry?: string } | undefined;
  print(terminal, answer, () => `${done}${receipt?.entry === undefined ? '' : ` (${printable(receipt.entry)})`}`);
  return EXIT.done;
}

function getCommand(register: Register): Command {
  const { noun, what, examples } = register;
  return {
    name: `${noun} get`,
    says: `Shows ${what}.`,
    takes: ['NAME'],
    options: scope(register),
    example: `brevet ${noun} get ${examples.named}`,
    run: async (given, terminal) => {
      const line = await operatorLine(given);
      const item = await line.send({ method: 'GET', path: placeOf(register, given) });
      print(terminal, item, () => fields(item));
      return EXIT.done;
    },
  };
}

function listCommand(register: Register): Command {
  const { noun, what, columns } = register;
  const example = `brevet ${noun} list${register.ofTenant ? ' --tenant acme' : ''} --as ada`;
  return {
    name: `${noun} list`,
    says: `Lists them all: ${what}.`,
    options: scope(register),
    example,
    run: async (given, terminal) => {
      const line = await operatorLine(given);
      printList(terminal, await line.all(register.path(given)), columns);
      return EXIT.done;
    },
  };
}

/** What the broker narrows a list to: the options of these names. */
export const narrowed = (given: Given, names: readonly string[]): Query =>
  Object.fromEntries(names.map((name) => [name, given.text(name)]));

export function printList(terminal: Terminal, items: readonly Body[], columns: readonly string[]): void {
  const rows = (): string[][] => items.map((item) => columns.map((column) => shown(item[column])));
  const heads = columns.map((column) => column.replaceAll('_', ' '));
  print(terminal, items, () => (items.length === 0 ? 'none' : table(heads, rows())));
}

function removeCommand(register: Register): Command {
  const { noun, what, examples, comesBack } = register;
  const forGood = comesBack ? '' : ', for good: its name is not given again';
  return {
    name: `${noun} remove`,
    says: `Removes ${what}${forGood}; what rests on it ends.`,
    takes: ['NAME'],
    options: { ...REASON, ...scope(register) },
    example: `brevet ${noun} remove ${examples.named}`,
    run: async (given, terminal) => {
      const line = await operatorLine(given);
      const answer = await line.send({ method: 'DELETE', path: placeOf(register, given), ...reasonHeaders(given) });
      return acknowledge(terminal, answer, `${noun} ${given.need('NAME')} is removed`);
    },
  };
}

/** Exactly one of two options. @throws {UsageError} */
export function oneOf(given: Given, a: string, b: string): string {
  const [first, second] = [given.text(a), given.text(b)];
  if ((first === undefined) === (second === undefined)) throw new UsageError(`give --${a} or --${b}, one of them`);
  return first === undefined ? b : a;
}
