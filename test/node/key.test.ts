import { existsSync } from 'node:fs';
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

const asNew = async (): Promise<null> => null;

const key = suite('the deployment key');

key('is made once, also by nodes that start together, for its owner alone', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => deploymentKey(config, asNew)));
  assert.is(new Set(made.map((one) => Buffer.from(one).toString('hex'))).size, 1);
  assert.is((await stat(file)).mode & 0o777, 0o600);
  assert.is(made[0]?.length, 32);
  assert.equal(await deploymentKey(config, asNew), made[0]);
});

key('is taken as it was configured', async () => {
  const text = Buffer.alloc(32, 5).toString('base64');
  assert.equal(await deploymentKey({ ...config, deploymentKey: new Secret(text) }, asNew), new Uint8Array(32).fill(5));
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
    const refused = await deploymentKey(config, asNew).then(
      () => null,
      (fault: unknown) => fault,
    );
    assert.instance(refused, UnusableKey);
    assert.equal(await readFile(file), now);
    await writeFile(file, before);
    await chmod(file, 0o600);
  });
}

key('that is missing beside a database that was made with one is named, and no other is made', async () => {
  const elsewhere = { deploymentKey: null, dataDir: join(folder, 'elsewhere') };
  const refused = await deploymentKey(elsewhere, async () => '0123456789abcdef').then(
    () => null,
    (fault: unknown) => fault,
  );
  assert.instance(refused, UnusableKey);
  assert.match(String(refused), `${deploymentKeyFile(elsewhere.dataDir)} is missing`);
  assert.match(String(refused), '0123456789abcdef');
  assert.not(existsSync(elsewhere.dataDir));
});

key('that another node has made meanwhile is taken', async () => {
  const meanwhile = { deploymentKey: null, dataDir: join(folder, 'meanwhile') };
  let made: Uint8Array = new Uint8Array();
  const taken = await deploymentKey(meanwhile, async () => {
    made = await deploymentKey(meanwhile, asNew);
    return 'known by now';
  });
  assert.equal(taken, made);
});

key.after(() => rm(folder, { recursive: true }));
key.run();
