/** `credential-process` as a process, against a fake broker. AWS's own tools read it in `test/servers/aws/`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AGENT, fakeBroker, LEASE_END, TENANT } from '../client/fake-broker.ts';
import type { Arrived, FakeBroker, Reply } from '../client/fake-broker.ts';
import { brevet } from './cli.ts';
import type { Ended } from './cli.ts';

let broker: FakeBroker;
let folder: string;

const printing = suite('credential-process');

printing.before.each(async () => {
  broker = await fakeBroker();
  folder = mkdtempSync(join(tmpdir(), 'brevet-credential-'));
  writeFileSync(join(folder, 'agent.jwk'), JSON.stringify(broker.key), { mode: 0o600 });
});
printing.after.each(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

const run = (env: Record<string, string> = {}): Promise<Ended> =>
  brevet(
    ['credential-process', '--tenant', TENANT, '--task', 'bucket.read', '--resource', 'aws', '--param', 'ticket=1'],
    {
      env: { BREVET_URL: broker.url, BREVET_AGENT: AGENT, BREVET_AGENT_KEY_FILE: join(folder, 'agent.jwk'), ...env },
      cwd: folder,
    },
  );

const completed = (): readonly Arrived[] => broker.arrived.filter(({ path }) => path.endsWith('/complete'));

const granting = (credential: Record<string, unknown>) => (): Reply => ({
  status: 201,
  body: {
    request: 'req_1',
    decision: { effect: 'permit' },
    lease: { id: 'lse_1', state: 'active', expires_at: LEASE_END },
    credential,
    receipt: null,
  },
});

const SESSION = {
  type: 'aws',
  region: 'eu-west-1',
  access_key_id: 'ASIA',
  secret_access_key: 's3cret',
  session_token: 't0ken',
  expires_at: LEASE_END,
};

printing('prints what AWS’s tools read, and leaves the lease to them', async () => {
  broker.answering('/requests', granting(SESSION));
  const { status, out, err } = await run();
  assert.is(status, 0, err);
  assert.equal(JSON.parse(out), {
    Version: 1,
    AccessKeyId: 'ASIA',
    SecretAccessKey: 's3cret',
    SessionToken: 't0ken',
    Expiration: LEASE_END,
  });
  assert.equal(completed(), []);
  const asked = broker.arrived.find(({ path }) => path.endsWith('/requests'))?.body ?? '';
  assert.match(asked, '"ticket":"1"');
});

printing('ends the lease of what is no session at AWS, and prints nothing of it', async () => {
  broker.answering('/requests', granting({ type: 'postgres', password: 's3cret' }));
  const { status, out, err } = await run();
  assert.is(status, 1);
  assert.is(out, '');
  assert.match(err, 'no session at AWS');
  assert.not.match(err, 's3cret');
  assert.is(completed().length, 1);
});

printing('refuses beside the deployment key', async () => {
  const { status, err } = await run({ BREVET_DEPLOYMENT_KEY: 'x' });
  assert.is(status, 2);
  assert.match(err, 'deployment key');
  assert.equal(broker.arrived, []);
});

printing.run();
