/** `exec` as a process, against a fake broker. The real one is in `broker.test.ts`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AGENT, fakeBroker, PASSWORD, problem, TENANT } from '../client/fake-broker.ts';
import type { FakeBroker } from '../client/fake-broker.ts';
import { brevet, cleanEnvironment, start } from './cli.ts';
import type { Ended, Running } from './cli.ts';

let broker: FakeBroker;
let folder: string;

const exec = suite('exec');

exec.before.each(async () => {
  broker = await fakeBroker();
  folder = mkdtempSync(join(tmpdir(), 'brevet-exec-'));
  writeFileSync(join(folder, 'agent.jwk'), JSON.stringify(broker.key), { mode: 0o600 });
});
exec.after.each(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

const agent = (): Record<string, string> => ({
  BREVET_URL: broker.url,
  BREVET_AGENT: AGENT,
  BREVET_AGENT_KEY_FILE: join(folder, 'agent.jwk'),
});

const ASK = ['exec', '--tenant', TENANT, '--task', 'report.query', '--resource', 'tickets'];
const node = (script: string): string[] => ['--', process.execPath, '-e', script];

const run = (command: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  brevet([...ASK, ...command], { env: { ...agent(), ...env }, cwd: folder });

const launch = (command: readonly string[]): Running => start([...ASK, ...command], { env: agent(), cwd: folder });

/** What the lease was completed with. */
const completions = (): unknown[] =>
  broker.arrived.filter(({ path }) => path.endsWith('/complete')).map(({ body }) => JSON.parse(body) as unknown);

const asked = (): unknown =>
  JSON.parse(broker.arrived.find(({ path }) => path.endsWith('/requests'))?.body ?? 'null') as unknown;

exec('gives the command its environment exactly, and nothing in its arguments', async () => {
  const script = `console.log(JSON.stringify({ env: process.env, argv: process.argv.slice(1) }))`;
  const { status, out, err } = await run([...node(script), 'one', '--two'], { PGHOSTADDR: '10.0.0.1', KEPT: 'yes' });
  assert.is(status, 0, err);
  const { env, argv } = JSON.parse(out) as { env: Record<string, string>; argv: string[] };
  assert.equal(env, {
    ...cleanEnvironment(),
    KEPT: 'yes',
    PGHOST: 'db',
    PGPORT: '5432',
    PGDATABASE: 'crm',
    PGUSER: 'brevet_x',
    PGPASSWORD: PASSWORD,
    DATABASE_URL: `postgres://brevet_x:${PASSWORD}@db:5432/crm`,
  });
  assert.equal(argv, ['one', '--two']);
  assert.not.match(err, PASSWORD);
});

exec('asks for what it was told', async () => {
  writeFileSync(join(folder, 'more.yaml'), 'rollback: start it again\nreason: of the file\n');
  const options = ['--param', 'report=stock', '--param', 'ticket=5', '--param', 'limit:=5', '--param', 'deep:=true'];
  await run([
    ...options,
    '--ttl',
    '60',
    '--role',
    'reporting',
    '-f',
    'more.yaml',
    '--reason',
    'stocktaking',
    '--',
    'true',
  ]);
  assert.equal(asked(), {
    task: 'report.query',
    resource: 'tickets',
    parameters: { report: 'stock', ticket: '5', limit: 5, deep: true },
    reason: 'stocktaking',
    role: 'reporting',
    ttl: 60,
    rollback: 'start it again',
  });
});

for (const [told, ticket] of [
  [[], '5'],
  [['--param', 'ticket=6'], '6'],
] as const) {
  exec(`asks for what its file says, and before that for what it was told: ${told.join(' ')}`, async () => {
    const said = { reason: 'of the file', parameters: { report: 'stock', ticket: '5' } };
    writeFileSync(join(folder, 'all.yaml'), JSON.stringify(said));
    await run(['-f', 'all.yaml', ...told, '--', 'true']);
    const parameters = { report: 'stock', ticket };
    assert.equal(asked(), { task: 'report.query', resource: 'tickets', ...said, parameters });
  });
}

/** What the command does, the status that `exec` ends with, and what the broker is told of the outcome. */
const ENDS: readonly (readonly [what: string, script: string, status: number, outcome: string])[] = [
  ['well', '0', 0, 'succeeded'],
  ['with its own status', 'process.exit(7)', 7, 'failed'],
  ['by a signal', `process.kill(process.pid, 'SIGKILL')`, 137, 'failed'],
];
for (const [what, script, status, outcome] of ENDS) {
  exec(`completes a command that ends ${what}`, async () => {
    const ended = await run(node(script));
    assert.is(ended.status, status);
    assert.equal(completions(), [{ outcome, summary: `The command ended with ${status}.` }]);
    assert.is(broker.live.size, 0);
    assert.match(ended.err, 'brevet: lease lse_1 revoked, verified, exposure 12 ms');
  });
}

exec('says of a command that is not there, and of one that cannot be run', async () => {
  writeFileSync(join(folder, 'plain'), 'x');
  const absent = await run(['--', 'no-such-command-here']);
  assert.is(absent.status, 127);
  assert.match(absent.err, 'brevet: no-such-command-here: there is no such command');
  assert.is((await run(['--', './plain'])).status, 126);
  assert.is(broker.live.size, 0);
});

const READY = `console.log('ready'); setInterval(() => {}, 1000);`;

/** A signal to `exec`, what the command makes of it, and the status of both. */
const SIGNALS: readonly (readonly [signal: NodeJS.Signals, script: string, status: number])[] = [
  ['SIGINT', READY, 130],
  ['SIGTERM', READY, 143],
  ['SIGHUP', READY, 129],
  ['SIGQUIT', READY, 131],
  ['SIGINT', `process.on('SIGINT', () => process.exit(9)); ${READY}`, 9],
];
for (const [signal, script, status] of SIGNALS) {
  exec(`hands ${signal} on, completes, and ends with ${status}`, async () => {
    const running = launch(node(script));
    await running.said('ready');
    running.child.kill(signal);
    const ended = await running.ended;
    assert.equal([ended.status, ended.signal], [status, null], ended.err);
    assert.is(completions().length, 1);
    assert.is(broker.live.size, 0);
  });
}

const until = async (path: string): Promise<void> => {
  while (!broker.paths().some((came) => came.endsWith(path))) await new Promise((turn) => setTimeout(turn, 5));
};

exec('loses no completion to a signal that comes in the middle of it', async () => {
  const release = broker.holding('/complete');
  const running = launch(node('process.exit(3)'));
  await until('/complete');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGINT'] as const) running.child.kill(signal);
  await new Promise((turn) => setTimeout(turn, 50));
  release();
  const { status, err } = await running.ended;
  assert.is(status, 3, err);
  assert.match(err, 'lse_1 revoked');
});

exec('does not begin what was stopped while it asked', async () => {
  const release = broker.holding('/requests');
  const running = launch(node(`console.log('never')`));
  await until('/requests');
  running.child.kill('SIGTERM');
  await new Promise((turn) => setTimeout(turn, 50));
  release();
  const { status, out } = await running.ended;
  assert.equal([status, out], [143, '']);
  assert.equal(completions(), [{ outcome: 'abandoned', summary: 'Stopped by SIGTERM before it began.' }]);
});

exec('says so when the lease could not be completed, and keeps the command’s status', async () => {
  broker.failing('/complete', problem(404, 'not_found'));
  const { status, err } = await run(node('process.exit(5)'));
  assert.is(status, 5);
  assert.match(err, /lease lse_1 could not be completed .*: the broker ends it at 2026-01-01T00:05:00\.000Z/);
});

exec('completes a lease whose kind of credential it does not know', async () => {
  const lease = { id: 'lse_1', expires_at: '2026-01-01T00:05:00.000Z' };
  broker.answering('/requests', () => ({
    status: 201,
    body: { request: 'req_1', lease, credential: { type: 'new' } },
  }));
  const { status, err } = await run(node('0'));
  assert.is(status, 1);
  assert.match(err, 'no environment for this kind of credential');
  assert.is(completions().length, 1);
});

/** What the broker answers, and the status. */
const ANSWERS: readonly (readonly [
  what: string,
  answer: Parameters<FakeBroker['failing']>[1],
  status: number,
  told: RegExp,
])[] = [
  ['a refusal', problem(403, 'not_permitted', { hint: 'Ask for less.' }), 3, /not_permitted\)\n {2}Ask for less\./],
  [
    'a person is asked',
    { status: 202, body: { request: 'req_9', approval: { id: 'apr_9' } } },
    4,
    /a person is being asked about req_9/,
  ],
  ['a wrong request', problem(400, 'invalid_field', { path: 'parameters.x' }), 2, /invalid_field, at parameters\.x/],
  [
    'what it does not read',
    { status: 201, body: { lease: 7, credential: {} } },
    1,
    /the broker's answer has no request/,
  ],
];
for (const [what, answer, status, told] of ANSWERS) {
  exec(`ends with ${status} for ${what}, and runs nothing`, async () => {
    broker.failing('/requests', answer);
    const ended = await run(node(`console.log('never')`));
    assert.equal([ended.status, ended.out], [status, ''], ended.err);
    assert.match(ended.err, told);
  });
}

exec('ends with 3 where the token endpoint refuses, which says so with 400', async () => {
  broker.failing('/token', {
    status: 400,
    body: {
      error: 'access_denied',
      error_description: 'nobody is accountable for it',
      error_uri: `${broker.url}/errors/owner_gone`,
    },
  });
  const ended = await run(node(`console.log('never')`));
  assert.equal([ended.status, ended.out], [3, ''], ended.err);
  assert.match(ended.err, 'nobody is accountable for it (owner_gone)');
});

exec('says what to look at where its assertion is not accepted', async () => {
  broker.failing('/token', { status: 401, body: { error: 'invalid_client', error_description: 'not accepted' } });
  const ended = await run(['--', 'true']);
  assert.is(ended.status, 1);
  assert.match(ended.err, 'not accepted (invalid_client)\n  Check BREVET_URL');
});

/** How people have answered when `--wait` looks. */
const ANSWERED: readonly (readonly [state: string, status: number, told: string])[] = [
  ['pending', 4, 'a person is being asked about req_9'],
  ['rejected', 3, 'the approval is rejected (approval_over)'],
];
for (const [state, status, told] of ANSWERED) {
  exec(`waits, and ends with ${status} when it is ${state}`, async () => {
    const approval = { id: 'apr_9', state };
    broker.failing('/requests', { status: 202, body: { request: 'req_9', approval } });
    broker.answering('/requests/req_9', () => ({ status: 200, body: { id: 'req_9', approval } }));
    broker.answering('/requests/req_9/credential', () =>
      problem(409, 'approval_over', { detail: `the approval is ${state}` }),
    );
    const ended = await run(['--wait', '0', ...node('0')]);
    assert.is(ended.status, status, ended.err);
    assert.match(ended.err, told);
  });
}

exec('stops waiting when it is told to', async () => {
  const approval = { id: 'apr_9', state: 'pending' };
  broker.failing('/requests', { status: 202, body: { request: 'req_9', approval } });
  broker.answering('/requests/req_9', () => ({ status: 200, body: { id: 'req_9', approval } }));
  const running = launch(['--wait', '600', ...node('0')]);
  await until('/requests/req_9');
  running.child.kill('SIGINT');
  assert.is((await running.ended).status, 130);
});

/** Where a deployment key can be read by the user who runs `exec`. */
const BESIDE: readonly (readonly [what: string, env: () => Record<string, string>])[] = [
  ['in the environment', () => ({ BREVET_DEPLOYMENT_KEY: 'canary' })],
  ['in a file that is named', () => ({ BREVET_DEPLOYMENT_KEY_FILE: keyIn('other.key') })],
  ['in a data directory that is named', () => ({ BREVET_DATA_DIR: join(keyIn('deployment.key'), '..') })],
];
function keyIn(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, 'canary', { mode: 0o600 });
  return path;
}
for (const [what, env] of BESIDE) {
  exec(`refuses beside a deployment key ${what}, unless told`, async () => {
    const refused = await run(node('0'), env());
    assert.equal([refused.status, refused.out], [2, '']);
    assert.match(refused.err, /can read the deployment key .*--same-user/);
    assert.is(broker.arrived.length, 0);
    const told = await run(['--same-user', ...node(`console.log(Object.keys(process.env).join())`)], env());
    assert.is(told.status, 0);
    assert.match(told.err, 'warning: this user can read the deployment key');
    assert.not.match(told.out, 'BREVET_');
    assert.not.match(told.out + told.err, 'canary');
  });
}

exec.run();
