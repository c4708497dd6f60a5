/** The command line as a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  readonly text: { readonly out: string; readonly err: string };
  /** Once its stdout or stderr holds this. Rejects when it ends before. */
  said(text: string): Promise<void>;
}

export interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly node?: readonly string[];
}

/** Nothing of the author's own settings, and a folder without a deployment key. */
export const cleanEnvironment = (): Record<string, string> => {
  const foreign = /^(?:DATABASE_URL$|BREVET_|PG|AWS_|VAULT_|NODE_OPTIONS$|npm_)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
};

export function start(args: readonly string[], { env = {}, input, cwd = '/', node = [MAIN] }: Options = {}): Running {
  const child = spawn(process.execPath, [...node, ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  const waiting = new Set<() => void>();
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const look of waiting) look();
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (status, signal) => resolve({ status, signal, ...text }));
  });
  return {
    child,
    ended,
    text,
    said: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.out.includes(wanted) || text.err.includes(wanted)) resolve();
        };
        waiting.add(look);
        look();
        ended.then((end) => reject(new Error(`ended without saying ${wanted}: ${JSON.stringify(end)}`)), reject);
      }),
  };
}

export const brevet = (args: readonly string[], options: Options = {}): Promise<Ended> => start(args, options).ended;
