/** What takes two persons, from the command line: what is sent, and what the first hands to the second. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeBroker, problem } from '../client/fake-broker.ts';
import type { FakeBroker } from '../client/fake-broker.ts';
import { residentBrevet } from './resident.ts';

let broker: FakeBroker;
let folder: string;

const two = suite('what takes two, from the command line');

const CHANGE = {
  id: 'chg_01jq0000000000000000000000',
  hash: 'a'.repeat(64),
  what: 'to give oversight',
  expires_at: '2026-12-03T10:00:00.000Z',
};
const RECEIPT = { entry: 'ent_01jq0000000000000000000000' };

two.before.each(async () => {
  broker = await fakeBroker();
  folder = mkdtempSync(join(tmpdir(), 'brevet-two-'));
  mkdirSync(join(folder, 'bundle'));
  writeFileSync(join(folder, 'bundle', 'roles.yaml'), 'roles: {}\n');
  const answer = { change: CHANGE, receipt: RECEIPT };
  broker.answering('/api/changes', () => ({ status: 201, body: answer }));
  broker.answering('/api/policy/propose', () => ({ status: 201, body: answer }));
  broker.answering('/api/policy/rollback', () => ({ status: 200, body: answer }));
  broker.answering('/api/policy/activate', () => ({ status: 200, body: { receipt: RECEIPT } }));
  broker.answering(`/api/changes/${CHANGE.id}/confirm`, () => ({ status: 200, body: { receipt: RECEIPT } }));
});
two.after.each(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

const run = (args: readonly string[]) =>
  residentBrevet(args, { env: { BREVET_URL: broker.url, BREVET_OPERATOR_TOKEN: 'given' }, cwd: folder });

const SENT: readonly (readonly [args: readonly string[], path: string, body: unknown])[] = [
  [
    ['person', 'put', 'grace', '--display-name', 'Grace', '--propose', 'Joins us'],
    '/api/changes',
    { act: 'person.put', name: 'grace', body: { display_name: 'Grace' }, reason: 'Joins us' },
  ],
  [
    ['operator', 'put', 'grace', '--person', 'grace', '--propose', 'Signs in'],
    '/api/changes',
    { act: 'operator.put', name: 'grace', body: { person: 'grace' }, reason: 'Signs in' },
  ],
  [
    ['assignment', 'put', '--person', 'grace', '--role', 'overseer', '--tenant', 'acme', '--propose', 'Oversees'],
    '/api/changes',
    {
      act: 'assignment.put',
      body: { tenant: 'acme', role: 'overseer', holder: { person: 'grace' } },
      reason: 'Oversees',
    },
  ],
  [
    ['acceptance', 'put', 'bot', '--tenant', 'acme', '--model-version', '1', '--tasks', 'a.b', '--propose', 'Known'],
    '/api/changes',
    {
      act: 'acceptance.put',
      tenant: 'acme',
      agent: 'bot',
      body: { model_version: '1', tasks: ['a.b'] },
      reason: 'Known',
    },
  ],
  [['change', 'confirm', CHANGE.id, '--hash', CHANGE.hash], `/api/changes/${CHANGE.id}/confirm`, { hash: CHANGE.hash }],
  [
    ['policy', 'propose', 'bundle', '--reason', 'Tidier'],
    '/api/policy/propose',
    { files: { 'roles.yaml': 'roles: {}\n' }, reason: 'Tidier' },
  ],
  [
    ['policy', 'activate', CHANGE.id, '--hash', CHANGE.hash],
    '/api/policy/activate',
    { change: CHANGE.id, hash: CHANGE.hash },
  ],
  [
    ['policy', 'propose', 'bundle', '--reason', 'Tidier', '--until', '2027-01-01T00:00:00Z'],
    '/api/policy/propose',
    { files: { 'roles.yaml': 'roles: {}\n' }, reason: 'Tidier', until: '2027-01-01T00:00:00Z' },
  ],
  [
    ['policy', 'activate', CHANGE.id, '--hash', CHANGE.hash, '--revoke'],
    '/api/policy/activate',
    { change: CHANGE.id, hash: CHANGE.hash, revoke: true },
  ],
  [['policy', 'activate', 'bundle'], '/api/policy/activate', { files: { 'roles.yaml': 'roles: {}\n' } }],
  [
    ['policy', 'rollback', 'b'.repeat(64), '--reason', 'It stands still'],
    '/api/policy/rollback',
    { version: 'b'.repeat(64), reason: 'It stands still' },
  ],
];
for (const [args, path, body] of SENT) {
  two(`sends ${args.slice(0, 3).join(' ')}`, async () => {
    const { status, err } = await run(args);
    assert.is(status, 0, err);
    const [sent] = broker.arrived;
    assert.is(sent?.path, path);
    assert.equal(JSON.parse(sent?.body ?? ''), body);
  });
}

two('tells the first what the second needs', async () => {
  const { out } = await run(['person', 'put', 'grace', '--display-name', 'Grace', '--propose', 'Joins us']);
  assert.match(out, `brevet change show ${CHANGE.id}`);
  assert.match(out, `brevet change confirm ${CHANGE.id} --hash ${CHANGE.hash}`);
});

two('never looks the hash up for who confirms', async () => {
  for (const args of [
    ['change', 'confirm', CHANGE.id],
    ['policy', 'activate', CHANGE.id],
  ]) {
    const { status, err } = await run(args);
    assert.is(status, 2);
    assert.match(err, '--hash is missing');
  }
  assert.is(broker.arrived.length, 0);
});

two('says how to go on where one person was not enough', async () => {
  const hint = 'Propose it at POST /api/changes, and have another administrator confirm it.';
  broker.answering('/api/people/grace', () => problem(403, 'takes_two_persons', { hint }));
  const { status, err } = await run(['person', 'put', 'grace', '--display-name', 'Grace']);
  assert.is(status, 3);
  assert.match(err, hint);
});

const PROBLEM = { file: 'roles.yaml', line: 3, what: 'a role has one function' };
const FAILED = { file: 'cases/a.yaml', name: 'routes', differences: ['effect: forbid, not permit'] };
const WRONG: readonly (readonly [members: Record<string, unknown>, line: RegExp])[] = [
  [{ problems: [PROBLEM] }, /^ {2}roles\.yaml:3: a role has one function$/m],
  [{ cases: [FAILED] }, /^ {2}cases\/a\.yaml: routes: effect: forbid, not permit$/m],
];
for (const [members, line] of WRONG) {
  two(`shows where a bundle is wrong: ${Object.keys(members)[0]}`, async () => {
    broker.answering('/api/policy/propose', () => problem(400, 'invalid_policy', members));
    const { status, err } = await run(['policy', 'propose', 'bundle', '--reason', 'Tidier']);
    assert.is(status, 2);
    assert.match(err, line);
  });
}

two.run();
