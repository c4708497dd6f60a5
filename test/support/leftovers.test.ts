/** What a run that was killed has left is ended by the next. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { end, startIn } from '../embedded/clone.ts';
import { isAlive } from './alive.ts';
import { copyTemplate } from './cluster.ts';
import { makeRunFolder, runFolder, sweepKilled, temporaryFolder } from './leftovers.ts';

const leftovers = suite('the folder of a run');

leftovers('is removed with its server by the next run, once its own is dead and not before', async () => {
  const root = await temporaryFolder('root');
  const [killed, running] = [makeRunFolder(root), makeRunFolder(root)];
  await copyTemplate(runFolder(), killed);
  const { child, started } = await startIn(killed);
  await end(child, 'SIGKILL');
  assert.ok(isAlive(started.pid), 'Postgres outlives who started it');
  writeFileSync(join(killed, 'runner.pid'), String(child.pid));
  await sweepKilled(root);
  assert.equal([existsSync(killed), existsSync(running)], [false, true]);
  while (isAlive(started.pid)) await new Promise((turn) => setTimeout(turn, 10));
});

leftovers.run();
