/** Calls to tools, against real servers on loopback: PITFALLS 7 and 52. */
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createRaw } from 'node:net';
import type { Server, Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import type { ForwardCall } from '../../src/core/forward.ts';
import { Secret } from '../../src/core/secret.ts';
import { nodeForward } from '../../src/fetch/node-forward.ts';
import type { Resolve } from '../../src/fetch/node.ts';
import { certificateAuthority } from '../support/certificate.ts';
import { listen } from '../support/tool.ts';

const REACH = { privateHosts: ['127.0.0.1', 'near.example'] };
const { forward, close } = nodeForward(REACH);

const callTo = (url: string, more: Partial<ForwardCall> = {}): ForwardCall => ({
  method: 'GET',
  url: new Secret(url),
  headers: {},
  body: null,
  ca: null,
  mayBePrivate: true,
  pool: 'acme/psa/1',
  signal: AbortSignal.timeout(10_000),
  ...more,
});

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('it was answered'),
    (error: unknown) => error,
  );

const whole = async (call: ForwardCall): Promise<string> => textOf((await forward(call)).body);

/** Servers and sockets to be closed at the end. */
const opened: { close(): unknown; closeAllConnections?(): void }[] = [];
const sockets = new Set<Socket>();

async function started(server: Server): Promise<{ readonly port: number; readonly connections: () => number }> {
  let count = 0;
  server.on('connection', (socket: Socket) => {
    count++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  opened.push(server);
  return { port: await listen(server as never), connections: () => count };
}

const far = suite('a tool over HTTP/1.1');

const plain = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => undefined);
  request.on('end', () => {
    if (request.url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.1:1/' });
    if (request.url === '/cookies') response.setHeader('set-cookie', ['a=1', 'b=2']);
    if (request.url === '/bytes') {
      // A head that goes out with a text would be encoded with it.
      response.writeHead(200, { 'x-name': 'Z\u00c3\u00bcrich' }).end(Buffer.from('ok'));
      return;
    }
    if (request.url === '/dies') {
      response.writeHead(200, { 'content-length': '9' });
      response.write('{', () => response.destroy());
      return;
    }
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') }));
  });
});
const { port, connections } = await started(plain);
const here = `http://127.0.0.1:${port}`;

far('gets the call as it is, and gives its answer', async () => {
  const headers = { 'x-api-key': new Secret('the key'), accept: '*/*' };
  const answer = await forward(callTo(`${here}/a?b=c`, { headers }));
  const got = JSON.parse(await textOf(answer.body)) as { url: string; headers: Record<string, string> };
  assert.equal([answer.status, got.url, got.headers['x-api-key']], [200, '/a?b=c', 'the key']);
  assert.is(got.headers['transfer-encoding'], undefined);
});

far('gets a body with its length, and one that comes bit by bit', async () => {
  const bytes = new TextEncoder().encode('{"a":1}');
  const headers = { 'content-length': String(bytes.length) };
  const first = JSON.parse(await whole(callTo(here, { method: 'POST', body: bytes, headers }))) as Record<
    string,
    unknown
  >;
  assert.equal([first['method'], first['body']], ['POST', '{"a":1}']);
  const bits = async function* () {
    yield bytes.subarray(0, 3);
    yield bytes.subarray(3);
  };
  const second = JSON.parse(await whole(callTo(here, { method: 'PUT', body: bits() }))) as Record<string, unknown>;
  assert.equal([second['method'], second['body']], ['PUT', '{"a":1}']);
});

far('leads nowhere: a redirect is an answer', async () => {
  const { status, headers } = await forward(callTo(`${here}/redirect`));
  assert.equal([status, headers.find(([name]) => name === 'location')?.[1]], [302, 'http://127.0.0.1:1/']);
});

far('shows every header that came', async () => {
  const { headers } = await forward(callTo(`${here}/cookies`));
  assert.equal(
    headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  );
});

far('shows headers byte for byte', async () => {
  const { headers } = await forward(callTo(`${here}/bytes`));
  assert.is(headers.find(([name]) => name === 'x-name')?.[1], 'Z\u00c3\u00bcrich');
});

far('is not reached where its address may not be, as it stands or as a name', async () => {
  const before = connections();
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '127.1',
    '0.0.0.0',
    '169.254.169.254',
    '10.0.0.1',
  ]) {
    for (const scheme of ['http', 'https']) {
      const error = await caught(forward(callTo(`${scheme}://${host}:${port}/`, { mayBePrivate: false })));
      assert.instance(error, FetchRefused, host);
    }
  }
  // A target that says private still needs the deployment to say so.
  assert.instance(await caught(forward(callTo(`http://localhost:${port}/`))), FetchRefused);
  for (const addresses of [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['169.254.169.254'], ['::ffff:127.0.0.1']]) {
    const rebound = nodeForward({ privateHosts: [] }, answering(addresses));
    const error = await caught(rebound.forward(callTo(`https://rebound.example:${port}/`)));
    assert.instance(error, FetchRefused, addresses.join());
    rebound.close();
  }
  assert.is(connections(), before);
});

far('is asked for its addresses at each connection, so that a name that turns gains nothing', async () => {
  const turning = nodeForward(REACH, answering(['127.0.0.1'], ['169.254.169.254']));
  const url = `http://near.example:${port}/`;
  // One that cannot come twice goes over a connection of its own.
  const post = { method: 'POST', body: new Uint8Array(0) } as const;
  assert.is((await turning.forward(callTo(url, post))).status, 200);
  assert.instance(await caught(turning.forward(callTo(url, post))), FetchRefused);
  turning.close();
});

far('shares a connection between calls of one pool alone', async () => {
  const other = nodeForward(REACH);
  const before = connections();
  for (const pool of ['acme/psa/1', 'acme/psa/1', 'acme/psa/1', 'birch/psa/1', 'acme/psa/2']) {
    await textOf((await other.forward(callTo(here, { pool }))).body);
  }
  assert.is(connections() - before, 3);
  other.close();
});

far('that dies in the middle is told as that', async () => {
  assert.instance(await caught(whole(callTo(`${here}/dies`))), FetchFailed);
});

far('that is not there, or is silent, fails within the time that it was given, and names no URL', async () => {
  const silence = createRaw(() => undefined);
  const { port: silent } = await started(silence);
  for (const url of [`http://127.0.0.1:${silent}/?key=sk_secret`, 'http://127.0.0.1:1/?key=sk_secret']) {
    const error = await caught(forward(callTo(url, { signal: AbortSignal.timeout(200) })));
    assert.instance(error, FetchFailed);
    assert.not.match((error as Error).message, /sk_secret/);
  }
});

far('is cut in the middle of its answer when the call is ended', async () => {
  const dripping = createServer((_request, response) => {
    response.write('x');
    const more = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(more));
  });
  const { port: slow } = await started(dripping);
  const ending = new AbortController();
  const { body } = await forward(callTo(`http://127.0.0.1:${slow}/`, { signal: ending.signal }));
  const error = await caught(
    (async () => {
      let count = 0;
      for await (const _ of body) if (++count === 3) ending.abort('lease_over');
    })(),
  );
  assert.instance(error, FetchFailed);
});

far('loses its connection when its answer is left, even before it was begun', async () => {
  let gone = (): void => undefined;
  const left = new Promise<void>((resolve) => (gone = resolve));
  const going = createServer((_request, response) => {
    response.on('close', gone);
    response.write('x');
  });
  const { port: at } = await started(going);
  const { body } = await forward(callTo(`http://127.0.0.1:${at}/`));
  await body[Symbol.asyncIterator]().return?.();
  await left;
});

far('waits for whoever reads slowly: what is not read is not sent', async () => {
  let written = 0;
  const flooding = createServer((_request, response) => {
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (written < 64 * 1024 * 1024 && response.write(chunk)) written += chunk.length;
    };
    response.on('drain', more);
    response.on('close', () => response.off('drain', more));
    more();
  });
  const { port: flood } = await started(flooding);
  const { body } = await forward(callTo(`http://127.0.0.1:${flood}/`));
  const reader = body[Symbol.asyncIterator]();
  await reader.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were sent to nobody`);
  await reader.return?.(undefined);
});

far('that closes an idle connection is asked again, where that does nothing twice', async () => {
  let count = 0;
  const closing = createRaw((socket) => {
    socket.on('error', () => undefined);
    let first = true;
    socket.on('data', () => {
      count++;
      if (first) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.destroy();
      first = false;
    });
  });
  const { port: odd } = await started(closing);
  for (let again = 0; again < 2; again++) assert.is(await whole(callTo(`http://127.0.0.1:${odd}/`)), 'ok');
  assert.is(count, 3);
});

far('that closes each connection behind its answer answers every call', async () => {
  let count = 0;
  const closing = createServer((_request, response) => {
    count++;
    response.writeHead(200, { connection: 'close' }).end('ok');
  });
  const { port: odd } = await started(closing);
  const calls = Array.from({ length: 20 }, async (_, at) => {
    for (let again = 0; again < 3; again++) {
      assert.is(await whole(callTo(`http://127.0.0.1:${odd}/${at}`, { pool: 'closing' })), 'ok');
    }
  });
  await Promise.all(calls);
  assert.is(count, 60);
});

far('that says first that an answer comes gives the one that comes', async () => {
  const early = createServer((_request, response) => {
    response.writeProcessing();
    response.end('ok');
  });
  const { port: at } = await started(early);
  const { status, body } = await forward(callTo(`http://127.0.0.1:${at}/`));
  assert.equal([status, await textOf(body)], [200, 'ok']);
});

far('answers HEAD with its head alone', async () => {
  for (let again = 0; again < 3; again++) {
    const { status, body } = await forward(callTo(here, { method: 'HEAD', pool: 'heads' }));
    assert.equal([status, await textOf(body)], [200, '']);
  }
});

const hostile = suite('a hostile tool');

for (const [what, answer] of [
  ['states two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['states a length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
  ['breaks its chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n'],
  ['ends a chunk early', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc\r\n0\r\n\r\n'],
  ['folds a header', 'HTTP/1.1 200 OK\r\nx-a: 1\r\n  content-length: 3\r\n\r\nabc'],
  ['has a header without end', `HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(70_000)}\r\n\r\n`],
  ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  [
    'takes up another protocol',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  ],
  ['says nothing and goes', ''],
] as const) {
  hostile(`that ${what} gives no answer`, async () => {
    const server = createRaw((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    const { port: bad } = await started(server);
    assert.instance(await caught(whole(callTo(`http://127.0.0.1:${bad}/`, { pool: what }))), FetchFailed);
  });
}

const secure = suite('a tool over TLS');

const authority = certificateAuthority('An authority of the client’s own');
const { certificate: cert, key } = authority.issue('127.0.0.1');
const ca = authority.certificate;
const only2 = createSecureServer({ cert, key });
// Node's own says that it closes a session once its client does; others don't.
only2.on('session', (session) => Object.assign(session, { goaway: () => undefined }));
const held: (() => void)[] = [];
only2.on('stream', (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    if (headers[':path'] === '/hold') {
      stream.respond({ ':status': 200 });
      stream.write('held');
      held.push(() => stream.end());
      return;
    }
    stream.respond({ ':status': 201, 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
    stream.end(JSON.stringify({ ...headers, body: Buffer.concat(chunks).toString('utf8') }));
  });
});
const h2 = await started(only2);
const there = `https://127.0.0.1:${h2.port}`;

secure('that speaks HTTP/2 is called so, over one connection', async () => {
  const headers = { 'x-api-key': new Secret('the key'), 'content-length': '3' };
  for (let again = 0; again < 3; again++) {
    const body = new TextEncoder().encode('abc');
    const answer = await forward(callTo(`${there}/a?b=c`, { ca, method: 'POST', headers, body }));
    const got = JSON.parse(await textOf(answer.body)) as Record<string, string>;
    assert.equal(
      [answer.status, got[':path'], got[':method'], got['x-api-key'], got['body']],
      [201, '/a?b=c', 'POST', 'the key', 'abc'],
    );
    assert.equal(answer.headers.filter(([name]) => name === 'set-cookie').length, 2);
    assert.is(
      answer.headers.some(([name]) => name.startsWith(':')),
      false,
    );
  }
  assert.is(h2.connections(), 1);
});

secure('that speaks HTTP/2 is cut one call at a time', async () => {
  const ending = new AbortController();
  const first = await forward(callTo(`${there}/hold`, { ca, signal: ending.signal }));
  const reader = first.body[Symbol.asyncIterator]();
  await reader.next();
  ending.abort('lease_over');
  assert.instance(await caught(reader.next()), FetchFailed);
  assert.is((await forward(callTo(`${there}/`, { ca }))).status, 201);
  for (const let_go of held) let_go();
});

secure('that speaks HTTP/2 and is long silent over one answer takes other calls meanwhile', async () => {
  const slow = await forward(callTo(`${there}/hold`, { ca }));
  const reader = slow.body[Symbol.asyncIterator]();
  await reader.next();
  // Longer than a connection is kept on which nothing passes.
  await new Promise((resolve) => setTimeout(resolve, 4_500));
  for (let again = 0; again < 2; again++) assert.is((await forward(callTo(`${there}/`, { ca }))).status, 201);
  for (const let_go of held) let_go();
  assert.is((await reader.next()).done, true);
});

secure('that speaks HTTP/1.1 alone is called so', async () => {
  const old = createHttps({ cert, key }, (request, response) => response.end(request.httpVersion));
  const { port: at } = await started(old);
  for (let again = 0; again < 3; again++) {
    assert.is(await whole(callTo(`https://127.0.0.1:${at}/`, { ca })), '1.1');
  }
});

secure('whose certificate is nobody’s gets nothing', async () => {
  const before = h2.connections();
  const error = await caught(forward(callTo(`${there}/`, { ca: null, pool: 'untrusted' })));
  assert.instance(error, FetchFailed);
  const stranger = certificateAuthority('Another').certificate;
  assert.instance(await caught(forward(callTo(`${there}/`, { ca: stranger }))), FetchFailed);
  assert.ok(h2.connections() > before);
});

secure.after(() => {
  close();
  for (const socket of sockets) socket.destroy();
  for (const server of opened) server.close();
});

function answering(...answers: readonly (readonly string[])[]): Resolve {
  const left = [...answers];
  return (_host, then) => {
    const addresses = left.shift() ?? [];
    then(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

far.run();
hostile.run();
secure.run();
