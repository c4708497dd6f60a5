/** What the figures were taken on, and what a process holds of it. */
import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
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
