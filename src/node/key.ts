/** The deployment key: as it was configured, or made once beside the embedded Postgres, for a database that knows none yet. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deploymentKeyBytes, deploymentKeyFile } from '../config.ts';
import type { Config } from '../config.ts';
import { Secret } from '../core/secret.ts';

/** The key is there and cannot be used; nothing may go on with another. */
export class UnusableKey extends Error {
  override readonly name = 'UnusableKey';
}

/** The id of the key that the database was made with; `null` for a new one. Asked only where no key is to be found. */
export type MadeWith = () => Promise<string | null>;

/** @throws {UnusableKey} when a key is wanted and cannot be had. */
export async function deploymentKey(
  config: Pick<Config, 'deploymentKey' | 'dataDir'>,
  madeWith: MadeWith,
): Promise<Uint8Array> {
  const key = config.deploymentKey ?? (await keptKey(deploymentKeyFile(config.dataDir), madeWith));
  const bytes = deploymentKeyBytes(key);
  if (bytes === null) throw new UnusableKey('the deployment key is not 32 bytes in base64');
  return bytes;
}

async function keptKey(path: string, madeWith: MadeWith): Promise<Secret> {
  const before = await readKept(path);
  if (before !== null) return before;
  const known = await madeWith();
  // Of two that start together the other may have made it, and the database know it, meanwhile.
  if (known !== null) return (await readKept(path)) ?? refuseAnother(path, known);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  // A link fails where the name exists: of two that start together one makes the key and both read it.
  await link(draft, path).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code !== 'EEXIST') throw fault;
  });
  await rm(draft);
  const made = await readKept(path);
  if (made === null) throw new UnusableKey(`the deployment key ${path} could not be made`);
  return made;
}

function refuseAnother(path: string, known: string): never {
  throw new UnusableKey(
    `${path} is missing, and the database was made with the deployment key ${known}: put that file back, or set ` +
      'BREVET_DEPLOYMENT_KEY_FILE to a copy of it. No other key opens what the database holds, so none was made.',
  );
}

const OTHERS = 0o077;

async function readKept(path: string): Promise<Secret | null> {
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) throw new UnusableKey(`others may read ${path}: chmod 600 ${path}`);
    return new Secret((await readFile(path, 'utf8')).trim());
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fault;
  }
}
