/** The guard on Workers, which sees URLs alone: PITFALLS 7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import { milliseconds } from '../../src/core/time.ts';
import { guardedRequest } from '../../src/fetch/workers.ts';

const LIMITS = { bytes: 10, milliseconds: milliseconds(5_000) };

const guard = suite('the guard on Workers');

const through = (answer: () => Response) =>
  guardedRequest({ privateHosts: ['named'] }, () => Promise.resolve(answer()));

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

for (const host of ['127.0.0.1', '[::1]', '10.0.0.1', 'localhost', 'a.localhost', 'db', 'db.internal', 'nas.local.']) {
  guard(`sends nothing to ${host}`, async () => {
    const request = guardedRequest({ privateHosts: ['named'] }, () => Promise.reject(new Error('sent')));
    assert.instance(await caught(request(`https://${host}/`, LIMITS)), FetchRefused);
  });
}

guard('hands on what a refusal says of itself', async () => {
  const challenge = 'Bearer error="invalid_token"';
  const refusing = through(() => new Response(null, { status: 401, headers: { 'www-authenticate': challenge } }));
  assert.equal(await refusing('https://example.com/', LIMITS), { status: 401, body: '', challenge });
});

guard('hands on the answer of a public host, or of one that was named', async () => {
  for (const url of ['https://example.com/', 'https://1.1.1.1/', 'https://[2606:4700::1]/', 'https://named/']) {
    assert.equal(await through(() => new Response('ok'))(url, LIMITS), { status: 200, body: 'ok', challenge: null });
  }
});

guard('follows no redirect', async () => {
  const asked: (RequestInit | undefined)[] = [];
  const request = guardedRequest({ privateHosts: [] }, (_url, init) => {
    asked.push(init);
    return Promise.resolve(new Response(null, { status: 302, headers: { location: 'https://10.0.0.1/' } }));
  });
  assert.is((await request('https://example.com/', LIMITS)).status, 302);
  assert.equal(
    asked.map((init) => init?.redirect),
    ['manual'],
  );
});

guard('reads no more than was allowed', async () => {
  const error = await caught(through(() => new Response('12345678901'))('https://example.com/', LIMITS));
  assert.instance(error, FetchFailed);
});

guard('says of a fetch that failed that it did', async () => {
  const request = guardedRequest({ privateHosts: [] }, () => Promise.reject(new TypeError('down')));
  assert.instance(await caught(request('https://example.com/', LIMITS)), FetchFailed);
});

guard.run();
