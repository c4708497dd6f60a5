/** What the figures were taken on, and what a process holds of it. */
import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const GIB = 2 ** 30;
const MEGABYTE_IN_KIB = 1024;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly system: string;
  readonly node: string;
  readonly generator: string;
  /** Of the last minutes: more than the bench itself makes, and others were at work. */
  readonly load: readonly number[];
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / GIB),
  system: `${type()} ${release()}`,
  node: process.versions.node,
  generator: 'bench/load, a process of its own',
  load: loadavg().map((load) => Math.round(load * 10) / 10),
});

export async function residentMegabytes(pid: number | undefined): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / MEGABYTE_IN_KIB;
}

interface Spent {
  readonly pid: number;
  readonly parent: number;
  readonly microseconds: number;
}

/** As Linux counts them, a hundred a second. */
const TICK_MICROSECONDS = 10_000;

/**
 * Processor time so far, in microseconds, of a process and of all below it, such as Brevet's own Postgres.
 * Nought for both where there is no `/proc`.
 */
export async function processorTime(of: number | undefined): Promise<{ readonly own: number; readonly below: number }> {
  const names = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(names.map(spentBy))).filter((spent) => spent !== null);
  const summed = (pid: number): number =>
    all.reduce((sum, one) => (one.parent === pid ? sum + one.microseconds + summed(one.pid) : sum), 0);
  return { own: all.find(({ pid }) => pid === of)?.microseconds ?? 0, below: of === undefined ? 0 : summed(of) };
}

/** @see proc_pid_stat(5): behind the name, which may hold anything, fields 4 (parent), 14 and 15 (user and system). */
async function spentBy(name: string): Promise<Spent | null> {
  const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, user = 0, system = 0] = [fields[1], fields[11], fields[12]];
  return { pid: Number(name), parent, microseconds: (user + system) * TICK_MICROSECONDS };
}
