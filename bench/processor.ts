/** Processor time, as Linux keeps it for each process. */
import { readdir, readFile } from 'node:fs/promises';

/** What the kernel tells it in, on every Linux. @see proc_pid_stat(5) */
const TICKS_PER_SECOND = 100;
/** The fields after the command's name, which alone may hold spaces. */
const [PARENT, ...SPENT] = [1, 11, 12] as const;
/** Of processes that it began and that have ended, in the kernel's mode and their own. */
const SPENT_BEFORE = [13, 14] as const;

interface Process {
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
  const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(processOf));
  return all.reduce((sum, one) => (one?.parent === postmaster ? sum + one.milliseconds : sum), own);
}

async function processOf(pid: string): Promise<Process | null> {
  // Gone meanwhile, or never there.
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const of = (place: number): number => Number(fields[place]);
  const timeOf = (places: readonly number[]): number =>
    (places.reduce((sum, place) => sum + of(place), 0) * 1000) / TICKS_PER_SECOND;
  return { parent: of(PARENT), milliseconds: timeOf(SPENT), before: timeOf(SPENT_BEFORE) };
}
