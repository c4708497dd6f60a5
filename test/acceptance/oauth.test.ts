/**
 * An OAuth client library that nobody here wrote gets, looks at and revokes a token, with the tenant's metadata as its
 * only configuration; and an API verifies that token with a library for RFC 9068.
 */
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { administrator, call, newKey, newPlace, populate, startBroker, stopBroker } from './broker.ts';
import type { Place, Process } from './broker.ts';

const AUDIENCE = 'https://tickets.acme.example';
const TASK = {
  type: 'brevet_task',
  task: 'ticket.route',
  resource: 'tickets',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'A ticket came in',
};

/** The library refuses http unless it is told that this is no production; nothing else of it is changed. */
const onLoopback = { [oauth.allowInsecureRequests]: true } as const;

let place: Place;
let broker: Process;
let issuer: URL;
let agentKey: JWK;
let apiKey: JWK;

const strangers = suite('an OAuth client library and a verifier of JWTs');

strangers.before(async () => {
  place = await newPlace();
  broker = await startBroker(place);
  const by = await administrator(place);
  const api = await newKey();
  const keys = await populate(by, { 'triage-bot': ['triage', 'network'] });
  await by.put('/api/tenants/acme/targets/tickets', {
    provider: 'jwt',
    config: { audience: AUDIENCE, checks: 'introspection' },
    environment: 'production',
    jwk: api.publicJwk,
  });
  await by.put('/api/tenants/acme/targets/other', {
    provider: 'jwt',
    config: { audience: 'https://other.acme.example', checks: 'introspection' },
    environment: 'production',
    jwk: api.publicJwk,
  });
  issuer = new URL(`${place.url}/t/acme`);
  [agentKey, apiKey] = [keys['triage-bot'] ?? {}, api.privateJwk];
});
strangers.after(async () => {
  await stopBroker(broker);
});

async function privateKeyJwt(key: JWK): Promise<oauth.ClientAuth> {
  const imported = await importJWK(key, 'ES256');
  if (imported instanceof Uint8Array) throw new TypeError('not a private key');
  return oauth.PrivateKeyJwt(imported);
}

async function discover(algorithm: 'oauth2' | 'oidc'): Promise<oauth.AuthorizationServer> {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...onLoopback });
  return oauth.processDiscoveryResponse(issuer, response);
}

const triage: oauth.Client = { client_id: 'triage-bot' };

async function getToken(server: oauth.AuthorizationServer): Promise<oauth.TokenEndpointResponse> {
  const parameters = new URLSearchParams({ authorization_details: JSON.stringify([TASK]) });
  const auth = await privateKeyJwt(agentKey);
  const response = await oauth.clientCredentialsGrantRequest(server, triage, auth, parameters, onLoopback);
  return oauth.processClientCredentialsResponse(server, triage, response);
}

async function introspect(server: oauth.AuthorizationServer, client: string, key: JWK, token: string) {
  const asking: oauth.Client = { client_id: client };
  const response = await oauth.introspectionRequest(server, asking, await privateKeyJwt(key), token, onLoopback);
  return oauth.processIntrospectionResponse(server, asking, response);
}

strangers('discovery finds the same issuer at both well-known places', async () => {
  const [byOAuth, byOidc] = await Promise.all([discover('oauth2'), discover('oidc')]);
  assert.equal(byOAuth, byOidc);
  assert.is(byOAuth.issuer, issuer.href);
});

strangers('a token is got, verified by its API, looked at, revoked, and dead', async () => {
  const server = await discover('oauth2');
  const got = await getToken(server);
  assert.is(got.token_type, 'bearer');

  const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''));
  const verified = await jwtVerify(got.access_token, keys, {
    issuer: server.issuer,
    audience: AUDIENCE,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'sub', 'client_id', 'iat', 'jti'],
  });
  assert.is(verified.payload['client_id'], 'triage-bot');
  assert.is(verified.payload.sub, 'triage-bot');
  assert.is(verified.payload['scope'], 'tickets:route');
  assert.equal(got.authorization_details, verified.payload['authorization_details']);

  const live = await introspect(server, 'target:tickets', apiKey, got.access_token);
  assert.is(live.active, true);
  assert.is(live.jti, verified.payload.jti);
  assert.equal(live['authorization_details'], verified.payload['authorization_details']);

  const auth = await privateKeyJwt(agentKey);
  const revoked = await oauth.revocationRequest(server, triage, auth, got.access_token, onLoopback);
  assert.is(await oauth.processRevocationResponse(revoked), undefined);

  assert.equal(await introspect(server, 'target:tickets', apiKey, got.access_token), { active: false });
});

strangers('the verifier that RFC 9068 asks for takes the token too', async () => {
  const server = await discover('oauth2');
  const { access_token } = await getToken(server);
  const request = new Request(`${AUDIENCE}/1`, { headers: { authorization: `Bearer ${access_token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, AUDIENCE, onLoopback);
  assert.is(claims.client_id, 'triage-bot');
});

strangers('another API learns nothing of the token, and revokes nothing', async () => {
  const server = await discover('oidc');
  const { access_token } = await getToken(server);
  assert.equal(await introspect(server, 'target:other', apiKey, access_token), { active: false });
  const other: oauth.Client = { client_id: 'target:other' };
  const revoked = await oauth.revocationRequest(server, other, await privateKeyJwt(apiKey), access_token, onLoopback);
  await oauth.processRevocationResponse(revoked);
  assert.is((await introspect(server, 'target:tickets', apiKey, access_token)).active, true);
});

strangers('a client that does not prove itself is refused in the words of RFC 6749', async () => {
  const server = await discover('oauth2');
  const stranger = await newKey();
  const auth = await privateKeyJwt(stranger.privateJwk);
  const response = await oauth.clientCredentialsGrantRequest(server, triage, auth, {}, onLoopback);
  const refusal = await oauth.processClientCredentialsResponse(server, triage, response).catch((e: unknown) => e);
  assert.instance(refusal, oauth.ResponseBodyError);
  assert.is((refusal as oauth.ResponseBodyError).error, 'invalid_client');
});

strangers('what asks a person is answered authorization_pending', async () => {
  const server = await discover('oauth2');
  const details = [
    {
      type: 'brevet_task',
      task: 'firewall.change',
      resource: 'tickets',
      parameters: { rule: 'block-telnet', action: 'close', port: 23 },
      reason: 'Telnet is open to the world',
      change: 'CHG-1',
      rollback: 'Open it again',
    },
  ];
  const parameters = { authorization_details: JSON.stringify(details) };
  const auth = await privateKeyJwt(agentKey);
  const response = await oauth.clientCredentialsGrantRequest(server, triage, auth, parameters, onLoopback);
  const refusal = await oauth.processClientCredentialsResponse(server, triage, response).catch((e: unknown) => e);
  assert.is((refusal as oauth.ResponseBodyError).error, 'authorization_pending');
});

strangers('a session token for Brevet’s own API is no access token', async () => {
  const server = await discover('oauth2');
  const auth = await privateKeyJwt(agentKey);
  const response = await oauth.clientCredentialsGrantRequest(server, triage, auth, {}, onLoopback);
  const session = await oauth.processClientCredentialsResponse(server, triage, response);
  const requests = await call('GET', `${issuer.href}/leases`, { token: session.access_token });
  assert.is(requests.status, 200);
  assert.equal(await introspect(server, 'target:tickets', apiKey, session.access_token), { active: false });
});

strangers.run();
