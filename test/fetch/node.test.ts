/** The guard on outgoing requests, against real servers on loopback: PITFALLS 7. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createSilence } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import { milliseconds } from '../../src/core/time.ts';
import { jsonOver } from '../../src/fetch/json.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import type { Resolve } from '../../src/fetch/node.ts';

const LIMITS = { bytes: 1_000, milliseconds: milliseconds(5_000) };

interface Far {
  readonly port: number;
  readonly seen: string[];
  stop(): Promise<void>;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function start(answer: RequestListener): Promise<Far> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    answer(request, response);
  });
  server.on('connection', () => seen.push('connection'));
  const port = await listen(server);
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, seen, stop };
}

const answering = (...answers: readonly (readonly string[])[]): Resolve => {
  const left = [...answers];
  return (_host, then) => {
    const addresses = left.shift() ?? [];
    then(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
};

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('it was answered'),
    (error: unknown) => error,
  );

const refused = async (promise: Promise<unknown>): Promise<void> =>
  assert.instance(await caught(promise), FetchRefused);
const failed = async (promise: Promise<unknown>, why: RegExp): Promise<void> => {
  const error = await caught(promise);
  assert.ok(error instanceof FetchFailed, String(error));
  assert.match(error.message, why);
};

const guard = suite('the guard');
const far = await start((request, response) => {
  const path = request.url ?? '';
  if (path === '/redirect') response.writeHead(302, { location: '/json' }).end();
  else if (path === '/large') response.end('x'.repeat(1_001));
  else if (path === '/endless') {
    const more = setInterval(() => response.write('x'.repeat(400)), 1);
    response.on('close', () => clearInterval(more));
  } else if (path === '/slow') response.write('{');
  else if (path === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end('…');
  else if (path === '/cut') response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy());
  else if (path === '/text') response.end('<html>');
  else if (path === '/missing') response.writeHead(404).end('{}');
  else response.end(JSON.stringify({ path, said: request.headers['x-said'] ?? null }));
});
// Reads, so that it learns when the other side gives up.
const silence = createSilence((socket) => socket.resume());
const silent = await listen(silence);
const here = `http://127.0.0.1:${far.port}`;
const open = guardedRequest({ privateHosts: ['127.0.0.1', 'near.example'] });

guard.before.each(() => {
  far.seen.length = 0;
});
guard.after(async () => {
  await far.stop();
  silence.close();
});

guard('lets a named host through, and hands on what it answered', async () => {
  const { status, body } = await open(`${here}/json`, LIMITS, { 'x-said': 'yes' });
  assert.equal([status, JSON.parse(body)], [200, { path: '/json', said: 'yes' }]);
  assert.equal(await jsonOver(open)(`${here}/json`, LIMITS), { path: '/json', said: null });
  const byName = guardedRequest({ privateHosts: ['near.example'] }, answering(['127.0.0.1']));
  assert.is((await byName(`http://near.example:${far.port}/json`, LIMITS)).status, 200);
});

guard('connects nowhere when the address is loopback, as it stands or as a name', async () => {
  const closed = guardedRequest({ privateHosts: [] });
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '127.1', '0.0.0.0']) {
    for (const scheme of ['http', 'https']) await refused(closed(`${scheme}://${host}:${far.port}/json`, LIMITS));
  }
  assert.equal(far.seen, []);
});

guard('refuses a name of which any address may not be reached', async () => {
  for (const addresses of [
    ['127.0.0.1'],
    ['::1'],
    ['1.1.1.1', '127.0.0.1'],
    ['::ffff:127.0.0.1'],
    ['169.254.169.254'],
  ]) {
    const rebound = guardedRequest({ privateHosts: [] }, answering(addresses));
    await refused(rebound(`https://rebound.example:${far.port}/json`, LIMITS));
  }
  assert.equal(far.seen, []);
});

guard('asks for a name’s addresses once, when it connects, so that a later answer changes nothing', async () => {
  const lookups: string[] = [];
  const inner = answering(['127.0.0.1'], ['127.0.0.1']);
  const counted: Resolve = (host, then) => {
    lookups.push(host);
    inner(host, then);
  };
  await guardedRequest({ privateHosts: ['near.example'] }, counted)(`http://near.example:${far.port}/`, LIMITS);
  assert.equal(lookups, ['near.example']);
  // The next request is a new connection, and is looked up and checked anew.
  const turning = guardedRequest({ privateHosts: ['near.example'] }, answering(['127.0.0.1'], ['169.254.169.254']));
  assert.is((await turning(`http://near.example:${far.port}/json`, LIMITS)).status, 200);
  await refused(turning(`http://near.example:${far.port}/json`, LIMITS));
});

guard('follows no redirect', async () => {
  assert.is((await open(`${here}/redirect`, LIMITS)).status, 302);
  await failed(jsonOver(open)(`${here}/redirect`, LIMITS), /^answered 302$/);
  assert.equal(
    far.seen.filter((path) => path !== 'connection'),
    ['/redirect', '/redirect'],
  );
});

guard('reads no more than was allowed', async () => {
  await failed(open(`${here}/large`, LIMITS), /more than 1000 bytes/);
  await failed(open(`${here}/endless`, LIMITS), /more than 1000 bytes/);
});

guard('waits no longer than was allowed, for a connection, an answer or a name', async () => {
  const short = { bytes: 1_000, milliseconds: milliseconds(50) };
  await failed(open(`http://127.0.0.1:${silent}/`, short), /no answer: /);
  await failed(open(`${here}/slow`, short), /no answer: /);
  const never = guardedRequest({ privateHosts: [] }, () => undefined);
  await failed(never('https://never.example/', short), /no answer: /);
});

guard('takes no answer that is packed, cut short, or from nobody', async () => {
  await failed(open(`${here}/packed`, LIMITS), /encoding/);
  await failed(open(`${here}/cut`, LIMITS), /no answer: /);
  await failed(guardedRequest({ privateHosts: [] }, answering([]))('https://none.example/', LIMITS), /no address/);
  const gone = await start(() => undefined);
  await gone.stop();
  await failed(open(`http://127.0.0.1:${gone.port}/`, LIMITS), /ECONNREFUSED/);
});

guard('takes JSON alone for JSON', async () => {
  await failed(jsonOver(open)(`${here}/text`, LIMITS), /not JSON/);
  await failed(jsonOver(open)(`${here}/missing`, LIMITS), /^answered 404$/);
});

guard('hands on what a refusal says of itself', async () => {
  const challenge = 'Bearer error="invalid_token"';
  const server = createServer((_, answer) => answer.writeHead(401, { 'www-authenticate': challenge }).end());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    const { port } = server.address() as AddressInfo;
    assert.equal(await open(`http://127.0.0.1:${port}/`, LIMITS), { status: 401, body: '', challenge });
  } finally {
    server.close();
  }
});

guard.run();
