/**
 * A Python environment with moto and cfn-lint, made once for all files and runs, outside the tree. Whoever cannot have
 * it fails: nothing is skipped.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGES = ['moto[server]==5.2.5', 'cfn-lint==1.58.0', 'boto3==1.44.8'];
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'brevet-tests');
const FOLDER = join(CACHE, 'moto-5.2.5_cfn-lint-1.58.0');
/** Written last. */
const READY = join(FOLDER, 'ready');
const LOCK = `${FOLDER}.lock`;
/** Nobody takes so long: whoever held it was killed. */
const STALE_MS = 600_000;

/** @returns the path of its Python. */
export async function pythonWithMoto(): Promise<string> {
  const began = performance.now();
  await mkdir(CACHE, { recursive: true });
  while (!existsSync(READY)) {
    if (await takeLock()) await makeUnderLock();
    else await wait(200);
  }
  console.log(`moto and cfn-lint are there after ${Math.round(performance.now() - began)} ms (${FOLDER})`);
  return join(FOLDER, 'bin', 'python');
}

async function takeLock(): Promise<boolean> {
  try {
    await mkdir(LOCK);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const held = await stat(LOCK).catch(() => null);
    if (held !== null && Date.now() - held.mtimeMs > STALE_MS) await rm(LOCK, { recursive: true, force: true });
    return false;
  }
}

async function makeUnderLock(): Promise<void> {
  try {
    await make();
  } finally {
    await rm(LOCK, { recursive: true, force: true });
  }
}

async function make(): Promise<void> {
  if (existsSync(READY)) return;
  await rm(FOLDER, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', FOLDER]);
  await run(join(FOLDER, 'bin', 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...PACKAGES,
  ]);
  await writeFile(READY, '');
}
