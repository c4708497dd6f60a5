/**
 * Brevet as its users have it, with a bundle whose reports are read at AWS: asked for, used by a real client of AWS,
 * ended and refused afterwards. The client is boto3, which reads what every tool of AWS reads.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  administrator,
  localToken,
  must,
  newPlace,
  populate,
  ROOT,
  run,
  startBroker,
  stopBroker,
  until,
} from '../../acceptance/broker.ts';
import type { Place, Process } from '../../acceptance/broker.ts';
import { policyForAws, targetAt } from '../../support/aws/bundle.ts';
import { pythonWithMoto } from '../../support/aws/venv.ts';
import { awsWorld } from '../../support/aws/world.ts';
import type { AwsWorld } from '../../support/aws/world.ts';
import { temporaryFolder } from '../../support/leftovers.ts';

let place: Place;
let broker: Process;
let world: AwsWorld;
let python: string;
let agent: Record<string, string>;
let overseer: string;

/** Reads a ticket, says who it is to AWS, and leaves its keys for whoever comes after. */
const READ = `
import boto3, json, sys
url, ticket, left = sys.argv[1:]
session = boto3.Session()
iam = session.client('iam', endpoint_url=url, region_name='us-east-1')
keys = session.get_credentials().get_frozen_credentials()
json.dump({'access_key_id': keys.access_key, 'secret_access_key': keys.secret_key, 'session_token': keys.token}, open(left, 'w'))
print(iam.get_user(UserName=ticket)['User']['UserName'])
`;

const test = suite('Brevet at AWS');

test.before(async () => {
  // One where no broker has taken its bundle in yet.
  place = await newPlace(await temporaryFolder('broker'));
  const env = { BREVET_POLICY_DIR: await policyForAws(), BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1' };
  broker = await startBroker(place, { env });
  const by = await administrator(place);
  const keys = await populate(by, { 'report-bot': ['reporting'] });
  // As an administrator does it: the target first, which tells the external id, and with that the stack.
  world = await awsWorld(async (front) => {
    await by.put('/api/tenants/acme/targets/reports', targetAt(front));
    const { body } = await must('GET', `${place.url}/api/tenants/acme/targets/reports`, { token: by.token });
    const [, externalId = ''] = /"external_id":"([0-9a-f]{32})"/.exec(JSON.stringify(body)) ?? [];
    assert.match(externalId, /^[0-9a-f]{32}$/);
    return externalId;
  });
  python = await pythonWithMoto();
  const keyFile = join(await temporaryFolder('agent'), 'report-bot.jwk');
  writeFileSync(keyFile, JSON.stringify(keys['report-bot']), { mode: 0o600 });
  agent = { BREVET_URL: place.url, BREVET_AGENT: 'report-bot', BREVET_AGENT_KEY_FILE: keyFile };
  overseer = await localToken(place, 'otto');
});
test.after(async () => {
  await stopBroker(broker);
  await world.close();
});

const ASKED = ['--tenant', 'acme', '--task', 'report.query', '--resource', 'reports'];

const leases = async (): Promise<readonly Record<string, unknown>[]> => {
  const { body } = await must('GET', `${place.url}/t/acme/leases`, { token: overseer });
  return (body['leases'] ?? body['items']) as readonly Record<string, unknown>[];
};
const leaseBy = async (has: (lease: Record<string, unknown>) => boolean) => (await leases()).find(has);

test('the check of the target finds nothing', async () => {
  const by = await administrator(place);
  const { body } = await must('POST', `${place.url}/api/tenants/acme/targets/reports/check`, { token: by.token });
  assert.equal(body['findings'], []);
});

test('brevet exec gives a client of AWS its session, which is dead when it ends', async () => {
  const left = join(await temporaryFolder('aws'), 'keys.json');
  const command = [python, '-c', READ, world.front.url, 'acme-1', left];
  const { status, out, err } = await run(['exec', ...ASKED, '--param', 'ticket=acme-1', '--', ...command], {
    env: agent,
  }).ended;
  assert.is(status, 0, err);
  assert.is(out.trim(), 'acme-1');
  assert.match(err, /revoked, verified, exposure \d+ ms/);
  console.log(err.trim());
  const keys = JSON.parse(readFileSync(left, 'utf8')) as Record<string, string>;
  assert.is(await world.reads(keys, 'acme-1'), false);
  const lease = await leaseBy(({ state }) => state === 'revoked');
  assert.match(JSON.stringify(lease), 'refused 3 times in a row in every allowed region');
  assert.not.match(JSON.stringify(lease), keys['secret_access_key'] ?? '');
});

test('a session reads this ticket alone, and a star is a star', async () => {
  const folder = await temporaryFolder('aws');
  for (const [ticket, read] of [
    ['acme-1', 'acme-2'],
    ['acme-*', 'acme-1'],
  ] as const) {
    const command = [python, '-c', READ, world.front.url, read, join(folder, 'keys.json')];
    const { status, err } = await run(['exec', ...ASKED, '--param', `ticket=${ticket}`, '--', ...command], {
      env: agent,
    }).ended;
    assert.is(status, 1);
    assert.match(err, 'AccessDenied');
    assert.match(err, 'revoked, verified');
  }
});

test('a session that AWS packs into too much is refused as too large, and nothing is left to be ended', async () => {
  const before = new Set((await leases()).map(({ id }) => id));
  world.front.pack(300);
  const { status, err } = await run(['exec', ...ASKED, '--param', 'ticket=acme-1', '--json', '--', 'true'], {
    env: agent,
  }).ended;
  world.front.restore();
  assert.is(status, 2, err);
  assert.match(err, 'invalid_parameters');
  const [lease, ...others] = (await leases()).filter(({ id }) => !before.has(id));
  assert.equal([lease?.['state'], others], ['failed', []]);
});

test('brevet credential-process gives a profile its session, which lives until its lease is ended', async () => {
  const folder = await temporaryFolder('aws');
  const left = join(folder, 'keys.json');
  const brevet = [process.execPath, join(ROOT, 'src', 'cli', 'brevet.js'), 'credential-process', ...ASKED];
  const line = [...brevet, '--param', 'ticket=acme-1', '--ttl', '1800'].join(' ');
  writeFileSync(join(folder, 'config'), `[profile acme]\nregion = eu-west-1\ncredential_process = ${line}\n`);
  const env = {
    ...agent,
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_PROFILE: 'acme',
    PATH: process.env['PATH'] ?? '',
  };
  const out = await new Promise<string>((resolve, reject) => {
    execFile(python, ['-c', READ, world.front.url, 'acme-1', left], { env }, (fault, said) =>
      fault === null ? resolve(said) : reject(fault),
    );
  });
  assert.is(out.trim(), 'acme-1');
  const keys = JSON.parse(readFileSync(left, 'utf8')) as Record<string, string>;
  assert.is(await world.reads(keys, 'acme-1'), true, 'nobody has said that it is done');
  const lease = await leaseBy(({ state }) => state === 'active');
  const path = `${place.url}/t/acme/leases/${String(lease?.['id'])}/revoke?wait=20`;
  await must('POST', path, { token: overseer, body: { reason: 'The profile is not used any more' } });
  assert.is(await world.reads(keys, 'acme-1'), false);
});

test('a block of the target that denies the role ends a session that was never asked of Brevet, and none that is later', async () => {
  const ask = async (left: string) =>
    run(['exec', ...ASKED, '--param', 'ticket=acme-1', '--', python, '-c', READ, world.front.url, 'acme-1', left], {
      env: agent,
    }).ended;
  const outside = await world.takeOutside('brevet_by_hand');
  assert.is(await world.reads(outside, 'acme-1'), true);
  const until = new Date(Date.now() + 12_000).toISOString();
  const words = ['block', 'raise', 'target', 'reports', '--tenant', 'acme', '--deny-role', '--reason', 'INC-11'];
  const raised = await run([...words, '--until', until, '--as', 'otto'], { env: place.env }).ended;
  assert.is(raised.status, 0, raised.err);
  assert.is(await world.reads(outside, 'acme-1'), false);
  const left = join(await temporaryFolder('aws'), 'keys.json');
  const refused = await ask(left);
  assert.is(refused.status, 3, refused.err);
  await pause(Math.max(0, Date.parse(until) - Date.now()) + 500);
  const later = await ask(left);
  assert.is(later.status, 0, later.err);
});

test('a session whose keys were lost on the way is denied by its name, and over with its lease', async () => {
  const known = new Set(world.front.sessions().map(({ accessKeyId }) => accessKeyId));
  const before = new Set((await leases()).map(({ id }) => id));
  const lost = () =>
    world.front
      .sessions()
      .filter(({ accessKeyId }) => !known.has(accessKeyId))
      .map((keys) => ({
        access_key_id: keys.accessKeyId,
        secret_access_key: keys.secretAccessKey,
        session_token: keys.sessionToken ?? '',
      }));
  const ours = async () => (await leases()).filter(({ id }) => !before.has(id));
  const all = async (wanted: string) => (await ours()).every(({ state }) => state === wanted);

  world.front.lose('sts:AssumeRole');
  const asking = run(['exec', ...ASKED, '--param', 'ticket=acme-1', '--ttl', '60', '--', 'true'], { env: agent });
  await until(() => lost().length > 0);
  assert.is(await world.reads(lost()[0] ?? {}, 'acme-1'), true, 'it is there, and nobody of ours has it');
  assert.is((await asking.ended).status, 1);
  world.front.restore();
  await until(() => all('revoking'));
  for (const keys of lost()) assert.is(await world.reads(keys, 'acme-1'), false, 'before its end');
  await until(() => all('revoked'));
  for (const lease of await ours())
    assert.is((lease['death'] as { how: string }).how, 'expired', JSON.stringify(lease));
});

test.run();
