/**
 * A real OIDC issuer, `oidc-provider`, on a loopback port of its own. Its clients are workloads or operators; what a
 * token of each carries is configured, so that it looks like GitHub's or like Kubernetes's.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import type { StructuredToken } from 'oidc-provider';

export interface OidcClient {
  /** Claims beside those that every token has; `sub` replaces the client's id. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The header's `typ`: `JWT`, as platforms write it, unless told; the issuer's own would be `at+jwt`. */
  readonly type?: string;
}

export interface OidcIssuer {
  readonly url: string;
  /** A fresh token of that client for that audience, asked for over HTTP. */
  token(client: string, audience: string): Promise<string>;
  stop(): Promise<void>;
}

const SECRET = 'a secret of a test client, 32 bytes long';
/** The provider takes URIs alone as resources, and an audience may be any text. */
const AUDIENCE_URN = 'urn:audience:';

/** @param algorithm of its keys. */
export async function startOidc(
  clients: Readonly<Record<string, OidcClient>>,
  algorithm: 'RS256' | 'ES256' | 'EdDSA' = 'RS256',
): Promise<OidcIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', new Provider(url, await configure(clients, algorithm)).callback());
  return {
    url,
    token: (client, audience) => askToken(url, client, audience),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function configure(
  clients: Readonly<Record<string, OidcClient>>,
  algorithm: string,
): Promise<Record<string, unknown>> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), use: 'sig', kid: 'first' };
  return {
    clients: Object.keys(clients).map((id) => ({
      client_id: id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: algorithm,
    })),
    jwks: { keys: [key] },
    cookies: { keys: ['unused, since nobody signs in here'] },
    clientAuthMethods: ['client_secret_post'],
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: '',
          audience: decodeURIComponent(resource.slice(AUDIENCE_URN.length)),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt(_context: unknown, token: { readonly clientId: string }, jwt: StructuredToken) {
          const { claims = {}, type = 'JWT' } = clients[token.clientId] ?? {};
          jwt.header = { ...jwt.header, typ: type };
          Object.assign(jwt.payload, claims);
        },
      },
    },
  };
}

async function askToken(url: string, client: string, audience: string): Promise<string> {
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: SECRET,
      resource: AUDIENCE_URN + encodeURIComponent(audience),
    }),
  });
  const body = (await answer.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`the issuer gave no token: ${JSON.stringify(body)}`);
  return body.access_token;
}
