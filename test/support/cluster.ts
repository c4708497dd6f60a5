/**
 * A cluster as initdb makes it, made once in a run and copied for each server that is to be new: initdb is most of what
 * a first start takes. Copies share an identity, so no test that tells servers apart may have two of them.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbedded } from '../../src/embedded/server.ts';
import { homeOf } from '../../src/embedded/site.ts';
import { runFolder, temporaryFolder } from './leftovers.ts';

/** What initdb leaves, and the password that nobody else knows. */
const MADE = ['cluster', 'superuser.password'] as const;

/** Others may pass but not look, as in a data directory of Brevet's own making. */
const PASSABLE = 0o711;

const templateIn = (folder: string): string => join(folder, 'made');

/** By the runner, before any test file. */
export async function makeTemplate(folder: string): Promise<void> {
  const server = await startEmbedded({ dataDir: templateIn(folder), note: 'the template of the tests' });
  await server.stop();
}

/** A data directory with a cluster that was never started; empty where a file is run by itself. */
export async function dataFolder(name: string): Promise<string> {
  const folder = await temporaryFolder(name);
  await copyTemplate(runFolder(), folder);
  return folder;
}

/** @param folder the run's. */
export async function copyTemplate(folder: string, dataDir: string): Promise<void> {
  const made = homeOf(templateIn(folder));
  if (!existsSync(made)) return;
  const home = homeOf(dataDir);
  await mkdir(home, { recursive: true, mode: PASSABLE });
  // Node's own copy leaves out whose a file is.
  await promisify(execFile)('cp', ['-a', ...MADE.map((part) => join(made, part)), home]);
}
