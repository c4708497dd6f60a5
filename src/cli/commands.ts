/** Finds the command, runs it, and turns what comes of it into an exit status. */
import { readFileSync } from 'node:fs';
import { BrevetMisconfigured, BrevetRefused, BrevetUnavailable, BrevetWaiting } from '../client/error.ts';
import { FAILURES } from '../core/failure.ts';
import type { FailureCode } from '../core/failure.ts';
import { nearest } from '../core/nearest.ts';
import { EXIT, helpOf, readArguments, UsageError, wordsOf as commandLine } from './command.ts';
import type { Command } from './command.ts';
import { openTerminal, printable } from './terminal.ts';
import type { Terminal } from './terminal.ts';

interface Module {
  readonly commands: readonly Command[];
}

/** The first word of every command. A file is loaded only when its word is said: `start` brings the whole broker. */
const WORDS: Readonly<Record<string, readonly [says: string, load: () => Promise<Module>]>> = {
  start: ['the broker', () => import('./start.ts')],
  demo: ['the main job, on a sandbox', () => import('./demo.ts')],
  exec: ['a command under one lease', () => import('./exec.ts')],
  'credential-process': ['a session at AWS, for its tools', () => import('./credential-process.ts')],
  tenant: ['clients', () => import('./tenant.ts')],
  context: ['what a tenant is, and what holds there for now', () => import('./context.ts')],
  person: ['humans', () => import('./person.ts')],
  operator: ['people’s ways in, and tokens for them', () => import('./operator.ts')],
  passkey: ['the keys that people sign with', () => import('./passkey.ts')],
  agent: ['non-human principals', () => import('./agent.ts')],
  enrolment: ['agents at tenants', () => import('./enrolment.ts')],
  acceptance: ['who answers for agents that are new at tenants', () => import('./acceptance.ts')],
  issuer: ['OIDC issuers of workloads', () => import('./issuer.ts')],
  vendor: ['vendors of AI', () => import('./vendor.ts')],
  target: ['what credentials are for', () => import('./target.ts')],
  assignment: ['who holds which role', () => import('./assignment.ts')],
  approval: ['what people were asked, and who said what', () => import('./approval.ts')],
  change: ['what takes two persons', () => import('./change.ts')],
  apply: ['a folder of registers: what it would change, and then that', () => import('./apply.ts')],
  offboard: ['who goes, and the proof that what they held is dead', () => import('./offboard.ts')],
  request: ['what was asked', () => import('./request.ts')],
  inventory: ['every agent: whose, what, where, and what it uses', () => import('./inventory.ts')],
  lease: ['credentials, living and dead', () => import('./lease.ts')],
  block: ['the kill switch: preview, raise, watch, lift', () => import('./block.ts')],
  order: ['reversals that oversight has ordered', () => import('./order.ts')],
  review: ['what somebody has to look at', () => import('./review.ts')],
  approver: ['how people answered, for oversight', () => import('./approver.ts')],
  pause: ['everything at its most conservative tier', () => import('./pause.ts')],
  trip: ['circuit breakers that have tripped', () => import('./trip.ts')],
  reconcile: ['what targets hold that no lease knows', () => import('./reconcile.ts')],
  policy: ['the bundle that decides', () => import('./policy.ts')],
};

/** @returns the exit status. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  const terminal = openTerminal(own.includes('--json'));
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    terminal.out(overview());
    return word === undefined ? EXIT.usage : EXIT.done;
  }
  if (word === '--version' || word === 'version') {
    const version = ownVersion();
    terminal.out(terminal.json ? JSON.stringify({ version }) : version);
    return EXIT.done;
  }
  const entry = WORDS[word];
  if (entry === undefined || !Object.hasOwn(WORDS, word)) throw unknown(word, Object.keys(WORDS));
  const { commands } = await entry[1]();
  const command = commands.find(({ name }) => name === word || name === `${word} ${rest[0] ?? ''}`);
  if (command === undefined) return choose(commands, rest[0], terminal);
  const isWord = command.name === word;
  try {
    const given = readArguments(command, isWord ? rest : rest.slice(1));
    if (!given.flag('help')) return await command.run(given, terminal);
    const others = isWord ? commands.filter((other) => other !== command) : [];
    terminal.out(helpOf(command, others));
    return EXIT.done;
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, command.name) : error;
  }
}

/** A first word alone, or with a second one that there is not. */
function choose(commands: readonly Command[], second: string | undefined, terminal: Terminal): number {
  const isHelp = second === '--help' || second === '-h';
  if (second !== undefined && !isHelp) {
    throw unknown(
      second,
      commands.map(({ name }) => name.split(' ')[1] ?? name),
    );
  }
  const shown = commands.map((command) => [`brevet ${commandLine(command)}`, command.says] as const);
  terminal.out(columns(shown));
  return isHelp ? EXIT.done : EXIT.usage;
}

function unknown(word: string, known: readonly string[]): UsageError {
  const meant = nearest(word, known);
  return new UsageError(`there is no command ${printable(word)}${meant === null ? '' : `; did you mean ${meant}?`}`);
}

/** What npm installed, as it says itself. */
function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

const overview = (): string =>
  [
    'brevet: one task, one client, one credential that is proven dead.',
    '',
    columns(Object.entries(WORDS).map(([word, [says]]) => [`brevet ${word}`, says] as const)),
    '',
    'Every command takes --help and --json; brevet --version says which this is. A command ends with 0 done, 1 fault, 2 usage, 3 refused, 4 waiting for a person.',
    '',
    'Example:',
    '  brevet start',
  ].join('\n');

function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

/** Errors go to stderr: words for people, the problem itself for programs. */
function report(error: unknown, terminal: Terminal): number {
  const status = statusOf(error);
  if (terminal.json) terminal.err(JSON.stringify(problemOf(error)));
  else terminal.err(`brevet: ${wordsOf(error)}`);
  return status;
}

/** The broker does not say what of it was wrong, and the assertion was signed for whoever reads this. */
const AS_ENROLLED =
  'Check BREVET_URL (the broker’s public URL), the tenant, BREVET_AGENT, and that the key or token is the one it is enrolled with there.';

/** People said no, or their yes is none any more. */
const NOT_APPROVED: readonly string[] = ['approval_over', 'approval_differs'];

function statusOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof BrevetMisconfigured) return EXIT.usage;
  if (error instanceof BrevetWaiting) return EXIT.waiting;
  if (!(error instanceof BrevetRefused)) return EXIT.fault;
  const status = rowStatus(error);
  if (status === 403 || NOT_APPROVED.includes(error.code)) return EXIT.refused;
  return [400, 413, 415].includes(status) ? EXIT.usage : EXIT.fault;
}

/** By the table: the OAuth endpoints answer 400 for many a refusal. A code that is new since then has its own status. */
const rowStatus = ({ code, status }: BrevetRefused): number =>
  Object.hasOwn(FAILURES, code) ? FAILURES[code as FailureCode].status : status;

function wordsOf(error: unknown): string {
  if (error instanceof BrevetRefused) {
    const { code, detail, hint, path, members } = error;
    const found = [...placesIn(members['problems']), ...placesIn(members['cases'])];
    const lines = [
      `${detail} (${code}${path === null ? '' : `, at ${path}`})`,
      ...found,
      ...(hint === null ? [] : [hint]),
      ...(code === 'invalid_client' ? [AS_ENROLLED] : []),
    ];
    return lines.map(printable).join('\n  ');
  }
  if (error instanceof UsageError) {
    return `${error.message}\nSee ${['brevet', error.command, '--help'].filter((word) => word !== '').join(' ')}.`;
  }
  return error instanceof Error ? error.message : String(error);
}

interface Place {
  readonly file: string;
  readonly line?: number;
  readonly name?: string;
  readonly what?: string;
  readonly differences?: readonly string[];
}

/** What is wrong with a bundle: its problems by their lines, its failing cases by their names. */
const placesIn = (found: unknown): readonly string[] =>
  (Array.isArray(found) ? (found as readonly Place[]) : []).map(
    ({ file, line, name, what, differences = [] }) =>
      `${file}:${line ?? ` ${name}`}: ${what ?? differences.join('; ')}`,
  );

function problemOf(error: unknown): Record<string, unknown> {
  const told = error instanceof BrevetUnavailable ? error.problem : error instanceof BrevetRefused ? error : null;
  if (told !== null) {
    const { code, detail, hint, path, status, requestId, members } = told;
    return { code, detail, hint, path, status, request_id: requestId, ...members };
  }
  if (error instanceof BrevetWaiting) return { code: 'waiting', request: error.request, approval: error.approval };
  const detail = error instanceof Error ? error.message : String(error);
  return { code: error instanceof UsageError ? 'usage' : 'fault', detail };
}
