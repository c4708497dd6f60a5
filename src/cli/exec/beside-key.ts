/** Whether this user can read the deployment key, and with it be anybody. */
import { accessSync, constants as files } from 'node:fs';
import { deploymentKeyFile } from '../../config.ts';
import { UsageError } from '../command.ts';
import type { Given } from '../command.ts';
import type { Terminal } from '../terminal.ts';

/** An agent that runs beside the broker's key could be anybody: that is for a first try, and said. */
export function refuseBesideKey(given: Given, terminal: Terminal): void {
  const readable = readableKey();
  if (readable === null) return;
  if (!given.flag('same-user')) {
    const remedy = 'Run it as another user, or with --same-user for a first try on your own machine.';
    throw new UsageError(`this user can read the deployment key (${readable}), and so could the command. ${remedy}`);
  }
  terminal.err(`brevet: warning: this user can read the deployment key (${readable}), and so can the command`);
}

/** Where this user finds the deployment key; `null` where nowhere that Brevet knows of. */
function readableKey(): string | null {
  if (process.env['BREVET_DEPLOYMENT_KEY']) return 'BREVET_DEPLOYMENT_KEY';
  const named = process.env['BREVET_DEPLOYMENT_KEY_FILE'];
  const kept = deploymentKeyFile(process.env['BREVET_DATA_DIR'] || './.brevet');
  return [named, kept].find((path) => path !== undefined && path !== '' && isReadable(path)) ?? null;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, files.R_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
