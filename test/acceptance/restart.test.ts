/** `brevet start` where one was before: another bundle, another key, and a broker that was killed. */
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import { isAlive } from '../support/alive.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientDatabase } from '../support/target.ts';
import {
  administrator,
  events,
  newPlace,
  populate,
  postmaster,
  run,
  startBroker,
  stopBroker,
  until,
} from './broker.ts';

const again = suite('a start where one was before');

again('a bundle on disk that differs is reported, and not taken', async () => {
  const place = await newPlace();
  await stopBroker(await startBroker(place));
  const policy = join(await temporaryFolder('policy'), 'policy');
  await cp(await policyWithoutCases(), policy, { recursive: true });
  const roles = await readFile(join(policy, 'roles.yaml'), 'utf8');
  await writeFile(join(policy, 'roles.yaml'), roles.replace('Sorts incoming tickets.', 'Sorts tickets.'));
  const broker = await startBroker(place, { env: { BREVET_POLICY_DIR: policy } });
  const told = events(broker).find(({ event }) => event === 'policy.on_disk_differs');
  assert.ok(told);
  assert.is.not(told['active'], told['on_disk']);
  await stopBroker(broker);

  const key = join(await temporaryFolder('key'), 'other.key');
  await writeFile(key, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  const { status, err } = await run(['start'], { env: { ...place.env, BREVET_DEPLOYMENT_KEY_FILE: key } }).ended;
  assert.is(status, 1, 'another deployment key');
  assert.match(err, 'deployment key');
  assert.not.match(err, 'listening');
  assert.not(existsSync(join(place.dataDir, 'postgres', 'cluster', 'postmaster.pid')));
});

again('a survivor is taken over after kill -9', async () => {
  const place = await newPlace();
  const [client, broker] = await Promise.all([clientDatabase(), startBroker(place)]);
  const by = await administrator(place);
  const keys = await populate(by, { 'report-bot': ['reporting'] });
  await by.put('/api/tenants/acme/targets/shop-db', {
    provider: 'postgres',
    config: client.config,
    secret: client.secret.reveal(),
    environment: 'production',
  });
  const bot = createBrevet({ url: place.url, tenant: 'acme', agent: 'report-bot', key: keys['report-bot'] ?? {} });
  const report = { task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'A long one' };
  const [short, long] = [await bot.ask({ ...report, ttl: 5 }), await bot.ask({ ...report, ttl: 300 })];
  const pid = postmaster(place);
  broker.child.kill('SIGKILL');
  await broker.ended;
  assert.ok(isAlive(pid), 'Postgres outlives a broker that is killed');

  const next = await startBroker(place);
  assert.is(postmaster(place), pid);
  assert.is(events(next).find(({ event }) => event === 'embedded_postgres.ready')?.['taken_over'], true);
  const loginsSeenBy = async (sql: Sql) => {
    const rows = await sql<{ rolname: string }[]>`select rolname from pg_roles where rolname like 'brevet\\_0%'`;
    return rows.map(({ rolname }) => rolname);
  };
  const logins = () => withAdmin(client.superuser, loginsSeenBy);
  const ended = short.id.replace('lse', 'brevet');
  await withAdmin(client.superuser, (sql) => until(async () => !(await loginsSeenBy(sql)).includes(ended)));
  assert.equal(await logins(), [long.id.replace('lse', 'brevet')], 'the other lease lives on');
  assert.is((await long.done({ outcome: 'succeeded', summary: 'Done' })).death, 'verified');
  assert.equal(await logins(), []);
  await stopBroker(next);
  await client.remove();
});

again.run();
