import { execFileSync } from 'node:child_process';
import { closeSync, constants, open, openSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureCluster, writeSettings } from '../../src/embedded/cluster.ts';
import { launch } from '../../src/embedded/launch.ts';
import { laySite, makeDataDir } from '../../src/embedded/site.ts';
import { dataFolder } from '../support/cluster.ts';

/** Longer than a server takes that does not start. */
const STALL_MS = 200;
const RELEASE_EVERY_MS = 20;
/** @see https://docs.libuv.org/en/v1.x/threadpool.html */
const THREADS = 4;

/** Every look at a file waits so long, as on a machine that is too busy: threads wait for somebody to write to a pipe. */
function stallFiles(pipe: string): () => void {
  execFileSync('mkfifo', [pipe]);
  let held = 0;
  const hold = (): void => {
    for (let thread = 0; thread < THREADS; thread++) {
      held++;
      open(pipe, 'r', (fault, descriptor) => {
        held--;
        if (fault === null) closeSync(descriptor);
      });
    }
  };
  const release = (): void => closeSync(openSync(pipe, constants.O_RDWR));
  hold();
  const timer = setInterval(() => {
    release();
    hold();
  }, STALL_MS);
  return () => {
    clearInterval(timer);
    // A thread that begins to wait only now is not woken by what came before.
    const last = setInterval(() => {
      if (held === 0) clearInterval(last);
      else release();
    }, RELEASE_EVERY_MS);
  };
}

const launching = suite('embedded/launch');

launching('says why a server did not start that had ended before anybody looked', async () => {
  const dataDir = await dataFolder('launch');
  await makeDataDir(dataDir);
  const site = await laySite(dataDir, undefined);
  await ensureCluster(site);
  await writeSettings(site, { max_connections: 'many', unix_socket_directories: site.socketSetting });
  const goOn = stallFiles(join(dataDir, 'pipe'));
  const error = await launch(site).catch((caught: unknown) => caught);
  goOn();
  assert.match(String(error), /it ended with 1\n.*invalid value for parameter "max_connections"/);
});

launching.run();
