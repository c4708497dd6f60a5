/** The bundle on disk, and what is done where there is none: a broker without any policy decides nothing. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { firstBundle } from '../administer/take-in.ts';
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import type { BundleFiles } from '../core/registers.ts';
import type { Store } from '../core/store.ts';
import { loadBundle } from '../decide/bundle.ts';
import { createCedar } from '../decide/cedar.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { clusterFolder } from '../embedded/cluster.ts';
import { homeOf } from '../embedded/site.ts';
import { codeOf } from '../store/database.ts';
import { CannotStart } from './cannot-start.ts';
import { loadCedar } from './cedar.ts';

/** Every file of a bundle's folder, so that the check can name one that does not belong; `null` where there is no such folder. */
export async function readBundle(folder: string): Promise<BundleFiles | null> {
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = found
      .filter((file) => file.isFile())
      .map((file) => relative(folder, join(file.parentPath, file.name)));
    const files = await Promise.all(
      paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const),
    );
    return Object.fromEntries(files);
  } catch (fault) {
    const code = codeOf(fault);
    if (code === 'ENOENT') return null;
    if (code === null) throw fault;
    throw new CannotStart(`BREVET_POLICY_DIR=${folder} cannot be read (${code}): set it to the folder of a bundle.`, {
      cause: fault,
    });
  }
}

const noBundle = (folder: string): CannotStart =>
  new CannotStart(
    `no policy is active, and there is no bundle to begin with: BREVET_POLICY_DIR=${folder} does not exist. ` +
      'Set it to the folder of a policy bundle, such as `policy` of Brevet.',
  );

/**
 * The bundle that a new data directory will begin with, before anything is made there.
 * @throws {CannotStart} where there is none. @throws {BadBundle}
 */
export async function checkFirstBundle({ dataDir, policyDir }: Pick<Config, 'dataDir' | 'policyDir'>): Promise<void> {
  if (existsSync(clusterFolder(homeOf(dataDir)))) return;
  const files = await readBundle(policyDir);
  if (files === null) throw noBundle(policyDir);
  const engine = createCedar(await loadCedar());
  firstBundle({ bundles: { load: (given) => loadBundle(given, engine) }, rulebook: createRulebook(engine) }, files);
}

/** @throws {CannotStart} where there is neither a bundle on disk nor an active policy. */
export async function bundleFor(
  store: Pick<Store, 'deployment'>,
  { policyDir }: Pick<Config, 'policyDir'>,
  log: Log,
): Promise<BundleFiles | null> {
  const files = await readBundle(policyDir);
  if (files !== null) return files;
  const { policy } = await store.deployment();
  if (policy === null) throw noBundle(policyDir);
  log.warn('policy.not_on_disk', { active: policy, setting: 'BREVET_POLICY_DIR', folder: policyDir });
  return null;
}
