/** How operators' commands reach a broker, and what they send. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKeyring } from '../../src/core/seal.ts';
import { DEMAND_KEY_USE, verifyDemand } from '../../src/core/local-token.ts';
import { instant } from '../../src/core/time.ts';
import { fakeBroker, problem } from '../client/fake-broker.ts';
import type { FakeBroker } from '../client/fake-broker.ts';
import type { Ended } from './cli.ts';
import { residentBrevet } from './resident.ts';

let broker: FakeBroker;
let folder: string;
const KEY = Buffer.alloc(32, 5);

const line = suite('operators’ commands');

line.before.each(async () => {
  broker = await fakeBroker();
  folder = mkdtempSync(join(tmpdir(), 'brevet-operator-'));
  mkdirSync(join(folder, '.brevet'));
  writeFileSync(join(folder, '.brevet', 'deployment.key'), `${KEY.toString('base64')}\n`, { mode: 0o600 });
  broker.answering('/api/local-tokens', () => ({ status: 201, body: { token: 'local', operator: 'ada' } }));
});
line.after.each(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

const run = (args: readonly string[], env: Record<string, string> = {}, input?: string): Promise<Ended> =>
  residentBrevet(args, {
    env: { BREVET_URL: broker.url, ...env },
    cwd: folder,
    ...(input === undefined ? {} : { input }),
  });

line('show a token that was given, and nothing else', async () => {
  broker.answering('/api/people', () => ({ status: 200, body: { items: [], cursor: null } }));
  const { status, out } = await run(['person', 'list'], { BREVET_OPERATOR_TOKEN: 'given' });
  assert.equal([status, out], [0, 'none\n']);
  assert.equal(
    broker.arrived.map(({ headers }) => headers.authorization),
    ['Bearer given'],
  );
});

line('take a token from a file or stdin', async () => {
  broker.answering('/api/people', () => ({ status: 200, body: { items: [], cursor: null } }));
  await run(['person', 'list', '--token-file', '-'], {}, 'of-stdin\n');
  assert.is(broker.arrived[0]?.headers.authorization, 'Bearer of-stdin');
});

line('sign a demand with the deployment key, for this broker and operator', async () => {
  broker.answering('/api/tenants', () => ({ status: 200, body: { items: [], cursor: null } }));
  const { status, err } = await run(['tenant', 'list', '--as', 'ada']);
  assert.is(status, 0, err);
  const { demand } = JSON.parse(broker.arrived[0]?.body ?? '') as { demand: string };
  const { derive } = await createKeyring(new Uint8Array(KEY), (bytes) => new Uint8Array(bytes));
  const audience = broker.url.replace('127.0.0.1', 'localhost');
  const read = await verifyDemand(derive(DEMAND_KEY_USE), demand, audience, instant(Date.now()));
  assert.is(read.ok && read.value.operator, 'ada');
  assert.is(broker.arrived[1]?.headers.authorization, 'Bearer local');
});

line('sign for the public URL that is set', async () => {
  const { err } = await run(['operator', 'token', '--as', 'ada'], { BREVET_PUBLIC_URL: 'https://brevet.example' });
  const { demand } = JSON.parse(broker.arrived[0]?.body ?? err) as { demand: string };
  const { aud } = JSON.parse(Buffer.from(demand.split('.')[1] ?? '', 'base64url').toString()) as { aud: string };
  assert.is(aud, 'https://brevet.example');
});

line('make a fresh demand for each try', async () => {
  broker.failing('/api/local-tokens', problem(503, 'database_unavailable'));
  const { status, out } = await run(['operator', 'token', '--as', 'ada']);
  assert.equal([status, out], [0, 'local\n']);
  assert.is(new Set(broker.arrived.map(({ body }) => body)).size, 2);
});

line('tell of a fault by what to ask an operator about it', async () => {
  broker.failing('/api/people', problem(500, 'internal', { hint: 'Tell an operator the request_id.' }));
  const { status, err } = await run(['person', 'list', '--json', '--as', 'ada']);
  const { code, request_id } = JSON.parse(err) as { code: string; request_id: string };
  assert.equal([status, code, request_id], [1, 'internal', 'r1']);
});

line('walk all pages of a list', async () => {
  broker.answering('/api/people', ({ query }) => {
    const page = Number(new URLSearchParams(query).get('cursor') ?? 0);
    const person = { name: `p${page}`, display_name: `Person ${page}`, email: null, active: true };
    return { status: 200, body: { items: [person], cursor: page < 2 ? String(page + 1) : null } };
  });
  const { out } = await run(['person', 'list', '--json', '--as', 'ada']);
  assert.equal(
    (JSON.parse(out) as { name: string }[]).map(({ name }) => name),
    ['p0', 'p1', 'p2'],
  );
});

const CARD = 'owner: olga\npurpose: of the file\ndecisions: [queue]\n';

/** What is written on the command line and in a file, and the body that is sent. */
const BODIES: readonly (readonly [args: readonly string[], path: string, body: unknown])[] = [
  [
    ['tenant', 'put', 'acme', '--display-name', 'Acme', '--regulations', 'hipaa', '--regulations', 'pci'],
    '/api/tenants/acme',
    { display_name: 'Acme', regulations: ['hipaa', 'pci'] },
  ],
  [
    ['agent', 'put', 'bot', '-f', 'card.yaml', '--purpose', 'of the command line', '--model-version', '3'],
    '/api/agents/bot',
    { owner: 'olga', purpose: 'of the command line', decisions: ['queue'], model_version: '3' },
  ],
  [
    ['issuer', 'put', 'github', '--url', 'https://x.example', '--max-age', '600'],
    '/api/issuers/github',
    { url: 'https://x.example', max_age: 600 },
  ],
  [
    ['enrolment', 'put', 'bot', '--tenant', 'acme', '--key-file', 'bot.jwk'],
    '/api/tenants/acme/enrolments/bot',
    { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'abc' } },
  ],
  [
    ['enrolment', 'put', 'bot', '--tenant', 'acme', '--issuer', 'github', '--claim', 'repository_id=1=2'],
    '/api/tenants/acme/enrolments/bot',
    { issuer: 'github', claims: { repository_id: '1=2' } },
  ],
  [
    ['acceptance', 'put', 'bot', '--tenant', 'acme', '--tasks', 'a.b', '--model-version', '3', '--reason', 'x'],
    '/api/tenants/acme/acceptances/bot',
    { tasks: ['a.b'], model_version: '3', reason: 'x' },
  ],
  [
    ['target', 'put', 'crm', '--tenant', 'acme', '--provider', 'jwt', '--config', 'audience=https://crm.example'],
    '/api/tenants/acme/targets/crm',
    { provider: 'jwt', config: { audience: 'https://crm.example' } },
  ],
  [
    ['target', 'put', 'crm', '--tenant', 'acme', '--config', 'counts_uses:=true', '--config', 'algorithm=ES256'],
    '/api/tenants/acme/targets/crm',
    { config: { counts_uses: true, algorithm: 'ES256' } },
  ],
  [
    ['target', 'put', 'crm', '--tenant', 'acme', '--secret-file', '-'],
    '/api/tenants/acme/targets/crm',
    { secret: 'of stdin ' },
  ],
  [
    ['assignment', 'put', '--agent', 'bot', '--role', 'triage', '--tenant', 'acme'],
    '/api/assignments',
    { tenant: 'acme', role: 'triage', holder: { agent: 'bot' } },
  ],
  [
    ['assignment', 'put', '--person', 'ada', '--role', 'administrator'],
    '/api/assignments',
    { tenant: null, role: 'administrator', holder: { person: 'ada' } },
  ],
];
for (const [args, path, body] of BODIES) {
  line(`send ${args.join(' ')}`, async () => {
    writeFileSync(join(folder, 'card.yaml'), CARD);
    writeFileSync(join(folder, 'bot.jwk'), '{"kty":"OKP","crv":"Ed25519","x":"abc","d":"canary"}');
    broker.answering(path, () => ({ status: 200, body: { receipt: { entry: 'ent_1', leaf_hash: 'aa' } } }));
    const { status, out, err } = await run(
      [...args, '--as', 'ada'],
      {},
      args.includes('-') ? 'of stdin \n' : undefined,
    );
    assert.is(status, 0, err);
    assert.match(out, '(ent_1)');
    const sent = broker.arrived.at(-1);
    assert.equal([sent?.path, JSON.parse(sent?.body ?? '')], [path, body]);
    assert.is(sent?.method === 'POST', sent?.headers['idempotency-key'] !== undefined);
  });
}

const BLOCK = {
  id: 'blk_1',
  deny_role: true,
  progress: { ended: 0, verified: 0, unverifiable: 0, alive: 0, not_ended_yet: 0, targets: [], over: true },
};

line('watch a block that denies roles, which is said of it alone', async () => {
  broker.answering('/leases', () => ({ status: 200, body: { items: [], cursor: null } }));
  for (const denies of [true, false]) {
    broker.answering('/api/blocks/blk_1', () => ({ status: 200, body: { ...BLOCK, deny_role: denies } }));
    const { status, out, err } = await run(['block', 'watch', 'blk_1', '--as', 'otto']);
    assert.is(status, 0, err);
    assert.is(/^deny_role +all sessions that the roles gave before it was raised$/m.test(out), denies, out);
  }
});

line('send a POST again under its own key, and another under another', async () => {
  let tries = 0;
  broker.answering('/api/blocks', () =>
    tries++ === 0 ? problem(503, 'contended') : { status: 201, body: { id: 'blk_1', tenants: ['acme'] } },
  );
  for (const _ of ['one', 'another']) {
    const args = ['block', 'raise', 'everything', '--reason', 'r', '--wait', '0', '--as', 'otto'];
    const { status, err } = await run(args);
    assert.is(status, 0, err);
  }
  const keys = broker.arrived
    .filter(({ path }) => path === '/api/blocks')
    .map(({ headers }) => headers['idempotency-key']);
  assert.is(keys.length, 3);
  assert.equal([keys[0] === keys[1], keys[1] === keys[2]], [true, false]);
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
});

const FINDING = { level: 'refuse', what: 'the admin is a superuser', remedy: 'use another' };

line('end with 1 for a target that could not be used', async () => {
  broker.answering('/check', () => ({ status: 200, body: { findings: [FINDING] } }));
  const { status, out } = await run(['target', 'check', 'crm', '--tenant', 'acme', '--as', 'ada']);
  assert.is(status, 1);
  assert.match(out, /refuse +the admin is a superuser +use another/);
});

line.run();
