/** `brevet start` on an empty folder: as root, as an ordinary user, with wrong settings, with a bad bundle. */
import { existsSync } from 'node:fs';
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/alive.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { call, newPlace, postmaster, run, startBroker, stopBroker } from './broker.ts';
import { installFor, NOBODY } from './install.ts';

const isRoot = process.getuid?.() === 0;

/** An address of this machine that is not loopback's. */
const outside = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address;

const canConnect = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const first = suite('a first start');

first('with nothing configured: a key for its user alone, a Postgres of its own, loopback alone', async () => {
  const place = await newPlace(await temporaryFolder('new'));
  const broker = await startBroker(place);
  const key = await stat(join(place.dataDir, 'deployment.key'));
  assert.is(key.mode & 0o777, 0o600);
  const ready = await call('GET', `${place.url}/readyz`);
  assert.is(ready.status, 200, JSON.stringify(ready.body));
  assert.is(ready.body['set_up'], true);
  const address = outside();
  if (address !== undefined) assert.is(await canConnect(address, place.port), false);

  const second = await run(['start'], { env: place.env }).ended;
  assert.is(second.status, 1);
  assert.match(second.err, `is in use by process ${broker.pid} (brevet start)`);

  const pid = postmaster(place);
  assert.ok(isAlive(pid));
  const { status } = await stopBroker(broker);
  assert.is(status, 0);
  assert.not(isAlive(pid));

  const before = await readFile(join(place.dataDir, 'deployment.key'), 'utf8');
  const next = await startBroker(place);
  assert.is(await readFile(join(place.dataDir, 'deployment.key'), 'utf8'), before);
  await stopBroker(next);

  await rm(join(place.dataDir, 'deployment.key'));
  const keyless = await run(['start'], { env: place.env }).ended;
  assert.is(keyless.status, 1);
  assert.match(
    keyless.err,
    /deployment\.key is missing, and the database was made with the deployment key [0-9a-f]{16}/,
  );
  assert.not(existsSync(join(place.dataDir, 'deployment.key')));
});

first('as an ordinary user, from a clone of their own', async () => {
  const home = await temporaryFolder('home');
  const install = await installFor(home);
  const place = await newPlace(home);
  const broker = await startBroker(place, { install, env: { BREVET_POLICY_DIR: join(install.root, 'policy') } });
  const uid = isRoot ? NOBODY : process.getuid?.();
  assert.is((await stat(`/proc/${broker.pid}`)).uid, uid);
  assert.is((await stat(`/proc/${postmaster(place)}`)).uid, uid);
  const key = await stat(join(place.dataDir, 'deployment.key'));
  assert.equal([key.mode & 0o777, key.uid], [0o600, uid]);
  assert.is((await call('GET', `${place.url}/readyz`)).status, 200);
  const { status } = await stopBroker(broker);
  assert.is(status, 0);
});

first('to be reached from outside it wants a public URL, a database and a key, and says so all at once', async () => {
  const place = await newPlace();
  const env = { ...place.env, BREVET_LISTEN: `0.0.0.0:${place.port}` };
  const { status, err } = await run(['start'], { env }).ended;
  assert.is(status, 2);
  for (const name of ['BREVET_PUBLIC_URL', 'DATABASE_URL', 'BREVET_DEPLOYMENT_KEY_FILE']) {
    assert.match(err, `  ${name} is missing, and BREVET_LISTEN=0.0.0.0:${place.port} can be reached from outside`);
  }
});

first('a bundle with problems is told by file and line, and nothing is served', async () => {
  const place = await newPlace(await temporaryFolder('new'));
  const policy = join(await temporaryFolder('policy'), 'policy');
  await cp(await policyWithoutCases(), policy, { recursive: true });
  const roles = await readFile(join(policy, 'roles.yaml'), 'utf8');
  await writeFile(join(policy, 'roles.yaml'), roles.replace('function: oversight', 'function: overlooking'));
  await writeFile(join(policy, 'rules', 'broken.cedar'), 'permit (principal, action resource);\n');
  const broker = run(['start'], { env: { ...place.env, BREVET_POLICY_DIR: policy } });
  const { status, err } = await broker.ended;
  assert.is(status, 1);
  assert.match(err, /^roles\.yaml:\d+: /m);
  assert.match(err, /^rules\/broken\.cedar:1: /m);
  assert.not.match(err, 'listening');
  assert.not(existsSync(join(place.dataDir, 'postgres')));
});

first.run();
