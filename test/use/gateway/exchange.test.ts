/** What a hostile tool answers is bounded, whatever it says of itself. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { httpTarget } from '../../../src/core/gateway/target.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Deps } from '../../../src/deps.ts';
import { nodeForward } from '../../../src/fetch/node-forward.ts';
import type { Tally } from '../../../src/use/gateway/answer.ts';
import { needlesOf } from '../../../src/use/gateway/echo.ts';
import { exchange } from '../../../src/use/gateway/exchange.ts';
import type { Tool } from '../../../src/use/gateway/key.ts';

const answers = suite('use/gateway/exchange');

const LIMIT = 1_000;

/** One call of a tool that answers so. */
async function called(tool: RequestListener): Promise<{
  readonly status: number | string;
  readonly tally: Tally | null;
  readonly headers: Readonly<Record<string, string>>;
}> {
  const server = createServer(tool);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = httpTarget.parse({
    origin,
    private: true,
    inject: { by: 'header', name: 'x-api-key' },
    key_reaches: 'this-tenant',
    limits: { response_bytes: LIMIT },
  });
  const forwarding = nodeForward({ privateHosts: ['127.0.0.1'] });
  const told: { tally: Tally | null } = { tally: null };
  const deps = { gateway: { forward: forwarding.forward, tokens: new Map() }, log: { warn: () => {} } };
  const key = { headers: {}, query: null, needles: needlesOf(['0123456789abcdef']), pool: 'p' };
  const call = {
    method: 'GET',
    url: new Secret(`${origin}/x`),
    headers: {},
    body: null,
    ca: null,
    mayBePrivate: true,
    pool: 'p',
    signal: AbortSignal.timeout(10_000),
  };
  try {
    const version = { tenant: 'acme', name: 'psa', version: 1 };
    const given = { tool: { config, version } as unknown as Tool, key, call };
    const got = await exchange(deps as unknown as Deps, given, (_, tally) => {
      told.tally = tally;
    });
    if (got.ok && got.value.body !== null) assert.ok(got.value.body instanceof Uint8Array);
    return {
      status: got.ok ? got.value.status : got.error,
      tally: told.tally,
      headers: got.ok ? got.value.headers : {},
    };
  } finally {
    forwarding.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

answers('reads nothing of a body where none may stand', async () => {
  const { status, tally } = await called((_, response) => {
    response.writeHead(205);
    const part = Buffer.alloc(1 << 20);
    const more = (): void => void (response.destroyed || response.write(part, more));
    more();
  });
  assert.equal([status, tally?.end, tally?.bytes], [205, 'whole', 0]);
});

for (const [status, length] of [
  [204, undefined],
  [205, undefined],
  [304, '5'],
] as const) {
  answers(`says of a ${status} with a length what its reader can hold it to`, async () => {
    const { headers } = await called((_, response) => response.writeHead(status, { 'content-length': '5' }).end());
    assert.is(headers['content-length'], length);
  });
}

for (const status of [600, 999]) {
  answers(`takes no ${status} for an answer`, async () => {
    const got = await called((_, response) => response.writeHead(status).end('x'));
    assert.equal([got.status, got.tally?.end], ['no_answer', 'no_answer']);
  });
}

answers('reads a small one whole', async () => {
  const got = await called((_, response) => response.writeHead(200, { 'content-length': '2' }).end('ok'));
  assert.equal([got.status, got.tally?.end, got.tally?.bytes], [200, 'whole', 2]);
});

answers.run();
