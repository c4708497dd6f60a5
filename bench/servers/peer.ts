/** The peer: `oidc-provider` in memory, with `private_key_jwt`, ES256 assertions and EdDSA access tokens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { Provider } from 'oidc-provider';
import { announce, argument } from './process.ts';

const SIGNS = 'EdDSA';

async function configuration(client: string, key: JWK): Promise<Record<string, unknown>> {
  const { privateKey } = await generateKeyPair(SIGNS, { extractable: true });
  return {
    clients: [
      {
        client_id: client,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        id_token_signed_response_alg: SIGNS,
        jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] },
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: SIGNS, use: 'sig' }] },
    cookies: { keys: ['unused, since nobody signs in here'] },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: [SIGNS], clientAuthSigningAlgValues: ['ES256'] },
    ttl: { ClientCredentials: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: '',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: SIGNS } },
        }),
      },
    },
  };
}

const key = JSON.parse(argument('key')) as JWK;
const made = await configuration(argument('client'), key);
const server = createServer(new Provider(argument('audience'), made).callback());
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
