/**
 * A temporary folder outside the data directory, for what can't be inside: a socket whose path would be too long, or
 * binaries for a user who can't walk there. It lasts as long as the server, so a killed Brevet's next start finds it.
 */
import { chmod, lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reaches } from './account.ts';
import type { Account } from './account.ts';
import { readIfPresent, replaceFile } from './record.ts';

/** Others may pass but not look: what lies inside says for itself who may read it. */
const PASSABLE = 0o711;

/** In home: where the annex is. In the annex: whose it is. */
const NOTE = 'annex';

/** The annex of a home, made where there is none. */
export async function annexOf(home: string, account: Account): Promise<string> {
  const remembered = await readAnnex(home);
  if (remembered !== undefined) return remembered;
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
    if (!(await reaches(account, parent))) continue;
    const annex = await mkdtemp(join(parent, 'brevet-'));
    if (account.kind === 'other') await chmod(annex, PASSABLE);
    await replaceFile(join(annex, NOTE), home);
    await replaceFile(join(home, NOTE), annex);
    return annex;
  }
  throw new Error('No temporary folder that an unprivileged user can enter: set TMPDIR to one.');
}

/** Nothing of a stopped server stays outside its data directory. */
export async function removeAnnex(home: string): Promise<void> {
  const annex = await readAnnex(home);
  if (annex !== undefined) await rm(annex, { recursive: true, force: true });
  await rm(join(home, NOTE), { force: true });
}

/**
 * The remembered annex, if it is still this home's. Where everyone may write, a stranger could have taken its name
 * since; and a copy of a data directory must leave the original's alone.
 */
export async function readAnnex(home: string): Promise<string | undefined> {
  const annex = await readIfPresent(join(home, NOTE));
  if (annex === undefined || (await readIfPresent(join(annex, NOTE))) !== home) return undefined;
  const entry = await lstat(annex);
  return entry.isDirectory() && entry.uid === process.getuid?.() ? annex : undefined;
}
