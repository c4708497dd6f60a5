/**
 * `brevet exec` with real clients: the login that a command gets is gone from the client's catalog when the command
 * ends, however it ends. The command is a Node script, and psql besides where this machine has it.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/leftovers.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientDatabase } from '../support/target.ts';
import type { ClientDatabase } from '../support/target.ts';
import { administrator, newPlace, populate, ROOT, run, startBroker, stopBroker, until } from './broker.ts';
import type { Place, Process } from './broker.ts';

let place: Place;
let broker: Process;
let client: ClientDatabase;
let agent: Record<string, string>;

/** A client, and the status it ends with after Ctrl-C. */
interface Client {
  readonly name: string;
  readonly command: (statement: string) => readonly string[];
  readonly interrupted: number;
}

const NODE: Client = {
  name: 'a Node client',
  command: (statement) => [process.execPath, join(ROOT, 'test', 'cli', 'query.ts'), statement],
  interrupted: 130,
};
/** It cancels its statement, says so, and ends with 1. */
const PSQL: Client = {
  name: 'psql',
  command: (statement) => ['psql', '-X', '-A', '-t', '-c', statement],
  interrupted: 1,
};
const CLIENTS = spawnSync('psql', ['--version']).status === 0 ? [NODE, PSQL] : [NODE];

const exec = (command: readonly string[], ...options: readonly string[]): Process =>
  run(['exec', '--tenant', 'acme', '--task', 'report.query', '--resource', 'shop-db', ...options, '--', ...command], {
    env: agent,
  });

/** Roles of Brevet's leases in the client's catalog, and their sessions, as the superuser sees them. */
async function leftAsSeenBy(sql: Sql): Promise<{ roles: number; sessions: number }> {
  const [row] = await sql<{ roles: number; sessions: number }[]>`
    select (select count(*)::int from pg_roles where rolname like 'brevet\\_0%') as roles,
           (select count(*)::int from pg_stat_activity where usename like 'brevet\\_0%') as sessions`;
  return row ?? { roles: -1, sessions: -1 };
}
const left = () => withAdmin(client.superuser, leftAsSeenBy);

const untilNoRole = (): Promise<void> =>
  withAdmin(client.superuser, (sql) => until(async () => (await leftAsSeenBy(sql)).roles === 0));

/** A client is told of Ctrl-C when it has begun: before, it might not know yet what to do about it. */
const untilAtWork = (): Promise<void> =>
  withAdmin(client.superuser, (sql) =>
    until(async () => {
      const active = await sql`
        select 1 from pg_stat_activity where usename like 'brevet\\_0%' and query like '%pg_sleep%' and state = 'active'`;
      return active.length > 0;
    }),
  );

const NOTHING = { roles: 0, sessions: 0 };

const executing = suite('brevet exec with real clients');

executing.before(async () => {
  place = await newPlace();
  [client, broker] = await Promise.all([clientDatabase(), startBroker(place)]);
  const by = await administrator(place);
  const keys = await populate(by, { 'report-bot': ['reporting'] });
  await by.put('/api/tenants/acme/targets/shop-db', {
    provider: 'postgres',
    config: client.config,
    secret: client.secret.reveal(),
    environment: 'production',
  });
  const keyFile = join(await temporaryFolder('agent'), 'report-bot.jwk');
  writeFileSync(keyFile, JSON.stringify(keys['report-bot']), { mode: 0o600 });
  agent = { BREVET_URL: place.url, BREVET_AGENT: 'report-bot', BREVET_AGENT_KEY_FILE: keyFile };
});
executing.after(async () => {
  await stopBroker(broker);
  await client.remove();
});

for (const { name, command, interrupted } of CLIENTS) {
  executing(`${name} runs a query with a login that is gone when it ends`, async () => {
    const { status, out, err } = await exec(command('select count(*), session_user from tickets')).ended;
    assert.is(status, 0, err);
    assert.match(out, /^3\|brevet_0/);
    assert.match(err, /revoked, verified, exposure \d+ ms/);
    assert.equal(await left(), NOTHING);
  });

  executing(`${name} that fails ends with its own status, and without its login`, async () => {
    const { status, err } = await exec(command('delete from tickets')).ended;
    assert.is(status, 1);
    assert.match(err, 'permission denied for table tickets');
    assert.equal(await left(), NOTHING);
  });

  executing(`${name} that Ctrl-C ends leaves no login`, async () => {
    const running = exec(command('select pg_sleep(600)'));
    await untilAtWork();
    running.signalGroup('SIGINT');
    const { status, err } = await running.ended;
    assert.is(status, interrupted, err);
    assert.match(err, 'revoked, verified');
    assert.equal(await left(), NOTHING);
  });
}

executing('after kill -9 of exec the login ends with its time, and its session with it', async () => {
  const running = exec(NODE.command('select pg_sleep(600)'), '--ttl', '5');
  await untilAtWork();
  running.child.kill('SIGKILL');
  await running.ended;
  assert.equal(await left(), { roles: 1, sessions: 1 }, 'the command itself lives on');
  await untilNoRole();
  assert.equal(await left(), NOTHING);
});

executing('any status passes through', async () => {
  const { status } = await exec([process.execPath, '-e', 'process.exit(42)']).ended;
  assert.is(status, 42);
  assert.equal(await left(), NOTHING);
});

executing('the command finds the login in its environment, and nothing of Brevet’s', async () => {
  const { out } = await exec([process.execPath, '-p', 'JSON.stringify(process.env)']).ended;
  const env = JSON.parse(out) as Record<string, string>;
  assert.equal(
    Object.keys(env).filter((name) => name.startsWith('BREVET_')),
    [],
  );
  assert.match(env['PGUSER'] ?? '', /^brevet_0/);
  assert.is(env['PGPORT'], String(client.port));
});

executing.run();
