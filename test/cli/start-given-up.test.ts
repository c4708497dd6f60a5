/** `brevet start` that is told to stop before it serves, and one whose database does not answer. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/leftovers.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { freePort } from '../support/port.ts';
import { brevet, start } from './cli.ts';

const PASSWORD = 'canary-of-the-database';

const givenUp = suite('brevet start, before it serves');

/** Takes connections, and does with them as it is told. */
async function listener(onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // Read, so that its end is seen when the other side has gone.
    socket.resume();
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const settingsFor = async (port: number): Promise<Record<string, string>> => ({
  DATABASE_URL: `postgres://serving:${PASSWORD}@127.0.0.1:${port}/brevet`,
  BREVET_MIGRATE_URL: `postgres://owner:${PASSWORD}@127.0.0.1:${port}/brevet`,
  BREVET_DEPLOYMENT_KEY: randomBytes(32).toString('base64'),
  BREVET_LISTEN: `127.0.0.1:${await freePort()}`,
  BREVET_POLICY_DIR: await policyWithoutCases(),
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

for (const args of [[], ['--processes', '2']]) {
  givenUp(`stops while the database is silent: start ${args.join(' ')}`, async () => {
    const server = await listener(() => undefined);
    const connected = once(server, 'connection');
    const { child, ended } = start(['start', ...args], { env: await settingsFor(portOf(server)) });
    await connected;
    child.kill('SIGINT');
    const { status, err } = await ended;
    assert.is(status, 0, err);
    assert.match(err, 'start.given_up');
    assert.not.match(err, 'CONNECT_TIMEOUT');
    server.close();
  });

  givenUp(`stops while its own Postgres is made, and leaves nothing of it: start ${args.join(' ')}`, async () => {
    const dataDir = await temporaryFolder('given-up');
    const env = {
      BREVET_DATA_DIR: dataDir,
      BREVET_LISTEN: `127.0.0.1:${await freePort()}`,
      BREVET_POLICY_DIR: await policyWithoutCases(),
    };
    const { child, ended } = start(['start', ...args], { env });
    const home = join(dataDir, 'postgres');
    const begun = async (): Promise<boolean> =>
      existsSync(home) && (await readdir(home)).some((name) => name.startsWith('unfinished-'));
    while (!(await begun())) await new Promise((turn) => setTimeout(turn, 5));
    child.kill('SIGTERM');
    const { status, err } = await ended;
    assert.is(status, 0, err);
    assert.match(err, 'start.given_up');
    assert.equal(
      (await readdir(home)).filter((name) => name.startsWith('unfinished-') || name === 'cluster'),
      [],
    );
    assert.not(existsSync(join(dataDir, 'holder.json')));
  });
}

for (const [what, onSocket] of [
  ['is silent', () => undefined],
  ['closes every connection', (socket: Socket) => socket.destroy()],
] as const) {
  givenUp(`names the setting of a database that ${what}, and ends`, async () => {
    const server = await listener(onSocket);
    const { status, err } = await brevet(['start'], { env: await settingsFor(portOf(server)) });
    assert.is(status, 1, err);
    assert.match(err, /the database of BREVET_MIGRATE_URL cannot be reached/);
    assert.not.match(err, PASSWORD);
    server.close();
  });
}

givenUp('names the setting of a database where nothing listens', async () => {
  const { status, err } = await brevet(['start'], { env: await settingsFor(await freePort()) });
  assert.is(status, 1, err);
  assert.match(err, 'the database of BREVET_MIGRATE_URL cannot be reached (ECONNREFUSED)');
});

givenUp.run();
