/**
 * Whom the embedded Postgres runs as. It refuses to be root, so under root it runs as a user that exists
 * on every Unix; none is ever made.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** `self`: the user that Brevet itself runs as, who needs no change of owner or user. */
export type Account =
  { readonly kind: 'self' } | { readonly kind: 'other'; readonly uid: number; readonly gid: number };

/** initdb wants a user with a name; this one has it wherever Brevet runs. */
const UNPRIVILEGED_USER = 'nobody';

const OTHERS_MAY_PASS = 0o001;
const GROUP_MAY_PASS = 0o010;
const OWNER_MAY_PASS = 0o100;

/** Whoever owns the cluster, if it was made before. Only root can become another user. */
export async function accountFor(cluster: string): Promise<Account> {
  const root = process.getuid?.() === 0;
  const owner = existsSync(cluster) ? await stat(cluster) : undefined;
  if (root) return owner ? { kind: 'other', uid: owner.uid, gid: owner.gid } : unprivileged();
  if (owner && owner.uid !== process.getuid?.()) {
    throw new Error(`The cluster in ${cluster} belongs to user ${owner.uid}: start Brevet as that user or as root.`);
  }
  return { kind: 'self' };
}

async function unprivileged(): Promise<Account> {
  const [uid, gid] = await Promise.all([idOf('-u'), idOf('-g')]);
  return { kind: 'other', uid, gid };
}

async function idOf(which: '-u' | '-g'): Promise<number> {
  const { stdout } = await promisify(execFile)('id', [which, UNPRIVILEGED_USER]);
  return Number(stdout);
}

/** What `spawn` takes to become the account. */
export function spawnAs(account: Account): { uid?: number; gid?: number } {
  return account.kind === 'self' ? {} : { uid: account.uid, gid: account.gid };
}

/** Gives a file or folder to the account. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.kind === 'other') await chown(path, account.uid, account.gid);
}

/**
 * Whether the account can walk to `path` from the root: a clone, and so the data directory in it, often
 * lies in a private home. Access lists are not looked at: they may only say no where this says yes, and
 * then Postgres itself says so at start.
 */
export async function reaches(account: Account, path: string): Promise<boolean> {
  if (account.kind === 'self') return true;
  const entry = await stat(path);
  const may = entry.uid === account.uid ? OWNER_MAY_PASS : entry.gid === account.gid ? GROUP_MAY_PASS : OTHERS_MAY_PASS;
  if ((entry.mode & may) === 0) return false;
  return path === dirname(path) || reaches(account, dirname(path));
}
