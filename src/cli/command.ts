/**
 * What a command is, and how its arguments are read: a table each, and this one layer over `parseArgs`.
 */
import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.ts';
import type { Terminal } from './terminal.ts';

export const EXIT = { done: 0, fault: 1, usage: 2, refused: 3, waiting: 4 } as const;

/** The caller wrote something that no command takes. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Whose help says what is taken: all words of a command, or none. */
  readonly command: string;

  constructor(message: string, command = '') {
    super(message);
    this.command = command;
  }
}

export interface Option {
  readonly says: string;
  /** What stands for its value in the help; without it the option is a flag. */
  readonly takes?: string;
  readonly many?: true;
  readonly needed?: true;
  readonly short?: string;
}

export type Options = Readonly<Record<string, Option>>;

export interface Command {
  /** All its words, such as `lease revoke`. */
  readonly name: string;
  readonly says: string;
  /** Names of what comes after the words; in brackets what may be left out. */
  readonly takes?: readonly string[];
  /** Whether a command line of its own follows, after `--`. */
  readonly runs?: true;
  readonly options?: Options;
  readonly example: string;
  /** @returns the exit status. */
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** What was given to a command, by the names of its table. */
export interface Given {
  /** @throws {UsageError} where an argument or a needed option is missing. */
  need(name: string): string;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
  /** @throws {UsageError} for what is not a whole number. */
  whole(name: string): number | undefined;
  /** What follows `--`. */
  readonly rest: readonly string[];
}

const COMMON: Options = {
  json: { says: 'print JSON, for programs' },
  help: { says: 'show this', short: 'h' },
};

const optionsOf = (command: Command): Options => ({ ...command.options, ...COMMON });

/** @throws {UsageError} */
export function readArguments(command: Command, argv: readonly string[]): Given {
  const options = optionsOf(command);
  const end = argv.indexOf('--');
  const own = command.runs === true && end >= 0 ? argv.slice(0, end) : argv;
  const { values, positionals } = parse(own, options);
  const named = new Map<string, string | boolean | readonly (string | boolean)[]>(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const takes = command.takes ?? [];
  if (positionals.length > takes.length) throw new UsageError(`one argument too many: ${positionals[takes.length]}`);
  for (const [at, value] of positionals.entries()) named.set(bare(takes[at] ?? ''), value);
  if (named.get('help') !== true) requireAll(options, takes, named);
  return givenOf(named, options, command.runs === true && end >= 0 ? argv.slice(end + 1) : []);
}

const bare = (name: string): string => name.replace(/^\[(.*)\]$/, '$1');

function parse(argv: readonly string[], options: Options) {
  const described = Object.entries(options).map(([name, { takes, many, short }]) => [
    name,
    {
      type: takes === undefined ? ('boolean' as const) : ('string' as const),
      ...(many === undefined ? {} : { multiple: true }),
      ...(short === undefined ? {} : { short }),
    },
  ]);
  try {
    return parseArgs({
      args: [...argv],
      options: Object.fromEntries(described) as Record<string, { type: 'boolean' | 'string' }>,
      allowPositionals: true,
    });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${toldBy(error)}${meantBy(error, Object.keys(options))}`);
    throw error;
  }
}

/** The messages of parseArgs are for people; they name the option and never its value. */
const toldBy = ({ message }: TypeError): string => message.split('. ')[0] ?? message;

function meantBy({ message }: TypeError, known: readonly string[]): string {
  const [, word] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
  const meant = word === undefined ? null : nearest(word, known);
  return meant === null ? '' : `; did you mean --${meant}?`;
}

function requireAll(options: Options, takes: readonly string[], named: ReadonlyMap<string, unknown>): void {
  const missing = takes.find((name) => !name.startsWith('[') && !named.has(name));
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const option = Object.keys(options).find((name) => options[name]?.needed === true && !named.has(name));
  if (option !== undefined) throw new UsageError(`--${option} is missing`);
}

function givenOf(named: ReadonlyMap<string, unknown>, options: Options, rest: readonly string[]): Given {
  const text = (name: string): string | undefined => {
    const value = named.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    rest,
    need: (name) => {
      const value = text(name);
      if (value === undefined) throw new UsageError(`${Object.hasOwn(options, name) ? '--' : ''}${name} is missing`);
      return value;
    },
    list: (name) => (named.get(name) ?? []) as readonly string[],
    flag: (name) => named.get(name) === true,
    whole: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (/^\d{1,9}$/.test(value)) return Number(value);
      throw new UsageError(`--${name} takes a whole number`);
    },
  };
}

/** `k=v` arguments as an object. @throws {UsageError} */
export function pairs(name: string, given: readonly string[]): Readonly<Record<string, string>> {
  const read = given.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--${name} takes name=value`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(read);
}

/** @param others of the same first word, where this is all of its own. */
export function helpOf(command: Command, others: readonly Command[] = []): string {
  const { says, example } = command;
  const options = Object.entries(optionsOf(command));
  const shown = options.map(([option, described]) => [shownOption(option, described), described.says] as const);
  const width = Math.max(...shown.map(([left]) => left.length));
  return [
    `brevet ${[wordsOf(command), ...(options.length > 0 ? ['[options]'] : []), ...(command.runs ? ['-- COMMAND'] : [])].join(' ')}`,
    '',
    `  ${says}`,
    '',
    ...shown.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
    ...(others.length === 0 ? [] : ['See also:', ...others.map((other) => `  brevet ${wordsOf(other)}`), '']),
    'Example:',
    `  ${example}`,
  ].join('\n');
}

export const wordsOf = ({ name, takes = [] }: Command): string => [name, ...takes].join(' ');

function shownOption(name: string, { takes, short, many, needed }: Option): string {
  const written = `${short === undefined ? '' : `-${short}, `}--${name}${takes === undefined ? '' : ` ${takes}`}`;
  return `${written}${many === undefined ? '' : ' …'}${needed === undefined ? '' : ' (needed)'}`;
}
