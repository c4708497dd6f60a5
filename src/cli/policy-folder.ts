/** Bundles in folders, as commands that need no broker read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Problem, RuleEngine } from '../core/policy.ts';
import type { BundleFiles } from '../core/registers.ts';
import { isBundlePath, loadBundle } from '../decide/bundle.ts';
import type { Bundle } from '../decide/bundle.ts';
import { EXIT, UsageError } from './command.ts';
import { unreadable } from './files.ts';
import { print, printable } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** Where a bundle is looked for when no folder is named. */
export const HERE = './policy';

/**
 * A bundle's files, by their path below the folder. Hidden files are an editor's; any other that is no part of a
 * bundle is taken too, so that the check can say so, but not what it holds.
 * @throws {UsageError} where there is no such folder.
 */
export function readBundleFolder(folder: string): BundleFiles {
  const names = listFiles(folder).map((name) => name.split(sep).join('/'));
  const shown = names.filter((name) => !name.split('/').some((part) => part.startsWith('.')));
  return Object.fromEntries(
    shown.map((name) => [name, isBundlePath(name) ? readFileSync(join(folder, name), 'utf8') : '']),
  );
}

function listFiles(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'x').length - 1));
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new UsageError(unreadable(folder, String(error.code)));
    throw error;
  }
}

/** Loads a folder's bundle and goes on with it; where it has problems, tells them and ends with 1. */
export function withBundle(
  terminal: Terminal,
  folder: string,
  engine: RuleEngine,
  goOn: (bundle: Bundle) => number,
): number {
  const loaded = loadBundle(readBundleFolder(folder), engine);
  if (loaded.ok) return goOn(loaded.value);
  print(terminal, { problems: loaded.error }, () => told(loaded.error));
  return EXIT.fault;
}

export const told = (problems: readonly Problem[]): string =>
  problems.map(({ file, line, what }) => printable(`${file}:${line}: ${what}`)).join('\n');
