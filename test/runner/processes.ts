/** Test files in processes: each in its own, or one after another in one that they share. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { END, findEnded, problemIn, withoutEnded } from './ended.ts';
import { judge } from './judge.ts';
import type { FileResult } from './judge.ts';

export interface Conditions {
  readonly env: NodeJS.ProcessEnv;
  /** What Node loads before a file, as its own options. */
  readonly preloaded: readonly string[];
  /** Seconds that a file may take. */
  readonly limit: number;
}

/** A test that prints without end is killed before it fills this machine's memory. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const TOGETHER = fileURLToPath(new URL('./together.ts', import.meta.url));

const running = new Set<number>();
let interrupted = false;

/** Ends all that runs, at once. */
export function interrupt(): void {
  interrupted = true;
  for (const pid of running) killGroup(pid);
}

/** Kills a process with all that it started, as far as that stayed in its process group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

interface Started {
  readonly child: ChildProcess;
  /** Once its streams are closed. */
  readonly closed: Promise<void>;
  /** What it has said since it was last asked to forget. */
  said(): { readonly stdout: string; readonly output: string };
  forget(): void;
  /** Why it was stopped, or how it ended badly. */
  ended(): string | undefined;
  stop(why: string): void;
  /** Called whenever it has said more. */
  look(looker: () => void): void;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv, channel: boolean): Started {
  const child = spawn(process.execPath, args, {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])],
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  let stdout = '';
  let output = '';
  let ended: string | undefined;
  let look = (): void => {};
  const stop = (why: string): void => {
    ended ??= why;
    if (pid !== undefined) killGroup(pid);
  };
  const take = (chunk: string): void => {
    output += chunk;
    if (output.length > MAX_OUTPUT_BYTES) stop('printed too much');
    look();
  };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    take(chunk);
  });
  child.stderr?.setEncoding('utf8').on('data', take);
  const closed = new Promise<void>((settle) => {
    child.on('error', (error) => stop(`could not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (code !== 0) ended ??= interrupted ? 'interrupted' : `ended with ${signal ?? `status ${code}`}`;
      // What it left running would hold its output open, and the next file's ports.
      if (pid !== undefined) killGroup(pid);
    });
    child.on('close', () => {
      if (pid !== undefined) running.delete(pid);
      settle();
    });
  });
  return {
    child,
    closed,
    said: () => ({ stdout, output }),
    forget: () => {
      stdout = '';
      output = '';
    },
    ended: () => ended,
    stop,
    look: (looker) => {
      look = looker;
    },
  };
}

async function within<T>(limit: number, started: Started, until: Promise<T>): Promise<T> {
  const timer = setTimeout(() => started.stop(`no end after ${limit} s`), limit * 1000);
  try {
    return await until;
  } finally {
    clearTimeout(timer);
  }
}

/** @param args given to the file, as a program's. */
export async function runAlone(file: string, args: readonly string[], conditions: Conditions): Promise<FileResult> {
  const started = start([...conditions.preloaded, file, ...args], conditions.env, false);
  await within(conditions.limit, started, started.closed);
  const { stdout, output } = started.said();
  return { ...judge(stdout, started.ended()), output };
}

/** A process that runs file after file, and is replaced when one of them ends it. */
export interface Lane {
  run(file: string): Promise<FileResult>;
  /** @returns what went wrong as it ended. */
  end(): Promise<string | undefined>;
}

export function createLane({ env, preloaded, limit }: Conditions): Lane {
  let current: Started | null = null;
  return {
    async run(file) {
      const started = current ?? start([...preloaded, TOGETHER], env, true);
      current = started;
      started.forget();
      const saysSo = new Promise<void>((settle) => {
        started.look(() => {
          if (findEnded(started.said().stdout) !== null) settle();
        });
      });
      started.child.send(pathToFileURL(file).href);
      await within(limit, started, Promise.race([saysSo, started.closed]));
      const { stdout, output } = started.said();
      const found = findEnded(stdout);
      if (found === null) {
        // It ended the process, or was killed with it.
        current = null;
        return { ...judge(stdout, started.ended() ?? 'ended in the middle'), output };
      }
      return { ...judge(stdout, problemIn(found)), output: withoutEnded(output) };
    },
    async end() {
      if (current === null) return undefined;
      current.child.send(END);
      await within(limit, current, current.closed);
      return current.ended();
    },
  };
}
