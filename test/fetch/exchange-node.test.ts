/** Calls of a provider's server over TLS: trusted by the given certificate alone. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed } from '../../src/core/fetch.ts';
import { milliseconds } from '../../src/core/time.ts';
import { exchangesOnNode } from '../../src/fetch/exchange-node.ts';
import { certificateAuthority } from '../support/certificate.ts';

const authority = certificateAuthority('The client’s own authority');
const stranger = certificateAuthority('Somebody else');
const exchanges = exchangesOnNode();

const tls = suite('a call over TLS');

tls.after(() => exchanges.close());

async function callAt(issued: { certificate: string; key: string }, ca: string | null): Promise<number> {
  const server = createServer({ cert: issued.certificate, key: issued.key }, (_, response) => response.end('{}'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  try {
    const limits = { bytes: 1_000, milliseconds: milliseconds(2_000) };
    const answer = await exchanges.exchange({
      method: 'GET',
      url: `https://127.0.0.1:${port}/v1/sys/health`,
      headers: {},
      body: null,
      ca,
      limits,
    });
    return answer.status;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

tls('is answered where the certificate is of the authority that is trusted', async () => {
  assert.is(await callAt(authority.issue('127.0.0.1'), authority.certificate), 200);
});

for (const [what, issued, ca] of [
  ['of another authority', stranger.issue('127.0.0.1'), authority.certificate],
  ['of another address', authority.issue('127.0.0.2'), authority.certificate],
  ['of no public authority', authority.issue('127.0.0.1'), null],
] as const) {
  tls(`fails where the certificate is ${what}`, async () => {
    const fault = await callAt(issued, ca).catch((caught: unknown) => caught);
    assert.instance(fault, FetchFailed);
  });
}

tls.run();
