/** Calls to tools on Workers, where URLs alone are seen: PITFALLS 7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import type { ForwardCall } from '../../src/core/forward.ts';
import { Secret } from '../../src/core/secret.ts';
import { workersForward } from '../../src/fetch/workers-forward.ts';

const callTo = (url: string, more: Partial<ForwardCall> = {}): ForwardCall => ({
  method: 'POST',
  url: new Secret(url),
  headers: { 'x-api-key': new Secret('the key') },
  body: new TextEncoder().encode('abc'),
  ca: null,
  mayBePrivate: true,
  pool: 'acme/psa/1',
  signal: new AbortController().signal,
  ...more,
});

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

const tools = suite('a tool on Workers');

for (const host of [
  '127.0.0.1',
  '[::1]',
  '10.0.0.1',
  '169.254.169.254',
  'localhost',
  'psa',
  'psa.internal',
  'nas.local.',
]) {
  tools(`gets nothing at ${host}, whatever its target allows`, async () => {
    const forward = workersForward(() => Promise.reject(new Error('sent')));
    assert.instance(await caught(forward(callTo(`https://${host}/`))), FetchRefused);
  });
}

tools('gets nothing over http, nor with an authority of its own', async () => {
  const forward = workersForward(() => Promise.reject(new Error('sent')));
  assert.instance(await caught(forward(callTo('http://psa.example/'))), FetchRefused);
  assert.instance(await caught(forward(callTo('https://psa.example/', { ca: 'PEM' }))), FetchRefused);
});

tools('gets the call, follows no redirect, and gives its answer', async () => {
  const sent: Request[] = [];
  const forward = workersForward((url, init) => {
    sent.push(new Request(url, init));
    return Promise.resolve(new Response('ok', { status: 302, headers: { location: 'https://10.0.0.1/' } }));
  });
  const answer = await forward(callTo('https://psa.example/a?b=c'));
  const [request] = sent;
  assert.equal(
    [request?.url, request?.method, request?.redirect, request?.headers.get('x-api-key'), await request?.text()],
    ['https://psa.example/a?b=c', 'POST', 'manual', 'the key', 'abc'],
  );
  let text = '';
  for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
  assert.equal([answer.status, text], [302, 'ok']);
});

tools('that fails is told as that', async () => {
  const forward = workersForward(() => Promise.reject(new TypeError('down')));
  assert.instance(await caught(forward(callTo('https://psa.example/'))), FetchFailed);
});

tools.run();
