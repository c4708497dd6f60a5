/** Processor time, as Linux keeps it for each process. */
import { readdir, readFile } from 'node:fs/promises';

/** What the kernel tells it in, on every Linux. @see proc_pid_stat(5) */
const TICKS_PER_SECOND = 100;
/** The fields after the command's name, which alone may hold spaces. */
const [PARENT, ...SPENT] = [1, 11, 12] as const;
/** Of processes that it began and that have ended, in the kernel's mode and their own. */
const SPENT_BEFORE = [13, 14] as const;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly milliseconds: number;
  /** What its processes took that have ended. */
  readonly before: number;
}

/** @returns of a process, in milliseconds, since its start; `null` where there is no `/proc`. */
export const processorTime = async (pid: number): Promise<number | null> =>
  (await processOf(String(pid)))?.milliseconds ?? null;

/** The same of a server with all processes that it has begun. */
export async function serverTime(postmaster: number): Promise<number | null> {
  const server = await processOf(String(postmaster));
  if (server === null) return null;
  const own = server.milliseconds + server.before;
  const all = await everyProcess();
  return all.reduce((sum, one) => (one.parent === postmaster ? sum + one.milliseconds : sum), own);
}

/** Of a process and of all that live below it, such as Brevet's own Postgres: nought for both where there is no `/proc`. */
export async function timeOfTree(root: number): Promise<{ readonly own: number; readonly below: number }> {
  const all = await everyProcess();
  const below = (pid: number): number =>
    all.reduce((sum, one) => (one.parent === pid ? sum + one.milliseconds + below(one.pid) : sum), 0);
  return { own: all.find(({ pid }) => pid === root)?.milliseconds ?? 0, below: below(root) };
}

async function everyProcess(): Promise<readonly Process[]> {
  const names = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(names.map(processOf))).filter((one) => one !== null);
}

async function processOf(pid: string): Promise<Process | null> {
  // Gone meanwhile, or never there.
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const of = (place: number): number => Number(fields[place]);
  const timeOf = (places: readonly number[]): number =>
    (places.reduce((sum, place) => sum + of(place), 0) * 1000) / TICKS_PER_SECOND;
  return { pid: Number(pid), parent: of(PARENT), milliseconds: timeOf(SPENT), before: timeOf(SPENT_BEFORE) };
}
