/** What Node's own edge says of a call is what the app says of it. */
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_CHANNELS } from '../../src/config.ts';
import { StoreUnavailable } from '../../src/core/store.ts';
import { serveNode } from '../../src/node/serve.ts';
import { openStore } from '../../src/store/open.ts';
import { PUBLIC_URL } from '../support/app.ts';
import { answerPlainly, listening, startTool, toolApp } from '../support/tool.ts';

/** Whether the store is away. */
let isAway = false;
const tool = await startTool();
const app = await toolApp(tool, {
  deps: (deps) => ({
    ...deps,
    store: {
      ...deps.store,
      snapshot: (tenant) => (isAway ? Promise.reject(new StoreUnavailable('it is away')) : deps.store.snapshot(tenant)),
    },
  }),
});
const here = await listening(app);
const lease = await app.lease('tool.read', { uses: 1000 });

const edge = suite('a call at Node’s own edge');

interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Those that differ from call to call, or are the connection's. */
const PASSING = [
  'date',
  'connection',
  'keep-alive',
  'x-request-id',
  'brevet-receipt',
  'content-length',
  'transfer-encoding',
];

const told = async (answer: Response): Promise<Told> => ({
  status: answer.status,
  headers: Object.fromEntries([...answer.headers].filter(([name]) => !PASSING.includes(name))),
  body: (await answer.text()).replace(/cal_[0-9a-z]+/, 'cal'),
});

const bearer = { authorization: `Bearer ${lease.token}` };
const unknown = lease.path.replace('/t/acme/', '/t/nowhere/');

for (const [what, method, path, headers] of [
  ['that is let through', 'GET', `${lease.path}/tickets/ACME-1`, bearer],
  ['for a head alone', 'HEAD', `${lease.path}/tickets/ACME-1`, bearer],
  ['that is not let through', 'GET', `${lease.path}/tickets/BIR-9`, bearer],
  ['without a token', 'GET', `${lease.path}/tickets/ACME-1`, {}],
  ['with another token', 'GET', `${lease.path}/tickets/ACME-1`, { authorization: 'Bearer x.y.z' }],
  ['at a tenant that is none', 'GET', `${unknown}/tickets/ACME-1`, bearer],
  ['of a lease that is none', 'GET', '/t/acme/gateway/lse_1/tickets/ACME-1', bearer],
  ['of no lease', 'GET', '/t/acme/gateway/', bearer],
] as const) {
  edge(`${what} is answered as the app answers it`, async () => {
    const there = await app.app.request(`http://brevet.example${path}`, { method, headers });
    const answer = await fetch(`http://127.0.0.1:${here.port}${path}`, { method, headers });
    assert.match(answer.headers.get('x-request-id') ?? '', /^cal_/);
    assert.equal(await told(answer), await told(there));
  });
}

edge('bears one authorization or none that counts', async () => {
  const both = [`Authorization: Bearer ${lease.token}`, 'Authorization: Bearer x.y.z'];
  for (const [lines, status] of [
    [both.slice(0, 1), 200],
    [both, 401],
    [both.toReversed(), 401],
  ] as const) {
    const head = [`GET ${lease.path}/tickets/ACME-1 HTTP/1.1`, 'Host: brevet.example', 'Connection: close', ...lines];
    assert.match(await sent(`${head.join('\r\n')}\r\n\r\n`), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

edge('that a stop cuts is written as that', async () => {
  const { deps, keyring, database } = app;
  const { log } = deps;
  const store = await openStore({ database: database.serve, keyring, node: 'stopped', log, mode: 'node' });
  const config = { publicUrl: PUBLIC_URL, operators: null, allowPrivateHosts: ['127.0.0.1'], channels: NO_CHANNELS };
  const serving = await serveNode(
    { config, store, keyring, log, node: 'stopped' },
    { listen: { host: '127.0.0.1', port: 0 }, bundle: null },
  );
  const going = await app.lease('tool.upload', { uses: 10 });
  tool.answer = (_request, response) => response.write('x');
  const headers = { authorization: `Bearer ${going.token}` };
  const answer = await fetch(`${serving.url}${going.path}/files/ACME-1`, { headers });
  const cut = answer.text().catch(() => 'cut');
  await serving.stop();
  tool.answer = answerPlainly;
  assert.is(await cut, 'cut');
  const [row] = await app.sql<{ text: string }>(
    `select text from entries where lease = '${going.id}' and kind = 'gateway.answered'`,
  );
  assert.is((JSON.parse(row?.text ?? '{}') as { facts?: { end: string } }).facts?.end, 'caller_gone');
});

edge('is told when the database is away', async () => {
  isAway = true;
  const answer = await fetch(`http://127.0.0.1:${here.port}${lease.path}/tickets/ACME-1`, { headers: bearer });
  isAway = false;
  assert.equal(
    [answer.status, ((await answer.json()) as { code: string }).code, answer.headers.get('retry-after')],
    [503, 'database_unavailable', '2'],
  );
});

function sent(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(here.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

edge.after(async () => {
  await here.close();
  await app.close();
  await tool.close();
});
edge.run();
