/** `brevet start` where it cannot: each time with the setting to change. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerFolder, copyTemplate } from '../support/cluster.ts';
import { runFolder, temporaryFolder } from '../support/leftovers.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { freePort } from '../support/port.ts';
import { targetDatabase } from '../support/postgres.ts';
import { brevet, start } from './cli.ts';

const refused = suite('brevet start, where it cannot');

let env: Record<string, string>;
let dataDir: string;

refused.before.each(async () => {
  dataDir = await temporaryFolder('refused');
  env = {
    BREVET_DATA_DIR: dataDir,
    BREVET_LISTEN: `127.0.0.1:${await freePort()}`,
    BREVET_POLICY_DIR: await policyWithoutCases(),
  };
});

async function refusal(more: Readonly<Record<string, string>>): Promise<string> {
  const { status, err } = await brevet(['start'], { env: { ...env, ...more } });
  assert.is(status, 1, err);
  return err;
}

refused('without any policy, and makes nothing; with one that is active it warns', async () => {
  const none = { BREVET_POLICY_DIR: join(dataDir, 'nowhere') };
  assert.match(await refusal(none), `BREVET_POLICY_DIR=${join(dataDir, 'nowhere')} does not exist`);
  assert.not(existsSync(join(dataDir, 'postgres')));
  await copyTemplate(runFolder(), dataDir);
  for (const more of [{}, none]) {
    const { child, ended, said } = start(['start'], { env: { ...env, ...more } });
    await said('serving at');
    child.kill('SIGINT');
    const { status, err } = await ended;
    assert.is(status, 0, err);
    assert.is(err.includes('policy.not_on_disk'), more === none);
  }
});

refused('on a port that another listens on', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : null;
  const BREVET_DATA_DIR = await brokerFolder('refused');
  const err = await refusal({ BREVET_DATA_DIR, BREVET_LISTEN: `127.0.0.1:${port}` });
  assert.match(err, `127.0.0.1:${port} is in use by another process. Stop it, or set BREVET_LISTEN`);
  taken.close();
});

refused('in a data directory below a file', async () => {
  const file = join(await temporaryFolder('file'), 'file');
  await writeFile(file, '');
  assert.match(await refusal({ BREVET_DATA_DIR: join(file, 'data') }), '(ENOTDIR). Set BREVET_DATA_DIR');
});

if (process.platform === 'linux') {
  refused('in a data directory where nothing can be made', async () => {
    assert.match(await refusal({ BREVET_DATA_DIR: '/proc/brevet/data' }), '(ENOENT). Set BREVET_DATA_DIR');
  });
}

refused('with a policy that is no folder', async () => {
  const file = join(await temporaryFolder('file'), 'file');
  await writeFile(file, '');
  assert.match(await refusal({ BREVET_POLICY_DIR: file }), `BREVET_POLICY_DIR=${file} cannot be read (ENOTDIR)`);
});

refused('on a database of which nobody has made it Brevet’s', async () => {
  const bare = await targetDatabase();
  const owner = new URL(`postgresql://postgres@${bare.host}:${bare.port}/postgres`);
  owner.password = bare.admin.password();
  const of = {
    DATABASE_URL: `postgresql://brevet@${bare.host}:${bare.port}/postgres`,
    BREVET_MIGRATE_URL: owner.href,
    BREVET_DEPLOYMENT_KEY: randomBytes(32).toString('base64'),
  };
  const err = await refusal(of);
  assert.match(err, 'the database of BREVET_MIGRATE_URL lacks roles of Brevet (42704)');
  assert.match(err, 'Provisioning an outside Postgres');
  await bare.remove();
});

refused.run();
