/** Session tokens of Brevet's own API: PITFALLS 1, 2, 33. */
import { SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../src/core/ids.ts';
import { tenantIssuer } from '../../src/core/issuer.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { instant } from '../../src/core/time.ts';
import { agentInStanding, proofDigest } from '../../src/authenticate/principal.ts';
import { signSession, SESSION_TYPE, verifySession } from '../../src/authenticate/session.ts';
import { BOT, byKey, byWorkload, DATE, deployment, enrolled, ISSUER, makeDeps, makeKey, NOW } from './world.ts';
import { OWNER, person, PUBLIC_URL, sign, signingKey, tenant, trusted } from './world.ts';

const agentKey = await makeKey('ES256');
const tenantKey = await makeKey('ES256');
const otherKey = await makeKey('ES256');
const keys = [signingKey(tenantKey)];
const deps = makeDeps(tenantKey);
const here = tenant({ agents: [enrolled(BOT, byKey(agentKey))], keys });

async function open(snapshot: Snapshot = here): Promise<string> {
  const principal = agentInStanding(snapshot, BOT, 'private_key_jwt', NOW);
  if (!principal.ok) throw new Error(principal.error.why);
  const { token } = await signSession(deps, snapshot, principal.value, NOW);
  return token.reveal();
}

/** The agent's name, or what the caller is told. */
async function outcome(token: string, snapshot: Snapshot = here, now: number = NOW): Promise<string> {
  const proven = await verifySession({ ...deps, clock: () => instant(now) }, snapshot, token);
  return proven.ok ? `${proven.value.agent.name} by ${proven.value.by}` : proven.error.failure.code;
}

const sessions = suite('a session token');

sessions('lasts five minutes, with the skew', async () => {
  const token = await open();
  assert.is(await outcome(token), `${BOT} by session`);
  assert.is(await outcome(token, here, NOW + 309_000), `${BOT} by session`);
  assert.is(await outcome(token, here, NOW + 310_000), 'unauthenticated');
});

sessions('does not print itself', async () => {
  const principal = agentInStanding(here, BOT, 'session', NOW);
  assert.ok(principal.ok);
  if (principal.ok) assert.match(JSON.stringify(await signSession(deps, here, principal.value, NOW)), /\[secret\]/);
});

const CHANGED: readonly (readonly [what: string, snapshot: Snapshot, expected: string])[] = [
  [
    'its agent is disabled',
    tenant({ agents: [enrolled(BOT, byKey(agentKey), { agent: { active: false } })], keys }),
    'unauthenticated',
  ],
  ['its agent is gone', tenant({ keys }), 'unauthenticated'],
  ['its agent has another key', tenant({ agents: [enrolled(BOT, byKey(otherKey))], keys }), 'unauthenticated'],
  [
    'its agent is bound to a workload',
    tenant({ agents: [enrolled(BOT, byWorkload('ci', { sub: 'x' }))], keys }),
    'unauthenticated',
  ],
  [
    'the owner is gone',
    tenant({
      agents: [enrolled(BOT, byKey(agentKey))],
      keys,
      deployment: deployment({ persons: [person(OWNER, false)] }),
    }),
    'owner_gone',
  ],
  ['the key that signed it is gone', tenant({ agents: [enrolled(BOT, byKey(agentKey))], keys: [] }), 'unauthenticated'],
  [
    'it is shown to another tenant, even one with the same key and agent',
    tenant({ name: 'globex' as TenantName, agents: [enrolled(BOT, byKey(agentKey))], keys }),
    'unauthenticated',
  ],
];
for (const [what, snapshot, expected] of CHANGED) {
  sessions(`ends when ${what}`, async () => assert.is(await outcome(await open(), snapshot), expected));
}

sessions('of a workload ends when its binding, or its issuer’s address, changes', async () => {
  const bound = (sub: string, url: string): Snapshot =>
    tenant({
      agents: [enrolled(BOT, byWorkload('ci', { sub }))],
      keys,
      deployment: deployment({ issuers: [trusted('ci', url)] }),
    });
  const token = await open(bound('a', 'https://ci.example'));
  assert.is(await outcome(token, bound('a', 'https://ci.example')), `${BOT} by session`);
  assert.is(await outcome(token, bound('b', 'https://ci.example')), 'unauthenticated');
  assert.is(await outcome(token, bound('a', 'https://other.example')), 'unauthenticated');
});

const proof = proofDigest(here, enrolled(BOT, byKey(agentKey)).enrolment);
const forge = (
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
  key = tenantKey,
): Promise<string> =>
  new SignJWT({ iss: ISSUER, aud: ISSUER, sub: BOT, iat: DATE, exp: DATE + 60, jti: 'x', proof, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: SESSION_TYPE, kid: tenantKey.thumbprint, ...header })
    .sign(key.privateKey);

const globex = tenantIssuer(PUBLIC_URL, 'globex' as TenantName);
const FORGED: readonly (readonly [what: string, token: () => Promise<string>])[] = [
  ['of another kind, though this tenant signed it', () => forge({}, { typ: 'at+jwt' })],
  ['of no kind, though this tenant signed it', () => forge({}, { typ: 'JWT' })],
  ['signed with another key', () => forge({}, {}, otherKey)],
  ['signed with a key that is not shown', () => forge({}, { kid: 'other' }, otherKey)],
  ['signed with the agent’s own key', () => forge({}, {}, agentKey)],
  ['that is the agent’s assertion', () => sign(agentKey)],
  ['of another issuer', () => forge({ iss: globex })],
  ['for another audience', () => forge({ aud: globex })],
  ['for a second audience', () => forge({ aud: [ISSUER, globex] })],
  ['for a target', () => forge({ aud: 'https://api.acme.example' })],
  ['of nobody', () => forge({ sub: 'Nobody!' })],
  ['without a proof', () => forge({ proof: undefined })],
  ['with a key of its own', () => forge({}, { jwk: tenantKey.jwk })],
  ['that is none', () => Promise.resolve('x')],
  ['that is empty', () => Promise.resolve('')],
];
for (const [what, token] of FORGED) {
  sessions(`${what} is refused`, async () => assert.is(await outcome(await token()), 'unauthenticated'));
}

sessions('forged without a flaw would pass: the table above refuses for its reason', async () => {
  assert.is(await outcome(await forge({})), `${BOT} by session`);
});

sessions.run();
