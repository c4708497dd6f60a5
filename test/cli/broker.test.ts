/** The commands against a real broker, its own Postgres, a client's Postgres and, where there is one, a real psql. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { exportJWK, generateKeyPair } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentKeyFile } from '../../src/config.ts';
import { until } from '../acceptance/broker.ts';
import { brokerFolder } from '../support/cluster.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { copyWithoutCases, policyWithoutCases } from '../support/policy.ts';
import { freePort } from '../support/port.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientDatabase } from '../support/target.ts';
import type { ClientDatabase } from '../support/target.ts';
import { brevet, start } from './cli.ts';
import type { Ended, Running } from './cli.ts';
import { residentBrevet } from './resident.ts';

let client: ClientDatabase;
let broker: Running;
let folder: string;
let url: string;
let settings: Record<string, string>;

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

const deploymentKey = (): string => deploymentKeyFile(settings['BREVET_DATA_DIR'] ?? '');

/** A command of the operator's, on the machine of the broker. */
const as = (operator: string, ...args: readonly string[]): Promise<Ended> =>
  residentBrevet([...args, '--as', operator], { env: settings, cwd: folder });

async function done(operator: string, ...args: readonly string[]): Promise<string> {
  const { status, out, err } = await as(operator, ...args);
  assert.is(status, 0, `${args.join(' ')}: ${err}`);
  return out;
}

const json = async <T>(operator: string, ...args: readonly string[]): Promise<T> =>
  JSON.parse(await done(operator, ...args, '--json')) as T;

const agent = (): Record<string, string> => ({
  BREVET_URL: url,
  BREVET_AGENT: 'report-bot',
  BREVET_AGENT_KEY_FILE: join(folder, 'report-bot.jwk'),
});

const REPORT = [
  'exec',
  '--tenant',
  'acme',
  '--task',
  'report.query',
  '--resource',
  'tickets',
  '--reason',
  'weekly numbers',
];

/** Where the agent works there is no deployment key. */
const launch = (args: readonly string[]): Running => start(args, { env: agent(), cwd: '/' });
const exec = (...args: readonly string[]): Promise<Ended> => launch([...REPORT, ...args]).ended;

async function loginsSeenBy(sql: Sql): Promise<number> {
  const rows = await sql`select 1 from pg_roles where rolname like 'brevet\\_0%' and rolcanlogin`;
  return rows.length;
}
const logins = (): Promise<number> => withAdmin(client.superuser, loginsSeenBy);

const untilNoLogin = (): Promise<void> =>
  withAdmin(client.superuser, (sql) => until(async () => (await loginsSeenBy(sql)) === 0));

const startBroker = async (): Promise<Running> => {
  const running = start(['start'], { env: settings, cwd: folder });
  await running.said('serving at');
  return running;
};

const hasPsql = spawnSync('psql', ['--version']).status === 0;

const commands = suite('the commands and a broker');

commands.before(async () => {
  folder = await temporaryFolder('cli');
  const port = await freePort();
  url = `http://localhost:${port}`;
  settings = {
    BREVET_DATA_DIR: await brokerFolder('data'),
    BREVET_LISTEN: `127.0.0.1:${port}`,
    BREVET_POLICY_DIR: await policyWithoutCases(),
  };
  [client, broker] = await Promise.all([clientDatabase(), startBroker()]);
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  file('report-bot.jwk', JSON.stringify(await exportJWK(privateKey)));
});
commands.after(async () => {
  broker.child.kill('SIGTERM');
  await broker.ended;
  await client.remove();
});

commands('start makes its key once, for its user alone', () => {
  const { mode } = statSync(deploymentKey());
  assert.is(mode & 0o777, 0o600);
});

commands('a second start on the same data says who holds it', async () => {
  const { status, err } = await brevet(['start'], { env: settings, cwd: folder });
  assert.is(status, 1);
  assert.match(err, `is in use by process ${broker.child.pid} (brevet start)`);
});

commands('the first local token makes the first administrator', async () => {
  const out = await done('ada', 'operator', 'token');
  assert.is(out.trim().split('.').length, 3);
  const operators = await json<{ name: string }[]>('ada', 'operator', 'list');
  assert.equal(
    operators.map(({ name }) => name),
    ['ada'],
  );
});

commands('a token that was printed is taken from the environment', async () => {
  const token = (await done('ada', 'operator', 'token')).trim();
  const env = { BREVET_OPERATOR_TOKEN: token, BREVET_URL: url };
  const { status, out } = await brevet(['person', 'list'], { env });
  assert.is(status, 0);
  assert.match(out, /^NAME +DISPLAY NAME +EMAIL +ACTIVE$/m);
  assert.is((await brevet(['person', 'list'], { env: { ...env, BREVET_OPERATOR_TOKEN: `${token}x` } })).status, 1);
});

commands('everything that an agent needs is put in place', async () => {
  const people = ['olga', 'dana', 'otto', 'paula'];
  await Promise.all(people.map((name) => done('ada', 'person', 'put', name, '--display-name', name.toUpperCase())));
  await done('ada', 'operator', 'put', 'otto', '--person', 'otto');
  await done('ada', 'vendor', 'put', 'in-house', '--retention-days', '0');
  await done('ada', 'tenant', 'put', 'acme', '--display-name', 'Acme Retail');
  const context = file(
    'acme.yaml',
    `autonomy: autonomous
terms:
  vendors: [in-house]
  models: [{ model: planner, version: '3.1' }]
  training: false
  retention_days: 30
`,
  );
  await done('ada', 'context', 'set', '--tenant', 'acme', '-f', context);
  await done('ada', 'assignment', 'put', '--person', 'otto', '--role', 'overseer', '--tenant', 'acme');
  await done('ada', 'assignment', 'put', '--person', 'paula', '--role', 'approver', '--tenant', 'acme');
  const card = file(
    'report-bot.yaml',
    `owner: olga
deputy: dana
kind: autonomous-agent
purpose: Reports of the week
vendor: in-house
model: planner
model_version: '3.1'
autonomy: autonomous
`,
  );
  await done('ada', 'agent', 'put', 'report-bot', '-f', card);
  const key = join(folder, 'report-bot.jwk');
  await done('ada', 'enrolment', 'put', 'report-bot', '--tenant', 'acme', '--key-file', key);
  const accepted = ['--tasks', 'report.query', '--model-version', '3.1', '--reason', 'A quiet year'];
  await done('ada', 'acceptance', 'put', 'report-bot', '--tenant', 'acme', ...accepted);
  const target = ['tickets', '--tenant', 'acme', '--provider', 'postgres', '--environment', 'production'];
  const config = file('tickets.json', JSON.stringify(client.config));
  const secret = file('tickets.password', `${client.secret.reveal()}\n`);
  await done('ada', 'target', 'put', ...target, '--config-file', config, '--secret-file', secret);
  await done('ada', 'assignment', 'put', '--agent', 'report-bot', '--role', 'reporting', '--tenant', 'acme');
});

commands('what was put is shown, without its secrets', async () => {
  assert.match(await done('ada', 'tenant', 'list'), /^acme +Acme Retail +autonomous/m);
  assert.match(await done('ada', 'agent', 'get', 'report-bot'), /^owner +olga$/m);
  const target = await done('ada', 'target', 'get', 'tickets', '--tenant', 'acme', '--json');
  assert.match(target, '"has_secret": true');
  assert.not.match(target, client.secret.reveal());
  const enrolled = await done('ada', 'enrolment', 'get', 'report-bot', '--tenant', 'acme', '--json');
  const { d } = JSON.parse(readFileSync(join(folder, 'report-bot.jwk'), 'utf8')) as { d: string };
  assert.not.match(enrolled, d);
  const accepted = await done('ada', 'acceptance', 'list', '--tenant', 'acme');
  assert.match(accepted, /^report-bot +planner +3\.1 +report\.query +ada +true +A quiet year$/m);
  const [assignment] = await json<{ id: string }[]>('ada', 'assignment', 'list', '--tenant', 'acme');
  assert.match(
    await done('ada', 'assignment', 'get', assignment?.id ?? '', '--tenant', 'acme'),
    assignment?.id ?? 'none',
  );
});

commands('a freeze is set, shown and ended', async () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const set = ['context', 'set', 'freeze', '--tenant', 'acme', '--until', until, '--reason', 'Year-end closing'];
  assert.match(await done('ada', ...set), /^freeze sit_\w+ is set/);
  const shown = await json<{ situations: { id: string; until: string }[] }>(
    'ada',
    'context',
    'show',
    '--tenant',
    'acme',
  );
  const [freeze] = shown.situations;
  assert.is(freeze?.until, until);
  assert.match(await done('ada', 'context', 'show', '--tenant', 'acme'), /^sit_\w+ +freeze/m);
  await done('ada', 'context', 'end', freeze?.id ?? '', '--tenant', 'acme', '--reason', 'Closing is done');
  assert.is((await as('ada', 'context', 'end', freeze?.id ?? '', '--tenant', 'acme', '--reason', 'Again')).status, 1);
  assert.is((await as('ada', 'context', 'set', '--tenant', 'acme', '--until', until)).status, 2);
});

commands('a target is checked before first use', async () => {
  const { status, out, err } = await as('ada', 'target', 'check', 'tickets', '--tenant', 'acme');
  assert.is(status, 0, out + err);
});

/** What a broker refuses, and the status. */
const REFUSED: readonly (readonly [args: readonly string[], status: number, code: string])[] = [
  [['tenant', 'get', 'nowhere'], 1, 'not_found'],
  [['tenant', 'put', 'Acme', '--display-name', 'x'], 2, 'invalid_name'],
  [['tenant', 'put', 'other', '--autonomy', 'total', '--display-name', 'x'], 2, 'invalid_field'],
  [['assignment', 'put', '--agent', 'report-bot', '--role', 'overseer', '--tenant', 'acme'], 1, 'second_function'],
  [['lease', 'show', 'lse_1', '--tenant', 'acme'], 3, 'function_needed'],
];
for (const [args, status, code] of REFUSED) {
  commands(`${args.join(' ')} ends with ${status}`, async () => {
    const ended = await as('ada', ...args, '--json');
    assert.is(ended.status, status, ended.err);
    assert.is((JSON.parse(ended.err) as { code: string }).code, code);
  });
}

/** psql itself, or a client that reads the same environment. */
const query = (statement: string): string[] =>
  hasPsql
    ? ['--', 'psql', '-X', '-A', '-t', '-c', statement]
    : ['--', process.execPath, join(import.meta.dirname, 'query.ts'), statement];

commands('exec runs a query with a login that is gone when the command ends', async () => {
  const { status, out, err } = await exec(...query('select count(*), current_user from tickets'));
  assert.is(status, 0, err);
  assert.match(out, /^3\|/);
  assert.match(err, /lease lse_\w+ revoked, verified, exposure \d+ ms/);
  assert.is(await logins(), 0);
});

commands('a query that fails ends with the command’s own status', async () => {
  const { status, err } = await exec(...query('delete from tickets'));
  assert.is(status, 1);
  assert.match(err, 'permission denied');
  assert.is(await logins(), 0);
});

for (const [signal, status] of [
  // psql cancels its statement and says so.
  ['SIGINT', hasPsql ? 1 : 130],
  ['SIGTERM', 143],
] as const) {
  commands(`after ${signal} the login is gone`, async () => {
    const running = launch([...REPORT, ...query('select pg_sleep(600)')]);
    await untilSession();
    running.child.kill(signal);
    const ended = await running.ended;
    assert.is(ended.status, status, ended.err);
    assert.match(ended.err, 'revoked, verified');
    assert.is(await logins(), 0);
  });
}

commands('after kill -9 of exec the broker ends the login at its time', async () => {
  const running = launch([...REPORT, '--ttl', '5', ...query('select pg_sleep(600)')]);
  await untilSession();
  running.child.kill('SIGKILL');
  await running.ended;
  await untilNoLogin();
});

/** Until a login of Brevet's is in the client's database. */
const untilSession = (): Promise<void> =>
  withAdmin(client.superuser, (sql) =>
    until(async () => {
      const rows =
        await sql`select 1 from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`;
      return rows.length > 0;
    }),
  );

commands('exec ends with 3 for what no role carries', async () => {
  const args = ['exec', '--tenant', 'acme', '--task', 'firewall.change', '--resource', 'tickets', '--', 'true'];
  const { status, err } = await launch(args).ended;
  assert.is(status, 3, err);
  assert.match(err, /\(no_role, at task\)/);
});

commands('exec at a tenant that is not there is told what a stranger is told', async () => {
  const { status } = await launch(['exec', '--tenant', 'nowhere', ...REPORT.slice(3), '--', 'true']).ended;
  assert.is(status, 1);
});

commands('oversight reads the story of a lease, and no one else does', async () => {
  const leases = await json<{ id: string; state: string }[]>('otto', 'lease', 'list', '--tenant', 'acme');
  assert.ok(leases.length > 0);
  assert.ok(
    leases.every(({ state }) => state === 'revoked'),
    JSON.stringify(leases),
  );
  const story = await done('otto', 'lease', 'timeline', leases.at(-1)?.id ?? '', '--tenant', 'acme');
  for (const line of [/^agent +report-bot$/m, /^accountable +olga$/m, /lease\.active/, /lease\.revoked/]) {
    assert.match(story, line);
  }
  assert.is((await json<unknown[]>('ada', 'lease', 'list')).length, 0);
});

for (const [word, option] of [
  ['lease', 'state'],
  ['request', 'effect'],
] as const) {
  commands(`${word} list says so where there is no such ${option}`, async () => {
    const { status, err } = await as('otto', word, 'list', `--${option}`, 'nope');
    assert.is(status, 2);
    assert.match(err, `${option} is one of `);
  });
}

commands('oversight sees what was asked, and how it was decided', async () => {
  const asked = await json<{ id: string; task: string }[]>('otto', 'request', 'list', '--effect', 'forbid');
  assert.ok(asked.some(({ task }) => task === 'firewall.change'));
  assert.match(await done('otto', 'request', 'show', asked[0]?.id ?? ''), /^effect +forbid$/m);
});

commands('oversight ends a lease', async () => {
  const running = launch([
    ...REPORT,
    '--',
    process.execPath,
    '-e',
    `console.log('ready'); setInterval(() => {}, 1000)`,
  ]);
  await running.said('ready');
  const [lease] = await json<{ id: string }[]>('otto', 'lease', 'list', '--state', 'active');
  const ended = await done('otto', 'lease', 'revoke', lease?.id ?? '', '--tenant', 'acme', '--reason', 'wrong table');
  assert.match(ended, /^state +revoked$/m);
  assert.is(await logins(), 0);
  running.child.kill('SIGTERM');
  assert.is((await running.ended).status, 143);
});

commands('a policy is activated in set-up, and a bad one is not', async () => {
  const next = await copyWithoutCases(await temporaryFolder('policy'));
  const tasks = readFileSync(join(next, 'tasks.yaml'), 'utf8');
  writeFileSync(join(next, 'tasks.yaml'), `# The next version.\n${tasks}`);
  assert.match(await done('ada', 'policy', 'activate', next), /^the policy [0-9a-f]{64} is active/m);
  const bad = await temporaryFolder('policy');
  writeFileSync(join(bad, 'roles.yaml'), 'roles: {}\n');
  const { status, err } = await as('ada', 'policy', 'activate', bad);
  assert.is(status, 2);
  assert.match(err, 'invalid_policy');
});

commands('others may not read the deployment key', async () => {
  const key = deploymentKey();
  chmodSync(key, 0o644);
  try {
    const { status, err } = await as('ada', 'tenant', 'list');
    assert.is(status, 2);
    assert.match(err, 'others can read');
  } finally {
    chmodSync(key, 0o600);
  }
});

commands('an assignment that is removed ends what an agent may', async () => {
  const assignments = await json<{ id: string; role: string }[]>('ada', 'assignment', 'list', '--tenant', 'acme');
  const reporting = assignments.find(({ role }) => role === 'reporting')?.id ?? '';
  await done('ada', 'assignment', 'remove', reporting);
  assert.is((await exec('--', 'true')).status, 3);
});

commands('a removed name is not given again', async () => {
  await done('ada', 'tenant', 'put', 'brief', '--display-name', 'Brief');
  await done('ada', 'tenant', 'remove', 'brief');
  const { status, err } = await as('ada', 'tenant', 'put', 'brief', '--display-name', 'Brief', '--json');
  assert.is(status, 1);
  assert.is((JSON.parse(err) as { code: string }).code, 'name_retired');
});

commands('start stops when it is told, has said no secret, and goes on where it was', async () => {
  broker.child.kill('SIGINT');
  const { status, err } = await broker.ended;
  assert.is(status, 0, err.slice(-500));
  assert.not.match(err, client.secret.reveal());
  broker = await startBroker();
  assert.match(await done('ada', 'tenant', 'list'), 'acme');
});

commands.run();
