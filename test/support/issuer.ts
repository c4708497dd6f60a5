/**
 * A small issuer that signs whatever it is told to, for the shapes that an honest one does not emit. It serves discovery
 * and keys over HTTP, counts what is asked of it, and can be made to fail.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { Algorithm } from '../../src/authenticate/jwk.ts';

export interface TestIssuer {
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: string[];
  /** What it serves; tests change it. */
  readonly discovery: Record<string, unknown>;
  readonly keys: JWK[];
  /** Answers instead of it, when it is set. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** Adds a key, which signs from now on. */
  rotate(kid: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startIssuer(algorithm: Algorithm = 'ES256'): Promise<TestIssuer> {
  const server = createServer((request, response) => serve(issuer, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let signing: { readonly kid: string; readonly key: CryptoKey } | null = null;
  const issuer: TestIssuer = {
    url,
    asked: [],
    discovery: { issuer: url, jwks_uri: `${url}/keys` },
    keys: [],
    answer: null,
    async sign(claims, header = {}) {
      if (signing === null) throw new Error('this issuer has no key');
      const all = { alg: algorithm, kid: signing.kid, ...header };
      return await new SignJWT({ iss: url, ...claims }).setProtectedHeader(all).sign(signing.key);
    },
    async rotate(kid) {
      const { privateKey, publicKey } = await generateKeyPair(algorithm);
      issuer.keys.push({ ...(await exportJWK(publicKey)), kid, use: 'sig', alg: algorithm });
      signing = { kid, key: privateKey };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await issuer.rotate('first');
  return issuer;
}

function serve(issuer: TestIssuer, request: IncomingMessage, response: ServerResponse): void {
  issuer.asked.push(request.url ?? '');
  if (issuer.answer !== null) {
    issuer.answer(request, response);
    return;
  }
  const bodies: Record<string, unknown> = {
    '/.well-known/openid-configuration': issuer.discovery,
    '/keys': { keys: issuer.keys },
  };
  const body = bodies[request.url ?? ''];
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? {}));
}
