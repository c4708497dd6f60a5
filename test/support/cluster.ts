/**
 * A cluster as initdb makes it, made once in a run and copied for each server that is to be new: initdb is most of what
 * a first start takes. Copies share an identity, so no test that tells servers apart may have two of them.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbedded } from '../../src/embedded/server.ts';
import { homeOf } from '../../src/embedded/site.ts';
import { runFolder, temporaryFolder } from './leftovers.ts';
import { copyWithoutCases } from './policy.ts';

/** What initdb leaves, and the password that nobody else knows. */
const MADE = ['cluster', 'superuser.password'] as const;

/** Others may pass but not look, as in a data directory of Brevet's own making. */
const PASSABLE = 0o711;

const BREVET = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const SERVING = 'brevet: serving at';

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

const brokerIn = (folder: string): string => join(folder, 'served');

/** By the runner, when there is a template: a broker that served once, in set-up and with nobody in it. */
export async function makeBroker(folder: string, port: number): Promise<void> {
  const dataDir = brokerIn(folder);
  await copyTemplate(folder, dataDir);
  const policy = await copyWithoutCases(join(folder, 'policy'));
  const env = {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    BREVET_DATA_DIR: dataDir,
    BREVET_POLICY_DIR: policy,
    BREVET_LISTEN: `127.0.0.1:${port}`,
  };
  const child = spawn(process.execPath, [BREVET, 'start'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    if (said.includes(SERVING)) child.kill('SIGINT');
  });
  await once(child, 'close');
  if (child.exitCode !== 0 || !said.includes(SERVING)) {
    throw new Error(`no broker to begin with (${child.signalCode ?? `status ${child.exitCode}`}): ${said}`);
  }
}

/** A data directory of a broker that served before and was stopped; empty where a file is run by itself. */
export async function brokerFolder(name: string): Promise<string> {
  const folder = await temporaryFolder(name);
  const made = brokerIn(runFolder());
  if (existsSync(made)) await copy(await partsOf(made), folder);
  return folder;
}

/** Without the lock of who served there. */
const partsOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name !== 'lock').map((name) => join(folder, name));

/** Node's own copy leaves out whose a file is. */
const copy = (parts: readonly string[], to: string): Promise<unknown> =>
  promisify(execFile)('cp', ['-a', ...parts, to]);

/** @param folder the run's. */
export async function copyTemplate(folder: string, dataDir: string): Promise<void> {
  const made = homeOf(templateIn(folder));
  if (!existsSync(made)) return;
  const home = homeOf(dataDir);
  await mkdir(home, { recursive: true, mode: PASSABLE });
  await copy(
    MADE.map((part) => join(made, part)),
    home,
  );
}
