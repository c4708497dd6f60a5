/**
 * The processes of one cluster, found and ended from outside: after a `kill -9` of Brevet they live on
 * without being anybody's children.
 *
 * A process is known by its cluster's name, which stands in the command line of the postmaster and in the
 * titles of its children, where anyone may read it. (`/proc/{pid}/cwd` would say as much, but not to root
 * in a container, which lacks the right to trace another user's process.)
 */
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeOf, readIfPresent } from './record.ts';

/** What postmaster.pid says; whether it is still true is another question. */
export interface PidFile {
  readonly pid: number;
  /** It has finished recovery and takes connections. */
  readonly ready: boolean;
}

/** A fast shutdown ends in tens of milliseconds, unless a checkpoint has much to write. */
const FAST_SHUTDOWN_MS = 2_000;
/** Without a checkpoint; the next start recovers from the log. */
const IMMEDIATE_SHUTDOWN_MS = 500;
/** How long the kernel may take to end what was killed. */
const KILL_MS = 500;
const POLL_MS = 5;

/** @see https://www.postgresql.org/docs/18/storage-file-layout.html and pidfile.h for the lines */
const STATUS_LINE = 7;

export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const text = await readIfPresent(join(cluster, 'postmaster.pid'));
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, ready: lines[STATUS_LINE]?.startsWith('ready') ?? false };
}

/**
 * A name that no other cluster on this machine has, and that a copy of this one does not have either. It
 * stands in process titles, so it says nothing more.
 */
export async function clusterName(cluster: string): Promise<string> {
  const { dev, ino } = await stat(cluster);
  return `brevet-${dev.toString(36)}-${ino.toString(36)}`;
}

/** Whether `pid` is, at this moment, the postmaster or a child of the cluster with this name. */
export async function belongsTo(name: string, pid: number): Promise<boolean> {
  return names(await titleOf(pid), name);
}

function names(title: string, name: string): boolean {
  return title.includes(`cluster_name=${name}\0`) || title.startsWith(`postgres: ${name}: `);
}

async function titleOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await readIfPresent(`/proc/${pid}/cmdline`)) ?? '';
  return (await titles()).find((process) => process.pid === pid)?.title ?? '';
}

async function titles(): Promise<{ pid: number; title: string }[]> {
  if (process.platform === 'linux') {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    return Promise.all(pids.map(async (pid) => ({ pid, title: await titleOf(pid) })));
  }
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command=']);
  return stdout.split('\n').map((line) => {
    const [, pid, title] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    return { pid: Number(pid), title: `${title?.replaceAll(' -', '\0-') ?? ''}\0` };
  });
}

async function family(name: string): Promise<number[]> {
  return (await titles()).filter(({ title }) => names(title, name)).map(({ pid }) => pid);
}

/**
 * Ends the cluster's postmaster, if there is one, and whatever a dead one left behind: fast, then
 * immediately, then by force. Nothing of the cluster runs when it resolves, in about three seconds at
 * the most.
 */
export async function stopCluster(name: string, postmaster: number | undefined): Promise<void> {
  if (postmaster !== undefined && (await belongsTo(name, postmaster))) {
    if (await endsBy('SIGINT', name, [postmaster], FAST_SHUTDOWN_MS)) return;
    await endsBy('SIGQUIT', name, [postmaster], IMMEDIATE_SHUTDOWN_MS);
  }
  const left = await family(name);
  if (left.length > 0) await endsBy('SIGKILL', name, left, KILL_MS);
}

async function endsBy(signal: NodeJS.Signals, name: string, pids: number[], limitMs: number): Promise<boolean> {
  for (const pid of pids) tell(pid, signal);
  const until = performance.now() + limitMs;
  for (;;) {
    const alive = await Promise.all(pids.map((pid) => belongsTo(name, pid)));
    if (!alive.includes(true)) return true;
    if (performance.now() > until) return false;
    await wait(POLL_MS);
  }
}

/** A process that ended a moment ago needs no signal. */
function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
