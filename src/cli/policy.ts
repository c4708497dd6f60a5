import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { BundleFiles } from '../core/registers.ts';
import { bundleVersion, checkBundle, isBundlePath } from '../decide/bundle.ts';
import { createCedar } from '../decide/cedar.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { acknowledge } from './register.ts';
import { print, printable } from './terminal.ts';

const HERE = './policy';

const check: Command = {
  name: 'policy check',
  says: 'Tells every problem of a bundle, with file and line. Needs no broker. Ends with 1 where there is one.',
  takes: ['[FOLDER]'],
  example: 'brevet policy check ./policy',
  run: async (given, terminal) => {
    const files = readBundleFolder(given.text('FOLDER') ?? HERE);
    const problems = checkBundle(files, createCedar(cedar));
    const version = problems.length === 0 ? bundleVersion(files) : null;
    print(terminal, { version, problems }, () =>
      version === null
        ? problems.map(({ file, line, what }) => printable(`${file}:${line}: ${what}`)).join('\n')
        : `no problem; version ${version}`,
    );
    return problems.length === 0 ? EXIT.done : EXIT.fault;
  },
};

const activate: Command = {
  name: 'policy activate',
  says: 'Checks a bundle and makes it the active one. After set-up this takes two persons.',
  takes: ['[FOLDER]'],
  options: OPERATOR_OPTIONS,
  example: 'brevet policy activate ./policy --as ada',
  run: async (given, terminal) => {
    const files = readBundleFolder(given.text('FOLDER') ?? HERE);
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: '/api/policy/activate', body: { files } });
    return acknowledge(terminal, answer, `the policy ${bundleVersion(files)} is active`);
  },
};

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
    if (error instanceof Error && 'code' in error) throw new UsageError(`${folder}: ${String(error.code)}`);
    throw error;
  }
}

export const commands: readonly Command[] = [check, activate];
