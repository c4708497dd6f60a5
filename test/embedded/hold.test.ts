import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirHeld, holdDataDir } from '../../src/embedded/hold.ts';
import { temporaryFolder } from '../support/leftovers.ts';

const hold = suite('holding a data directory');

async function holderSeen(dataDir: string): Promise<unknown> {
  const error = await holdDataDir(dataDir, 'late').catch((caught: unknown) => caught);
  return error instanceof DataDirHeld ? error.holder : error;
}

hold('names the holder to whoever comes later', async () => {
  const dataDir = await temporaryFolder('hold');
  const held = await holdDataDir(dataDir, 'brevet start');
  const seen = (await holderSeen(dataDir)) as { pid: number; since: string; note: string };
  assert.equal([seen.pid, seen.note], [process.pid, 'brevet start']);
  assert.match(seen.since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  await held.release();
});

hold('is given to one of many that try at once', async () => {
  const dataDir = await temporaryFolder('race');
  const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => holdDataDir(dataDir, `try ${n}`)));
  const won = tries.filter((tried) => tried.status === 'fulfilled');
  assert.is(won.length, 1);
  const refused = tries.filter((tried) => tried.status === 'rejected' && tried.reason instanceof DataDirHeld);
  assert.is(refused.length, 19);
  await won[0]?.value.release();
});

hold('is free once released, and releasing twice does nothing', async () => {
  const dataDir = await temporaryFolder('release');
  const first = await holdDataDir(dataDir, 'first');
  await first.release();
  const second = await holdDataDir(dataDir, 'second');
  await first.release();
  assert.instance(await holderSeen(dataDir), Object);
  await second.release();
});

const LEFT_BEHIND: readonly (readonly [what: string, holder: string])[] = [
  ['a holder that is dead', JSON.stringify({ pid: 2 ** 22 + 1, since: '2026-01-01T00:00:00.000Z', note: 'dead' })],
  [
    'a holder whose number another process has',
    JSON.stringify({ pid: 1, since: '2026-01-01T00:00:00.000Z', note: 'init' }),
  ],
];
for (const [what, holder] of LEFT_BEHIND) {
  hold(`is not kept from us by ${what}`, async () => {
    const dataDir = await temporaryFolder('left');
    await writeFile(join(dataDir, 'holder.json'), holder);
    const held = await holdDataDir(dataDir, 'new');
    assert.is(((await holderSeen(dataDir)) as { note: string }).note, 'new');
    await held.release();
  });
}

hold.run();
