/** The broker as a process: reads the settings, serves, and stops when it is told to. */
import { once } from 'node:events';
import { readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { unlessGivenUp } from '../node/told.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given } from './command.ts';
import { readFileWithMode } from './files.ts';
import { lineLog } from './log.ts';
import type { Terminal } from './terminal.ts';

const MOST_PROCESSES = 64;

const start: Command = {
  name: 'start',
  says:
    'Serves until Ctrl-C. With nothing configured: on loopback, with a Postgres of its own under ./.brevet, and ./policy. ' +
    'Settings are variables of the environment, such as BREVET_LISTEN=127.0.0.1:8420: docs/reference.md has them all.',
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
    try {
      await (processes === 1
        ? serveAlone(config.value, log, terminal)
        : serveTogether(config.value, processes, log, terminal));
      return EXIT.done;
    } finally {
      leaveSoon();
    }
  },
};

function processesOf(given: Given): number {
  const processes = given.whole('processes') ?? 1;
  if (processes >= 1 && processes <= MOST_PROCESSES) return processes;
  throw new UsageError(`--processes takes 1 to ${MOST_PROCESSES}`);
}

/** Everything was stopped by now; what hangs all the same, such as a connection that is never answered, keeps no process. */
const LEAVE_MS = 500;
const leaveSoon = (): void => void setTimeout(() => process.exit(), LEAVE_MS).unref();

/** What serves is loaded once the settings are right: it brings everything. */
async function serveAlone(config: Config, log: Log, terminal: Terminal): Promise<void> {
  const told = stopSignal();
  await import('../node/cedar.ts');
  const { serve } = await import('../node.ts');
  await untilTold(serve(config, { log, told }), { config, told, log, terminal });
}

async function serveTogether(config: Config, count: number, log: Log, terminal: Terminal): Promise<void> {
  const told = stopSignal();
  const { isFurtherProcess, serveAsFurtherProcess, serveWithProcesses } = await import('./start/processes.ts');
  if (isFurtherProcess()) await serveAsFurtherProcess(config, { log, told });
  else await untilTold(serveWithProcesses(config, count, { log, told }), { config, told, log, terminal });
}

interface Serving {
  readonly url: string;
  readonly inSetup: boolean;
  stop(): Promise<void>;
}

const IN_SETUP =
  'set-up lasts: until two administrators have signed in, a local token alone may do what otherwise takes two persons';

interface Until {
  readonly config: Pick<Config, 'publicUrl'>;
  readonly told: AbortSignal;
  readonly log: Log;
  readonly terminal: Terminal;
}

async function untilTold(starting: Promise<Serving>, { config, told, log, terminal }: Until): Promise<void> {
  const serving = await unlessGivenUp(starting, told, log);
  if (serving === null) return;
  if (serving.inSetup) terminal.err(`brevet: ${IN_SETUP}`);
  // Passkeys and assertions are bound to the public URL: where it listens, neither is taken.
  const by = config.publicUrl === serving.url ? '' : `; people and agents come by ${config.publicUrl}`;
  terminal.err(`brevet: serving at ${serving.url}${by}`);
  if (!told.aborted) await once(told, 'abort');
  await serving.stop();
}

/** Listened to from the start, so that it may be told while it starts. A second signal ends it at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => stopping.abort(new Error(`told to stop by ${signal}`)));
  }
  return stopping.signal;
}

export const commands: readonly Command[] = [start];
