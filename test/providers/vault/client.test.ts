/** What node-vault would do by itself, and must not: every call is exactly what was asked for, and bounded. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { exchangesOnNode } from '../../../src/fetch/exchange-node.ts';
import { isAbsence, vaultClient, VaultRefusal } from '../../../src/providers/vault/client.ts';
import { configOf, parseVaultConfig } from '../../../src/providers/vault/config.ts';
import { GOOD } from './target.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const seen: Seen[] = [];
let answer: (response: ServerResponse) => void;
let server: Server;
let elsewhere: Server;
const exchanges = exchangesOnNode();
const TOKEN = new Secret('hvs.of-this-call');

const listening = (made: Server): Promise<string> =>
  new Promise((resolve) =>
    made.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(made.address() as AddressInfo).port}`)),
  );

const client = (change: object, patience: number) => {
  const parsed = parseVaultConfig({ ...GOOD, address, ...change }, true);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return vaultClient(configOf(parsed.value), exchanges.exchange, milliseconds(patience));
};
let address: string;
let other: string;

const calls = suite('calls of Vault');

calls.before(async () => {
  Object.assign(process.env, {
    VAULT_TOKEN: 'hvs.of-the-environment',
    VAULT_NAMESPACE: 'of-the-environment',
    VAULT_PREFIX: '/of-the-environment',
    VAULT_SKIP_VERIFY: '1',
    DEBUG: 'node-vault',
  });
  const record = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(response);
    });
  };
  server = createServer(record);
  elsewhere = createServer(record);
  [address, other] = await Promise.all([listening(server), listening(elsewhere)]);
});
calls.before.each(() => {
  seen.length = 0;
  answer = (response) => response.end('{"data":{"keys":["a"]}}');
});
calls.after(() => {
  exchanges.close();
  for (const one of [server, elsewhere]) {
    one.closeAllConnections();
    one.close();
  }
});

const json = (status: number, body: string) => (response: ServerResponse) => {
  response.statusCode = status;
  response.end(body);
};

calls('go with their own token and namespace, and nothing of the broker’s environment', async () => {
  await client({ namespace: 'clients/acme' }, 1_000).read(TOKEN, 'auth/token/lookup-self');
  await client({}, 1_000).read(null, 'sys/health');
  const [first, second] = seen;
  assert.is(first?.url, '/v1/auth/token/lookup-self');
  assert.is(first?.headers['x-vault-token'], 'hvs.of-this-call');
  assert.is(first?.headers['x-vault-namespace'], 'clients/acme');
  assert.is(second?.headers['x-vault-token'], undefined);
  assert.is(second?.headers['x-vault-namespace'], undefined);
  assert.not(JSON.stringify(seen).includes('of-the-environment'));
});

calls('ask after the health of the server itself, which OpenBao tells no namespace', async () => {
  const vault = client({ namespace: 'clients/acme' }, 1_000);
  await vault.read(null, 'sys/health');
  await vault.read(TOKEN, 'sys/leases/lookup');
  assert.equal(
    seen.map(({ url, headers }) => [url, headers['x-vault-namespace'] ?? null]),
    [
      ['/v1/sys/health', null],
      ['/v1/sys/leases/lookup', 'clients/acme'],
    ],
  );
});

calls('list by a query, write JSON, and read an empty answer as one', async () => {
  const vault = client({}, 1_000);
  assert.equal(await vault.list(TOKEN, 'database/roles'), ['a']);
  answer = json(204, '');
  assert.equal(await vault.write(TOKEN, 'database/roles/x', { a: [1] }), {});
  await vault.remove(TOKEN, 'database/roles/x');
  assert.equal(
    seen.map(({ method, url, body }) => [method, url, body]),
    [
      ['GET', '/v1/database/roles?list=1', ''],
      ['POST', '/v1/database/roles/x', '{"a":[1]}'],
      ['DELETE', '/v1/database/roles/x', ''],
    ],
  );
  answer = json(404, '{"errors":[]}');
  assert.equal(await vault.list(TOKEN, 'database/roles'), []);
});

calls('follow no redirect, least of all with a token', async () => {
  answer = (response) => {
    response.writeHead(307, { location: `${other}/v1/secret` });
    response.end();
  };
  const fault = await client({}, 1_000)
    .read(TOKEN, 'secret/x')
    .catch((caught: unknown) => caught);
  assert.ok(fault instanceof VaultRefusal && fault.status === 307);
  assert.is(seen.length, 1);
});

calls('take the word of Vault alone for what is not there', async () => {
  const asked = async (status: number, body: string): Promise<boolean> => {
    answer = json(status, body);
    const vault = client({}, 1_000);
    const read = await vault.read(TOKEN, 'auth/token/roles/x').catch((caught: unknown) => caught);
    const listed = await vault.list(TOKEN, 'auth/token/roles').then(
      () => true,
      () => false,
    );
    if (status === 404) assert.is(listed, isAbsence(read), body);
    return isAbsence(read);
  };
  assert.is(await asked(404, '{"errors":[]}'), true);
  assert.is(await asked(404, '{"request_id":"3c","data":null,"warnings":["none"]}'), true);
  assert.is(await asked(400, '{"errors":["invalid accessor"]}'), true);
  // A proxy that has lost its way to Vault says the same of a live token.
  for (const body of ['default backend - 404', '<html>Not Found</html>', '', '{"message":"no Route matched"}', '[]']) {
    for (const status of [400, 404]) assert.is(await asked(status, body), false, body);
  }
});

for (const [what, answered] of [
  ['an error, with what it quotes', json(400, '{"errors":["wrong: hvs.of-this-call"]}')],
  ['a page', json(200, '<html>hvs.of-this-call</html>')],
  ['no object', json(200, '[]')],
  ['too much', json(200, 'x'.repeat(1_100_000))],
  ['nothing', () => undefined],
  ['an end in the middle', (response: ServerResponse) => response.destroy()],
] as const) {
  calls(`that are answered with ${what} are unavailable, without a secret`, async () => {
    answer = answered;
    const call = client({}, 300).list(TOKEN, 'secret/x');
    const fault = await call.catch((caught: unknown) => caught);
    assert.instance(fault, ProviderUnavailable);
    const { message, stack = '', cause } = fault as Error;
    assert.not(`${message}${stack}${JSON.stringify(fault)}${String(cause)}`.includes('hvs.'));
  });
}

calls.run();
