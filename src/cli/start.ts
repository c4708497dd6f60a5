/** The broker as a process: reads the settings, serves, and stops when it is told to. */
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { readFileWithMode } from './files.ts';
import { lineLog } from './log.ts';

const start: Command = {
  name: 'start',
  says: 'Serves until Ctrl-C. With nothing configured: on loopback, with a Postgres of its own under ./.brevet.',
  example: 'brevet start',
  run: async (_given, terminal) => {
    const config = readConfig(process.env, readFileWithMode);
    if (!config.ok) {
      const problems = config.error.map(({ name, what, remedy }) => `  ${name} ${what}. ${remedy}`);
      throw new UsageError(`the settings have problems:\n${problems.join('\n')}`);
    }
    const told = stopSignal();
    // Loaded once the settings are right: it brings everything.
    const { serve } = await import('../node.ts');
    const serving = await serve(config.value, { log: lineLog((line) => terminal.err(line)) });
    terminal.err(`brevet: serving at ${serving.url}`);
    await told;
    await serving.stop();
    return EXIT.done;
  },
};

/** Listened to from the start, so that a signal while it starts is not lost. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

export const commands: readonly Command[] = [start];
