/** The same app in workerd, on a real Postgres: the life of a token, and the sweeper by cron. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Authenticator } from '../support/authenticator.ts';
import { signedIn } from '../support/console.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientOf, proverOf, PUBLIC_URL, setUp, startWorker, sweepOnce, workersDatabase } from './world.ts';
import type { Client, RunningWorker, WorkersDatabase } from './world.ts';

const ROUTE = {
  type: 'brevet_task',
  task: 'ticket.route',
  resource: 'desk',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'The network is down',
};
const asking = (detail: Readonly<Record<string, unknown>> = {}) => ({
  grant_type: 'client_credentials',
  authorization_details: JSON.stringify([{ ...ROUTE, ...detail }]),
});

let database: WorkersDatabase;
let worker: RunningWorker;
let prove: () => Promise<string>;
let agent: Client;
let target: Client;

const workers = suite('Brevet on workerd');

workers.before(async () => {
  database = await workersDatabase();
  const keys = await setUp(database);
  worker = await startWorker(database);
  prove = proverOf('triage-bot', keys.agent);
  agent = clientOf(worker.url, prove);
  target = clientOf(worker.url, proverOf('target:desk', keys.target));
});
workers.after(async () => {
  await worker.harness.close();
  await database.stop();
});

const rows = (statement: string): Promise<readonly Record<string, unknown>[]> =>
  withAdmin(database.superuser, async (sql) => [...(await sql.unsafe(statement))]);

/** Until the statement finds something; the runner's own limit ends a wait for what never comes. */
async function until(statement: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [row] = await rows(statement);
    if (row !== undefined) return row;
    await new Promise((turn) => setTimeout(turn, 50));
  }
}

async function get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(new URL(path, worker.url));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

interface Issued {
  readonly token: string;
  readonly lease: string;
}

async function issued(detail: Readonly<Record<string, unknown>> = {}): Promise<Issued> {
  const { status, body } = await agent('token', asking(detail));
  assert.is(status, 200, JSON.stringify(body));
  return { token: String(body['access_token']), lease: String(body['lease']) };
}

const introspected = async (token: string): Promise<unknown> => (await target('introspect', { token })).body['active'];

workers('answers that it is up, and is not ready while nobody watches expiry', async () => {
  assert.equal(await get('/healthz'), { status: 200, body: { up: true } });
  // The node of the set-up beat, and has stopped.
  await rows('delete from heartbeats');
  const { status, body } = await get('/readyz');
  assert.is(status, 503);
  assert.is(body['sweeper'], false);
  const refused = await agent('token', asking());
  assert.is(refused.status, 503, JSON.stringify(refused.body));
});

workers('the cron writes the heartbeat, and then it is ready', async () => {
  assert.is(await sweepOnce(worker), 'ok');
  const beats = await rows(`select node from heartbeats where node like 'worker-%'`);
  assert.is(beats.length, 1);
  const { status, body } = await get('/readyz');
  assert.is(status, 200, JSON.stringify(body));
  assert.is(body['node'], beats[0]?.['node']);
  assert.is(body['breakers'], true, 'it counts them too');
});

workers('a token is issued, introspected, revoked, and dead', async () => {
  const { token, lease } = await issued();
  assert.is(await introspected(token), true);
  assert.is((await agent('revoke', { token })).status, 200);
  assert.is(await introspected(token), false);
  const [row] = await rows(`select state, cause, death from leases where id = '${lease}'`);
  assert.is(row?.['state'], 'revoked');
  assert.is(row?.['cause'], 'token_revoked');
});

workers('a person signs in at the console with a passkey', async () => {
  const key = new Authenticator(PUBLIC_URL);
  const { publicKey } = key.passkey('otto');
  await rows(
    `insert into passkeys values ('${key.id}', 'otto', '${publicKey}', 0, true, '', 'test', '{internal}', 0, 'ada', true)`,
  );
  await rows('update deployment set epoch = epoch + 1');
  const request = (url: URL, init: RequestInit) =>
    fetch(new URL(`${url.pathname}${url.search}`, worker.url), { ...init, redirect: 'manual' });
  const surfer = await signedIn({ app: { request } }, key);
  const page = await surfer.get('/account');
  assert.is(page.status, 200);
  assert.match(page.text, /signed in\s+with a passkey/);
  for (const [, path = ''] of page.text.matchAll(/(?:href|src)="(\/console\/[^"]+)"/g)) {
    assert.is((await surfer.get(path)).status, 200, path);
  }
});

workers('many at once are all served, and none waits for another', async () => {
  const leases = await Promise.all(Array.from({ length: 24 }, () => issued()));
  assert.is(new Set(leases.map(({ lease }) => lease)).size, leases.length);
});

workers('an assertion is good once, also for three at the same moment', async () => {
  const assertion = await prove();
  const answers = await Promise.all([1, 2, 3].map(() => agent('token', asking(), { assertion })));
  const statuses = answers.map(({ status }) => status);
  assert.equal(
    statuses.toSorted((a, b) => a - b),
    [200, 401, 401],
  );
});

workers('the cron ends a lease that has passed its end', async () => {
  const { token, lease } = await issued();
  assert.is(await introspected(token), true);
  await rows(`update leases set expires_at = brevet_now() - 1 where id = '${lease}'`);
  assert.is(await sweepOnce(worker), 'ok');
  const [row] = await rows(`select state, cause, death ->> 'how' as how from leases where id = '${lease}'`);
  assert.equal({ ...row }, { state: 'revoked', cause: 'expired', how: 'verified' });
  assert.is(await introspected(token), false);
});

workers('refusals that repeat are counted, and the count is written', async () => {
  const session = await agent('token', { grant_type: 'client_credentials' });
  const headers = {
    authorization: `Bearer ${String(session.body['access_token'])}`,
    'content-type': 'application/json',
  };
  const { type: _, ...request } = ROUTE;
  const body = JSON.stringify({ ...request, resource: 'nowhere' });
  for (let tries = 1; tries <= 3; tries++) {
    const { status } = await fetch(new URL('/t/acme/requests', worker.url), { method: 'POST', headers, body });
    assert.is(status, 403);
  }
  const counted = await until(`select text from entries where kind = 'request.forbidden_again'`);
  assert.match(String(counted['text']), '"count":2');
});

workers.run();
