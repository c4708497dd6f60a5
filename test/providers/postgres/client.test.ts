/** The credential works in clients that nobody here wrote, and its life survives what happens to a server. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Minted, MintOrder, OpenTarget } from '../../../src/core/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import {
  clientDatabase,
  GROUP,
  openTargetOf,
  orderFor,
  processClock,
  random,
  subjectOf,
  termsOf,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';
import { loginIn, works } from './holder.ts';

let database: ClientDatabase;
let provider: PostgresProvider;
let target: OpenTarget;

const clients = suite('a Postgres credential');

clients.before(async () => {
  database = await clientDatabase();
  provider = postgresProvider({ random, clock: processClock, patience: milliseconds(2_000) });
  target = openTargetOf(provider, database.config, { secret: database.secret });
});
clients.after(async () => {
  await provider.close();
  await database.remove();
});

async function issued(): Promise<{ order: MintOrder; credential: Minted['credential'] }> {
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  return { order, credential: (await provider.mint(order, target)).credential };
}

const PSQL = ['/usr/bin/psql', '/usr/local/bin/psql'].find((path) => existsSync(path));

/** `psql` as an agent would call it. @returns what it printed, as an answer or an error. */
async function psql(credential: Minted['credential'], query: string): Promise<string> {
  const { host, port, database, user, password } = loginIn(credential);
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password.reveal(),
  };
  const run = promisify(execFile)(PSQL ?? 'psql', ['-XAtc', query], { env });
  return run.then(
    ({ stdout }) => stdout.trim(),
    (fault: { stderr: string }) => fault.stderr,
  );
}

async function logsInWithPsql(): Promise<void> {
  const { order, credential } = await issued();
  const answer = await psql(credential, 'select session_user, current_user, count(*) from tickets');
  assert.is(answer, `${order.mark}|${GROUP}|3`);
  await provider.revoke(subjectOf(order), target);
  assert.match(await psql(credential, 'select 1'), /password authentication failed/);
}
if (PSQL === undefined) clients.skip('needs: psql, to log in with a client that nobody here wrote', logsInWithPsql);
else clients('logs in with psql, as itself and with the rights of its group', logsInWithPsql);

clients('is not made over a network that anyone can read, though the server would', async () => {
  const verified = openTargetOf(
    provider,
    { ...database.config, tls: 'verify' },
    { secret: database.secret, version: 2 },
  );
  const order = orderFor(provider, verified, termsOf({ group: GROUP }));
  const fault = await provider.mint(order, verified).then(
    () => null,
    (caught: unknown) => caught,
  );
  assert.is(fault instanceof Error && fault.name, 'ProviderUnavailable');
  assert.is((await provider.look(subjectOf(order), target)).seen, 'gone');
});

for (const how of ['restart', 'kill and start'] as const) {
  clients(`dies as any other after the client's server went through ${how}`, async () => {
    const { order, credential } = await issued();
    if (how === 'restart') await database.restart();
    else {
      await database.kill();
      await database.start();
    }
    assert.is(await works(credential, 'select * from tickets'), true);
    await provider.revoke(subjectOf(order), target).catch(() => provider.revoke(subjectOf(order), target));
    assert.is((await provider.look(subjectOf(order), target)).seen, 'gone');
    assert.is(await works(credential, 'select 1'), false);
  });
}

clients('is neither made nor called dead while the server is down, and both afterwards', async () => {
  const { order, credential } = await issued();
  await database.stop();
  for (const call of [
    () => issued(),
    () => provider.revoke(subjectOf(order), target),
    () => provider.fence(subjectOf(order), target),
    () => provider.list(target),
  ]) {
    const fault = await call().then(
      () => null,
      (caught: unknown) => caught,
    );
    assert.is(fault instanceof Error && fault.name, 'ProviderUnavailable');
  }
  const sighting = await provider.look(subjectOf(order), target);
  assert.is(sighting.seen === 'unseen' && !sighting.forGood, true);
  await database.start();
  await provider.revoke(subjectOf(order), target);
  assert.is((await provider.look(subjectOf(order), target)).seen, 'gone');
  assert.is(await works(credential, 'select 1'), false);
});

clients.run();
