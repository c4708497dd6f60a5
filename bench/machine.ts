/** What the figures were taken on. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';

const GIB = 2 ** 30;

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
