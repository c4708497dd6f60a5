import { mkdtemp, readFile, rm, stat, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentKeyFile } from '../../src/config.ts';
import { Secret } from '../../src/core/secret.ts';
import { deploymentKey, UnusableKey } from '../../src/node/key.ts';

const folder = await mkdtemp(join(tmpdir(), 'brevet-key-'));
const config = { deploymentKey: null, dataDir: join(folder, 'data') };
const file = deploymentKeyFile(config.dataDir);

const key = suite('the deployment key');

key('is made once, also by nodes that start together, for its owner alone', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => deploymentKey(config)));
  assert.is(new Set(made.map((one) => Buffer.from(one).toString('hex'))).size, 1);
  assert.is((await stat(file)).mode & 0o777, 0o600);
  assert.is(made[0]?.length, 32);
  assert.equal(await deploymentKey(config), made[0]);
});

key('is taken as it was configured', async () => {
  const text = Buffer.alloc(32, 5).toString('base64');
  assert.equal(await deploymentKey({ ...config, deploymentKey: new Secret(text) }), new Uint8Array(32).fill(5));
});

const UNUSABLE: readonly (readonly [what: string, prepare: () => Promise<unknown>])[] = [
  ['that others may read', () => chmod(file, 0o644)],
  ['that is cut short', () => writeFile(file, 'c2hvcnQ=\n')],
  ['that is empty', () => writeFile(file, '')],
];
for (const [what, prepare] of UNUSABLE) {
  key(`${what} is not used, and not made anew`, async () => {
    const before = await readFile(file);
    await prepare();
    const now = await readFile(file);
    const refused = await deploymentKey(config).then(
      () => null,
      (fault: unknown) => fault,
    );
    assert.instance(refused, UnusableKey);
    assert.equal(await readFile(file), now);
    await writeFile(file, before);
    await chmod(file, 0o600);
  });
}

key.after(() => rm(folder, { recursive: true }));
key.run();
