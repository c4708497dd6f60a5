/** What an isolate looks at before it serves: while it does not hold, nothing is answered but 503, and the log says why. */
import { connect, createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectionUrl } from '../../src/embedded/connection.ts';
import { freePort } from '../support/port.ts';
import { withAdmin } from '../support/postgres.ts';
import { setUp, startWorker, sweepOnce, workersDatabase } from './world.ts';
import type { RunningWorker, WorkerOptions, WorkersDatabase } from './world.ts';

let database: WorkersDatabase;

const start = suite('what workerd looks at before it serves');

start.before(async () => {
  database = await workersDatabase();
  await setUp(database);
});
start.after(() => database.stop());

async function withWorker(options: WorkerOptions, look: (worker: RunningWorker) => Promise<void>): Promise<void> {
  const worker = await startWorker(database, options);
  try {
    await look(worker);
  } finally {
    await worker.harness.close();
  }
}

const logOf = ({ harness }: RunningWorker): string =>
  harness
    .getLogs()
    .map(({ message }) => message)
    .join('\n');

/** Whatever is asked, and by cron too: no heartbeat is written by one that may not serve. */
async function refuses(worker: RunningWorker, code: string, why: RegExp): Promise<void> {
  for (const path of ['/healthz', '/readyz', '/t/acme/jwks']) {
    const response = await fetch(new URL(path, worker.url));
    const body = (await response.json()) as { readonly code: string };
    assert.is(response.status, 503, path);
    assert.is(body.code, code);
    assert.is(response.headers.get('retry-after'), '2');
  }
  assert.match(logOf(worker), why);
  assert.is(await sweepOnce(worker), 'exception');
}

const asSuperuser = (statement: string): Promise<unknown> =>
  withAdmin(database.superuser, (sql) => sql.unsafe(statement).simple());

/** A pooler of a kind: connections go in turn to two servers, so that a lock taken at one is not known at the other. */
async function inTurn(ports: readonly number[]): Promise<{ readonly port: number; close(): Promise<void> }> {
  let turn = 0;
  const server = createServer((near) => {
    const far = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => [near, far].map((one) => one.destroy()));
    }
    near.pipe(far).pipe(near);
  });
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return { port, close: () => new Promise((closed) => server.close(() => closed())) };
}

start('a pooler through which a lock does not exclude', async () => {
  const other = await workersDatabase();
  const pooler = await inTurn([database.port, other.port]);
  try {
    const password = database.serve.password().replaceAll("'", "''");
    await withAdmin(other.superuser, (sql) => sql.unsafe(`ALTER ROLE brevet PASSWORD '${password}'`));
    const url = connectionUrl({ ...database.serve, port: pooler.port });
    await withWorker({ url }, (worker) => refuses(worker, 'not_serving', /lock .* does not keep another out/));
  } finally {
    await pooler.close();
    await other.stop();
  }
});

/** To a reader the same as a cache that answers with what was: what was written first stays, whatever comes after. */
const STALE = `
  create function stale() returns trigger language plpgsql as 'begin return null; end';
  create trigger stale before update on heartbeats for each row execute function stale()`;

start('a cache that answers with what was, until it is gone', async () => {
  await asSuperuser(STALE);
  await withWorker({}, async (worker) => {
    try {
      await refuses(worker, 'not_serving', /a fresh write is not read back/);
    } finally {
      await asSuperuser('drop trigger stale on heartbeats');
    }
    assert.is((await fetch(new URL('/healthz', worker.url))).status, 200);
  });
});

start('a deployment key that is not the database’s', () =>
  withWorker({ secrets: { BREVET_DEPLOYMENT_KEY: randomBytes(32).toString('base64') } }, (worker) =>
    refuses(worker, 'not_serving', /made with another deployment key/),
  ),
);

start('a login that may do too much', () =>
  withWorker({ url: connectionUrl(database.superuser) }, (worker) =>
    refuses(worker, 'not_serving', /it is a superuser/),
  ),
);

start('a database that does not answer', async () => {
  const url = connectionUrl({ ...database.serve, port: await freePort() });
  await withWorker({ url }, (worker) => refuses(worker, 'database_unavailable', /the database does not answer/));
});

start('a database that goes away later is told apart from a Worker that is not up', async () => {
  const way = await inTurn([database.port]);
  const url = connectionUrl({ ...database.serve, port: way.port });
  await withWorker({ url }, async (worker) => {
    const status = async (path: string) => (await fetch(new URL(path, worker.url))).status;
    assert.is(await status('/healthz'), 200);
    await way.close();
    assert.is(await status('/healthz'), 200);
    assert.is(await status('/readyz'), 503);
    const response = await fetch(new URL('/t/globex/jwks', worker.url));
    assert.is(response.status, 503);
    assert.is(response.headers.get('retry-after'), '2');
  });
});

start('settings that are wrong, all of them at once', () =>
  withWorker({ vars: { BREVET_PUBLIC_URL: '', BREVET_DATA_DIR: '/data' } }, (worker) =>
    refuses(worker, 'not_serving', /BREVET_PUBLIC_URL is missing.*BREVET_DATA_DIR has no meaning on Workers/),
  ),
);

start.run();
