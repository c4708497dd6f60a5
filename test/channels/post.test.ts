/** Hosts of notices that are down, slow or hostile: PITFALLS 7 and 31. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { post } from '../../src/channels/post.ts';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import type { GuardedRequest } from '../../src/core/fetch.ts';
import { Secret } from '../../src/core/secret.ts';
import { milliseconds } from '../../src/core/time.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import type { Resolve } from '../../src/fetch/node.ts';
import { startReceiver, takes } from '../support/receiver.ts';
import type { Receiver } from '../support/receiver.ts';

const far = await startReceiver();
const inner = await startReceiver();
const allowing = guardedRequest({ privateHosts: ['127.0.0.1'] });
const guarded = guardedRequest({ privateHosts: [] });

const fault = async (sending: Promise<void>): Promise<Error> => {
  try {
    await sending;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was taken');
};

const posting = suite('channels/post');
posting.before.each(() => {
  far.answer = takes;
  far.received.splice(0);
  inner.received.splice(0);
});

const ANSWERS: readonly (readonly [what: string, answer: Receiver['answer'], why: RegExp])[] = [
  ['a refusal', (response) => void response.writeHead(403).end('invalid_token'), /^answered 403$/],
  ['a fault', (response) => void response.writeHead(500).end(), /^answered 500$/],
  [
    'a redirect to loopback',
    (response) => void response.writeHead(307, { location: inner.url }).end(),
    /^answered 307$/,
  ],
  [
    'a redirect to the metadata of a cloud',
    (response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    /^answered 302$/,
  ],
  ['a huge answer', (response) => void response.writeHead(200).end(Buffer.alloc(10_000_000)), /answered more than/],
  [
    'an answer without end',
    (response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    },
    /answered more than/,
  ],
  ['a closed connection', (response) => void response.destroy(), /no answer/],
];

for (const [what, answer, why] of ANSWERS) {
  posting(`${what} is no taking`, async () => {
    far.answer = answer;
    const error = await fault(post(allowing, new Secret(far.url), '{}'));
    assert.instance(error, FetchFailed);
    assert.match(error.message, why);
    assert.is(inner.received.length, 0);
  });
}

posting('any success is a taking', async () => {
  for (const status of [200, 202, 204]) {
    far.answer = (response) => void response.writeHead(status).end();
    await post(allowing, new Secret(far.url), '{}');
  }
});

const REFUSED: readonly (readonly [what: string, url: string])[] = [
  ['loopback', 'https://127.0.0.1/hook/s3cr3t-path'],
  ['a private network', 'https://10.0.0.5/hook/s3cr3t-path'],
  ['metadata', 'https://169.254.169.254/hook/s3cr3t-path'],
  ['loopback in IPv6', 'https://[::1]/hook/s3cr3t-path'],
  ['plain http', 'http://hooks.example.com/hook/s3cr3t-path'],
  ['a user and a password', 'https://user:s3cr3t-path@hooks.example.com/'],
];

for (const [what, url] of REFUSED) {
  posting(`is not sent to ${what}, and its URL stands in no error`, async () => {
    const error = await fault(post(guarded, new Secret(url), '{}'));
    assert.instance(error, FetchRefused);
    assert.not.match(`${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`, 's3cr3t-path');
  });
}

posting('is not sent to a name that leads to a private address', async () => {
  const inside: Resolve = (_host, then) => then(null, [{ address: '10.0.0.5', family: 4 }]);
  const request = guardedRequest({ privateHosts: [] }, inside);
  assert.instance(await fault(post(request, new Secret('https://hooks.example.com/x'), '{}')), FetchRefused);
});

posting('a host that never answers is given up', async () => {
  far.answer = () => undefined;
  const hasty: GuardedRequest = (url, limits, headers, body) => {
    assert.is(limits.milliseconds, 10_000);
    return allowing(url, { ...limits, milliseconds: milliseconds(50) }, headers, body);
  };
  assert.match((await fault(post(hasty, new Secret(far.url), '{}'))).message, 'no answer');
});

posting('is not sent where nobody listens', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const error = await fault(post(allowing, new Secret(`http://127.0.0.1:${port}/s3cr3t-path`), '{}'));
  assert.match(error.message, 'ECONNREFUSED');
  assert.not.match(error.message, 's3cr3t-path');
});

posting.after(async () => {
  await far.stop();
  await inner.stop();
});
posting.run();
