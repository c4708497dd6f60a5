/** The broker as a process: reads the settings, serves, and stops when it is told to. */
import { readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given } from './command.ts';
import { readFileWithMode } from './files.ts';
import { lineLog } from './log.ts';
import type { Terminal } from './terminal.ts';

const MOST_PROCESSES = 64;

const start: Command = {
  name: 'start',
  says: 'Serves until Ctrl-C. With nothing configured: on loopback, with a Postgres of its own under ./.brevet.',
  options: { processes: { takes: 'N', says: 'as many processes on one port and one database' } },
  example: 'brevet start --processes 2',
  run: async (given, terminal) => {
    const processes = processesOf(given);
    const config = readConfig(process.env, readFileWithMode);
    if (!config.ok) {
      const problems = config.error.map(({ name, what, remedy }) => `  ${name} ${what}. ${remedy}`);
      throw new UsageError(`the settings have problems:\n${problems.join('\n')}`);
    }
    const log = lineLog((line) => terminal.err(line));
    await (processes === 1
      ? serveAlone(config.value, log, terminal)
      : serveTogether(config.value, processes, log, terminal));
    return EXIT.done;
  },
};

function processesOf(given: Given): number {
  const processes = given.whole('processes') ?? 1;
  if (processes >= 1 && processes <= MOST_PROCESSES) return processes;
  throw new UsageError(`--processes takes 1 to ${MOST_PROCESSES}`);
}

/** What serves is loaded once the settings are right: it brings everything. */
async function serveAlone(config: Config, log: Log, terminal: Terminal): Promise<void> {
  const told = stopSignal();
  await import('../node/cedar.ts');
  const { serve } = await import('../node.ts');
  await untilTold(await serve(config, { log }), told, terminal);
}

async function serveTogether(config: Config, count: number, log: Log, terminal: Terminal): Promise<void> {
  const told = stopSignal();
  const { isFurtherProcess, serveAsFurtherProcess, serveWithProcesses } = await import('./start/processes.ts');
  if (isFurtherProcess()) await serveAsFurtherProcess(config, log, told);
  else await untilTold(await serveWithProcesses(config, count, log), told, terminal);
}

async function untilTold(
  serving: { readonly url: string; stop(): Promise<void> },
  told: Promise<void>,
  terminal: Terminal,
): Promise<void> {
  terminal.err(`brevet: serving at ${serving.url}`);
  await told;
  await serving.stop();
}

/** Listened to from the start, so that a signal while it starts is not lost. A second one ends it at once. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

export const commands: readonly Command[] = [start];
