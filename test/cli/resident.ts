/**
 * The command line without a process for each call: those of operators do nothing but call and print, and the start of
 * a process is most of what they take. Each word is said once in a run in a process of its own all the same.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFolder } from '../support/leftovers.ts';
import { brevet, cleanEnvironment } from './cli.ts';
import type { Ended, Options } from './cli.ts';

interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

type Answer = Pick<Ended, 'status' | 'out' | 'err'>;

interface Resident {
  readonly child: ChildProcess;
  /** Rejects with its end. */
  readonly ended: Promise<never>;
}

let before: Promise<unknown> = Promise.resolve();
let resident: Resident | null = null;

/** As `brevet`, of commands that end by themselves and leave signals alone. */
export async function residentBrevet(args: readonly string[], options: Options = {}): Promise<Ended> {
  if (isNewWord(args[0]) || options.input !== undefined || options.node !== undefined) return brevet(args, options);
  const { env = {}, cwd = '/' } = options;
  // They share an environment and a working directory there, so they go one after the other.
  const answer = before.then(() => ask({ args, env: { ...cleanEnvironment(), ...env }, cwd }));
  before = answer.catch(() => undefined);
  return { ...(await answer), signal: null };
}

/** Whether no file of the run has said it before. */
function isNewWord(word = ''): boolean {
  const said = join(runFolder(), 'said');
  mkdirSync(said, { recursive: true });
  try {
    // Who makes the folder was first.
    mkdirSync(join(said, `word-${encodeURIComponent(word)}`));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function ask(call: Call): Promise<Answer> {
  resident ??= startResident();
  const { child, ended } = resident;
  // It holds this process open for as long as it owes an answer.
  child.ref();
  child.channel?.ref();
  child.send(call);
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Answer];
  child.unref();
  child.channel?.unref();
  return answer;
}

function startResident(): Resident {
  const child = fork(fileURLToPath(import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then((): never => {
    throw new Error('the resident command line ended');
  });
  return { child, ended };
}

async function answerCall({ args, env, cwd }: Call): Promise<Answer> {
  const { runCommandLine } = await import('../../src/cli/commands.ts');
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
  process.chdir(cwd);
  const text = { out: '', err: '' };
  const taking = (name: 'out' | 'err') => (chunk: unknown) => {
    text[name] += String(chunk);
    return true;
  };
  process.stdout.write = taking('out');
  process.stderr.write = taking('err');
  return { status: await runCommandLine(args), ...text };
}

if (import.meta.main) {
  for await (const [call] of on(process, 'message', { close: ['disconnect'] }))
    process.send?.(await answerCall(call as Call));
}
