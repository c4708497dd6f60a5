/** What Node's own edge says to a request for a token is what the app says to it. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import { clientForm, PERMITTED, testApp } from '../support/app.ts';
import { listening } from '../support/tool.ts';

/** Before a commit. */
let committing = async (): Promise<void> => undefined;
const app = await testApp({
  deps: (deps) => ({
    ...deps,
    store: {
      ...deps.store,
      async commit(change, entries) {
        await committing();
        return deps.store.commit(change, entries);
      },
    },
  }),
});
const here = await listening(app);
const HERE = `http://127.0.0.1:${here.port}`;
const THERE = 'http://brevet.example';

const FORM = 'application/x-www-form-urlencoded';
const DETAILS = JSON.stringify([{ type: 'brevet_task', ...PERMITTED }]);
const task = { authorization_details: DETAILS };

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: RequestInit['body'];
}

/** Each with an assertion of its own: one is good once. */
const sentWith = async (more: Readonly<Record<string, string>>): Promise<string> =>
  new URLSearchParams(clientForm(await app.assertion('triage-bot', 'acme'), more)).toString();

/** Those that differ from call to call, or are the connection's. */
const PASSING = ['date', 'connection', 'keep-alive', 'x-request-id', 'content-length', 'transfer-encoding'];
const IDS = /\b(?:cal|req|lse|apr|ent)_[0-9a-z]+|"(?:access_token|leaf_hash)":"[^"]*"|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

const told = async (answer: Response) => ({
  status: answer.status,
  headers: Object.fromEntries([...answer.headers].filter(([name]) => !PASSING.includes(name))),
  body: (await answer.text()).replace(IDS, '-'),
});

const ask = ({ path = '/t/acme/token', method = 'POST', headers = { 'content-type': FORM }, body }: Sent) => ({
  path,
  init: { method, headers, body: body ?? null, duplex: 'half' } as RequestInit,
});

const twice = 'grant_type=client_credentials&grant_type=client_credentials';
const stream = (text: string) => new Blob([text]).stream();

const edge = suite('a request for a token at Node’s own edge');

for (const [what, status, sent] of [
  ['for a session', 200, async () => ({ body: await sentWith({}) })],
  ['for a task', 200, async () => ({ body: await sentWith(task) })],
  ['in pieces of no stated length', 200, async () => ({ body: stream(await sentWith(task)) })],
  [
    'whose type says its charset',
    200,
    async () => ({ headers: { 'content-type': `${FORM}; charset=utf-8` }, body: await sentWith(task) }),
  ],
  [
    'with a key of the wrong form',
    400,
    async () => ({ headers: { 'content-type': FORM, 'idempotency-key': 'a b' }, body: await sentWith(task) }),
  ],
  ['of a type that is no form', 415, async () => ({ headers: { 'content-type': 'application/json' }, body: '{}' })],
  ['without a type', 415, async () => ({ headers: {}, body: new TextEncoder().encode(twice) })],
  ['with a parameter twice', 400, async () => ({ body: twice })],
  ['with parameters without a value', 400, async () => ({ body: 'grant_type=&client_id=' })],
  ['with another grant', 400, async () => ({ body: 'grant_type=password' })],
  ['without a proof', 401, async () => ({ body: 'grant_type=client_credentials' })],
  ['with details that are no JSON', 400, async () => ({ body: await sentWith({ authorization_details: '[' }) })],
  ['in bytes that are no UTF-8', 400, async () => ({ body: Uint8Array.of(0x61, 0x3d, 0xff) })],
  ['that is too long', 413, async () => ({ body: `a=${'x'.repeat(65_536)}` })],
  ['at a tenant that is none', 401, async () => ({ path: '/t/nowhere/token', body: await sentWith(task) })],
  ['at a name that is none', 400, async () => ({ path: '/t/-/token', body: await sentWith(task) })],
  ['by a path that is written otherwise', 200, async () => ({ path: '/t/%61cme/token', body: await sentWith(task) })],
  ['that only reads', 405, async () => ({ method: 'GET', body: null })],
] as const satisfies readonly (readonly [what: string, status: number, sent: () => Promise<Sent>])[]) {
  edge(`${what} is answered as the app answers it`, async () => {
    const there = ask(await sent());
    const expected = await told(await app.app.request(`${THERE}${there.path}`, lengthOf(there.init)));
    const ours = ask(await sent());
    const answer = await fetch(`${HERE}${ours.path}`, ours.init);
    assert.match(answer.headers.get('x-request-id') ?? '', /^cal_/);
    assert.equal(await told(answer), expected);
    assert.is(expected.status, status);
  });
}

/** As a client on the wire says it. */
function lengthOf(init: RequestInit): RequestInit {
  const { body } = init;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return init;
  return { ...init, headers: { ...(init.headers as Record<string, string>), 'content-length': `${body.length}` } };
}

edge('ends a lease whose caller hung up before the answer was written', async () => {
  const body = await sentWith(task);
  const socket = connect(here.port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  committing = async () => {
    committing = async () => undefined;
    socket.destroy();
    await closed;
    // The server has to hear of it too.
    await pause(50);
  };
  const head = ['POST /t/acme/token HTTP/1.1', 'host: x', `content-type: ${FORM}`, `content-length: ${body.length}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  const over = `select count(*)::int as n from leases where cause = 'undelivered' and state = 'revoked'`;
  while ((await app.sql<{ n: number }>(over))[0]?.n !== 1) await pause(20);
});

edge('that breaks off in the middle is no fault, and others go on', async () => {
  const socket = connect(here.port, '127.0.0.1');
  await new Promise<void>((resolve) => {
    const head = ['POST /t/acme/token HTTP/1.1', 'host: x', `content-type: ${FORM}`, 'content-length: 100'];
    socket.write(`${head.join('\r\n')}\r\n\r\ngrant_type`, () => resolve());
  });
  await pause(20);
  socket.destroy();
  const answer = await fetch(`${HERE}/t/acme/token`, ask({ body: await sentWith(task) }).init);
  assert.is(answer.status, 200, await answer.text());
});

edge('is told when the database is away', async () => {
  committing = () => Promise.reject(new StoreUnavailable('it is away'));
  const answer = await fetch(`${HERE}/t/acme/token`, ask({ body: await sentWith(task) }).init);
  committing = async () => undefined;
  assert.equal(
    [answer.status, ((await answer.json()) as { code: string }).code, answer.headers.get('retry-after')],
    [503, 'database_unavailable', '2'],
  );
});

edge.after(async () => {
  await here.close();
  await app.close();
});
edge.run();
