/** Starts what is measured, each in a process of its own. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withoutBudgetsOrBreakers } from '../test/support/policy.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BREVET = at('../src/cli/brevet.js');
/** Brevet, put together by the bench to leave something out. */
const BREVET_BUT = at('servers/brevet-but.ts');
const READY_LIMIT_MS = 60_000;
const ASK_EVERY_MS = 3;

export interface Server {
  readonly port: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface BrevetServer extends Server {
  readonly url: string;
  readonly publicUrl: string;
  readonly dataDir: string;
  /** From the start of the process to the first answer that it is ready, in milliseconds. */
  readonly startedIn: number;
}

/** The floor, the peer, a tool or a bare proxy. They hold nothing, so their channel's end is their own. */
export function startServer(
  name: 'floor' | 'peer' | 'far' | 'proxy',
  given: Readonly<Record<string, string>>,
): Promise<Server> {
  const flags = Object.entries(given).flatMap(([flag, value]) => [`--${flag}`, value]);
  const child = fork(at(`servers/${name}.ts`), flags, { env: { ...process.env, NODE_ENV: 'production' } });
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error(`${name} ended before it served`));
    child.once('exit', gone);
    child.once('message', ({ port }: { readonly port: number }) => {
      child.off('exit', gone);
      resolve({ port, process: child, stop: () => ended(child, () => child.disconnect()) });
    });
  });
}

export interface BrevetOptions {
  readonly dataDir: string;
  readonly processes?: number;
  /** What the bench's own entry leaves out. */
  readonly without?: 'kept-answers' | 'hashing';
  /** Changes the copy of the policy, in its folder, before the start. */
  readonly policy?: (folder: string) => Promise<void>;
  /** Settings over those that the bench gives. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * As `npm start` starts it. What Node keeps for the young would grow to 64 MB and stay, and gains nothing here; and
 * its heap would grow by several times what is in use.
 */
const START_FLAGS = (
  JSON.parse(readFileSync(at('../package.json'), 'utf8')) as { scripts: { start: string } }
).scripts.start
  .split(' ')
  .filter((word) => word.startsWith('--'));

/** `brevet start`, on a port of its own and, unless it is told otherwise, on its own Postgres. */
export async function startBrevet(options: BrevetOptions): Promise<BrevetServer> {
  const { dataDir, processes = 1, without, policy: change, settings = {} } = options;
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const command =
    without === undefined ? [BREVET, 'start', '--processes', String(processes)] : [BREVET_BUT, '--without', without];
  // One agent asks thousands of times a second here.
  const policy = await withoutBudgetsOrBreakers(`${dataDir}-policy`);
  await change?.(policy);
  const began = performance.now();
  const child = spawn(process.execPath, [...START_FLAGS, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...plainEnvironment(),
      BREVET_DATA_DIR: dataDir,
      BREVET_LISTEN: `127.0.0.1:${port}`,
      BREVET_PUBLIC_URL: publicUrl,
      BREVET_POLICY_DIR: policy,
      ...settings,
    },
  });
  const said = lastWords(child);
  const url = `http://127.0.0.1:${port}`;
  try {
    await whenReady(url, child);
  } catch (fault) {
    child.kill('SIGKILL');
    throw new Error(`brevet did not start: ${said()}`, { cause: fault });
  }
  const startedIn = performance.now() - began;
  return { port, url, publicUrl, dataDir, startedIn, process: child, stop: () => ended(child, () => child.kill()) };
}

/** No setting of whoever runs the bench. */
const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BREVET_') && name !== 'DATABASE_URL'),
  );

const SAID_KEPT = 4000;

function lastWords(child: ChildProcess): () => string {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_KEPT);
  });
  return () => said;
}

async function whenReady(url: string, child: ChildProcess): Promise<void> {
  const limit = performance.now() + READY_LIMIT_MS;
  while (performance.now() < limit && child.exitCode === null) {
    if (await isReady(url)) return;
    await pause(ASK_EVERY_MS);
  }
  throw new Error('not ready in time');
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch (fault) {
    if (fault instanceof TypeError) return false;
    throw fault;
  }
}

function ended(child: ChildProcess, end: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    end();
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
