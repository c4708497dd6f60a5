/** Operators by their issuer's tokens and by local ones: PITFALLS 2, 10, 35, 44. */
import { SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorName } from '../../src/core/ids.ts';
import type { IssuerKeys } from '../../src/core/issuer.ts';
import { DEMAND_KEY_USE, signDemand, verifyDemand } from '../../src/core/local-token.ts';
import { createKeyring } from '../../src/core/seal.ts';
import type { DeploymentSnapshot } from '../../src/core/snapshot.ts';
import { instant } from '../../src/core/time.ts';
import { createIssuerKeys } from '../../src/authenticate/keys.ts';
import { LOCAL_TOKEN_TYPE, signLocalToken } from '../../src/authenticate/local-token.ts';
import { authenticateOperator } from '../../src/authenticate/operator.ts';
import type { Caller } from '../../src/authenticate/operator.ts';
import { jsonOver } from '../../src/fetch/json.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { startIssuer } from '../support/issuer.ts';
import { startOidc } from '../support/oidc.ts';
import { DATE, deployment, keyring, makeDeps, makeKey, NOW, operator, person, PUBLIC_URL } from './world.ts';
import type { TestDeps } from './world.ts';

const key = await makeKey('ES256');
const fetch = jsonOver(guardedRequest({ privateHosts: ['127.0.0.1'] }));
const issuerKeys = (clock = () => NOW): IssuerKeys => createIssuerKeys(fetch, clock, { warn: () => undefined });
const oidc = await startOidc({ ada: { claims: { sub: 'ada-at-idp' } }, stranger: {}, machine: { type: 'at+jwt' } });
const issuer = await startIssuer('RS256');

const LOOPBACK: Caller = { address: '127.0.0.1', forwarded: false };
const FAR: Caller = { address: '198.51.100.7', forwarded: false };
const CLIENT = 'brevet';

const known = (url: string): DeploymentSnapshot =>
  deployment({
    persons: [person('ada'), person('bea', false)],
    operators: [
      operator('ada', { issuer: url, subject: 'ada-at-idp' }),
      operator('bea', { issuer: url, subject: 'bea-at-idp' }),
      operator('nobody', { issuer: url, subject: 'nobody-at-idp', person: null }),
      operator('old', { issuer: url, subject: 'old-at-idp', active: false, person: person('ada').name }),
      operator('double-a', { issuer: url, subject: 'double', person: person('ada').name }),
      operator('elsewhere', { issuer: 'https://other.example', subject: 'at-other', person: person('ada').name }),
      operator('double-b', { issuer: url, subject: 'double', person: person('ada').name }),
    ],
  });

/** Who it is, or the code and why not. */
async function outcome(
  token: string,
  {
    place = known(issuer.url),
    caller = FAR,
    ...over
  }: Partial<TestDeps> & { place?: DeploymentSnapshot; caller?: Caller },
): Promise<string> {
  const proven = await authenticateOperator(makeDeps(key, over), place, token, caller);
  if (!proven.ok) return `${proven.error.failure.code}: ${proven.error.why}`;
  return `${proven.value.operator} as ${proven.value.person} by ${proven.value.by}`;
}

const real = suite('an operator at a real issuer');
real.after(() => oidc.stop());

const REAL: readonly (readonly [client: string, audience: string, outcome: string])[] = [
  ['ada', CLIENT, 'ada as ada by oidc'],
  ['ada', 'another-client', 'unauthenticated: not for this client alone'],
  ['stranger', CLIENT, 'unauthenticated: no active operator of that name or subject'],
  ['machine', CLIENT, 'unauthenticated: another kind of token in an operator’s place'],
];
for (const [client, audience, expected] of REAL) {
  real(`${client} with a token for ${audience}: ${expected}`, async () => {
    const clock = () => instant(Date.now());
    const deps = {
      clock,
      issuerKeys: issuerKeys(clock),
      operators: { issuer: oidc.url, clientId: CLIENT, clientSecret: null },
    };
    assert.is(await outcome(await oidc.token(client, audience), { ...deps, place: known(oidc.url) }), expected);
  });
}

real.run();

const tokens = suite('an operator’s token');
tokens.after(() => issuer.stop());

const configured = {
  operators: { issuer: issuer.url, clientId: CLIENT, clientSecret: null },
  issuerKeys: issuerKeys(),
};
const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> => {
  const all = { sub: 'ada-at-idp', aud: CLIENT, iat: DATE, exp: DATE + 3600, ...claims };
  return issuer.sign(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)), header);
};

const ADA = 'ada as ada by oidc';
const UNKNOWN = 'unauthenticated: no active operator of that name or subject';
const TOKENS: readonly (readonly [
  what: string,
  outcome: string,
  claims: Record<string, unknown>,
  header?: Record<string, unknown>,
])[] = [
  ['that is good', ADA, {}],
  ['with its typ', ADA, {}, { typ: 'JWT' }],
  ['authorised for this client', ADA, { azp: CLIENT }],
  ['authorised for another client', 'unauthenticated: issued to another client', { azp: 'other' }],
  ['with a second audience', 'unauthenticated: not for this client alone', { aud: [CLIENT, 'other'] }],
  ['for the broker’s URL', 'unauthenticated: not for this client alone', { aud: PUBLIC_URL }],
  ['of another issuer', 'unauthenticated: another issuer’s', { iss: 'https://other.example' }],
  ['that is a logout token', 'unauthenticated: another kind of token in an operator’s place', { events: {} }],
  ['that is an access token', 'unauthenticated: another kind of token in an operator’s place', {}, { typ: 'at+jwt' }],
  ['that is over', 'unauthenticated: it is over', { exp: DATE - 11 }],
  ['of yesterday', 'unauthenticated: older than a working day', { iat: DATE - 12 * 3600 - 11 }],
  ['with no iat', 'unauthenticated: no iat', { iat: undefined }],
  ['from a clock 61 s ahead', 'unauthenticated: issued in the future', { iat: DATE + 61 }],
  ['of nobody', UNKNOWN, { sub: undefined }],
  ['of a name instead of a subject', UNKNOWN, { sub: 'ada' }],
  ['of an address instead of a subject', UNKNOWN, { sub: 'x', email: 'ada@example.com', preferred_username: 'ada' }],
  ['of a subject of another issuer', UNKNOWN, { sub: 'at-other' }],
  ['of a subject that two have', UNKNOWN, { sub: 'double' }],
  ['of one who is not active', UNKNOWN, { sub: 'old-at-idp' }],
  ['of one who leads to no person', 'unauthenticated: an operator that leads to no person', { sub: 'nobody-at-idp' }],
  ['of one whose person is gone', 'unauthenticated: the operator’s person is gone', { sub: 'bea-at-idp' }],
  ['of a key that is not shown', 'unauthenticated: not signed by the operators’ issuer', {}, { kid: 'other' }],
  ['with a key of its own', 'unauthenticated: a header that is not taken here', {}, { jwk: key.jwk }],
];
for (const [what, expected, claims, header] of TOKENS) {
  tokens(`${what}: ${expected}`, async () =>
    assert.is(await outcome(await token(claims, header), configured), expected),
  );
}

tokens('is nothing where no issuer is configured, or none answers', async () => {
  assert.is(await outcome(await token(), {}), 'unauthenticated: no issuer of operators is configured');
  const out: IssuerKeys = { find: () => Promise.resolve({ ok: false, error: 'unavailable' }) };
  const why = 'issuer_unavailable: the issuer’s keys could not be read';
  assert.is(await outcome(await token(), { ...configured, issuerKeys: out }), why);
});

tokens('that is none is refused', async () => {
  for (const text of ['', 'x', 'a.b.c', '..', `${'x'.repeat(20_000)}.y.z`]) {
    assert.match(await outcome(text, configured), /^unauthenticated: not a/);
  }
});

tokens.run();

const local = suite('a local token');

const made = (name: string): Promise<string> =>
  signLocalToken(makeDeps(key), name as OperatorName).then((secret) => secret.reveal());

for (const address of ['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1']) {
  local(`works from ${address}`, async () => {
    assert.is(await outcome(await made('ada'), { caller: { address, forwarded: false } }), 'ada as ada by local');
  });
}

const ELSEWHERE = 'local_token_refused: a local token that did not come over loopback';
const CALLERS: readonly Caller[] = [
  FAR,
  { address: '10.0.0.1', forwarded: false },
  { address: '169.254.169.254', forwarded: false },
  { address: null, forwarded: false },
  { address: 'localhost', forwarded: false },
  { address: '', forwarded: false },
  { address: '127.0.0.1', forwarded: true },
];
for (const caller of CALLERS) {
  local(`does not work from ${JSON.stringify(caller)}`, async () => {
    assert.is(await outcome(await made('ada'), { caller }), ELSEWHERE);
  });
}

local('lasts ten minutes', async () => {
  const token = await made('ada');
  const after = (ms: number) => outcome(token, { caller: LOOPBACK, clock: () => instant(NOW + ms) });
  assert.is(await after(599_000), 'ada as ada by local');
  assert.is(await after(601_000), 'unauthenticated: no local token of this broker, or over');
});

local('does not print itself', async () => {
  assert.is(JSON.stringify(await signLocalToken(makeDeps(key), 'ada' as OperatorName)), '"[secret]"');
});

local('leads to an operator who is there, active, and a person', async () => {
  assert.is(await outcome(await made('zoe'), { caller: LOOPBACK }), UNKNOWN);
  assert.is(await outcome(await made('old'), { caller: LOOPBACK }), UNKNOWN);
  assert.is(
    await outcome(await made('nobody'), { caller: LOOPBACK }),
    'unauthenticated: an operator that leads to no person',
  );
  assert.is(await outcome(await made('bea'), { caller: LOOPBACK }), 'unauthenticated: the operator’s person is gone');
});

const NONE = 'unauthenticated: no local token of this broker, or over';

local('is another broker’s, or another deployment key’s: refused', async () => {
  assert.is(await outcome(await made('ada'), { caller: LOOPBACK, publicUrl: 'https://other.example' }), NONE);
  const other = await createKeyring(new Uint8Array(32).fill(8), makeDeps(key).random);
  assert.is(await outcome(await made('ada'), { caller: LOOPBACK, keyring: other }), NONE);
});

const forged = (use: string, header: Record<string, unknown> = {}, claims: Record<string, unknown> = {}) =>
  new SignJWT({ iss: PUBLIC_URL, aud: PUBLIC_URL, sub: 'ada', iat: DATE, exp: DATE + 60, jti: 'x', ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: LOCAL_TOKEN_TYPE, ...header })
    .sign(keyring.derive(use));

local('is not a demand, nor anything else under the deployment key', async () => {
  const to = { operator: 'ada' as OperatorName, jti: 'once', audience: PUBLIC_URL };
  const demand = await signDemand(keyring.derive(DEMAND_KEY_USE), to, NOW);
  assert.is(
    await outcome(demand, { ...configured, caller: LOOPBACK }),
    'unauthenticated: an algorithm that is not taken here',
  );
  assert.is(await outcome(await forged(DEMAND_KEY_USE), { caller: LOOPBACK }), NONE);
  assert.is(await outcome(await forged('local token answer'), { caller: LOOPBACK }), 'ada as ada by local');
  const long = await forged('local token answer', {}, { iat: DATE - 700, exp: DATE + 1e6 });
  assert.is(await outcome(long, { caller: LOOPBACK }), NONE);
  const key = keyring.derive(DEMAND_KEY_USE);
  assert.is((await verifyDemand(key, await made('ada'), PUBLIC_URL, NOW)).ok, false);
});

local.run();
