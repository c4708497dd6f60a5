/** Workloads with the tokens of their platforms: PITFALLS 2, 5, 6, 8, 10, 55. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { IssuerKeys } from '../../src/core/issuer.ts';
import type { Enrolment, TrustedIssuer } from '../../src/core/registers.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { ASSERTION_TYPE } from '../../src/authenticate/assertion.ts';
import type { Proven } from '../../src/authenticate/auth-failure.ts';
import { authenticateClient } from '../../src/authenticate/client.ts';
import type { ProvenClient } from '../../src/authenticate/client.ts';
import { ALGORITHMS } from '../../src/authenticate/jwk.ts';
import { createIssuerKeys } from '../../src/authenticate/keys.ts';
import { jsonOver } from '../../src/fetch/json.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { startIssuer } from '../support/issuer.ts';
import { startOidc } from '../support/oidc.ts';
import { BOT, byKey, byWorkload, DATE, deployment, enrolled, ISSUER, makeKey, noKeys, NOW } from './world.ts';
import { person, PUBLIC_URL, sign, tenant, trusted } from './world.ts';

const quiet = { warn: () => undefined };
const fetch = jsonOver(guardedRequest({ privateHosts: ['127.0.0.1'] }));
const asked = (clock = () => NOW): IssuerKeys => createIssuerKeys(fetch, clock, quiet);

interface Call {
  readonly clientId?: string;
  readonly now?: number;
  readonly keys?: IssuerKeys;
}

const present = (snapshot: Snapshot, assertion: string, { clientId, now = NOW, keys }: Call = {}) =>
  authenticateClient({ publicUrl: PUBLIC_URL, clock: () => instant(now), issuerKeys: keys ?? asked() }, snapshot, {
    clientId: clientId ?? null,
    assertionType: ASSERTION_TYPE,
    assertion,
  });

/** The agent's name, or why not. */
const outcome = (proven: Proven<ProvenClient>): string => {
  if (!proven.ok) return proven.error.why;
  const { principal } = proven.value;
  return principal.kind === 'agent' ? `${principal.agent.name} by ${principal.by}` : principal.target;
};

const at = (issuer: TrustedIssuer, bound: Readonly<Record<string, Enrolment['proof']>>): Snapshot =>
  tenant({
    agents: Object.entries(bound).map(([name, proof]) => enrolled(name, proof)),
    deployment: deployment({ issuers: [issuer], persons: [person('olga')] }),
  });

const UID = '0b2a5f3e-93b5-4a0e-9d13-2f8f5c6a7e11';
const FLOW = 'acme/infra/.github/workflows/patch.yml@refs/heads/main';
const onGithub = (over: Record<string, string> = {}): Record<string, string> => ({
  sub: 'repo:acme/infra:ref:refs/heads/main',
  repository: 'acme/infra',
  repository_id: '74',
  repository_owner_id: '9',
  job_workflow_ref: FLOW,
  ref: 'refs/heads/main',
  actor: 'mona',
  ...over,
});

const oidc = await startOidc({
  job: { claims: onGithub() },
  'job-on-a-branch': { claims: onGithub({ job_workflow_ref: FLOW.replace('main', 'evil') }) },
  'job-of-a-recycled-name': { claims: onGithub({ repository_id: '75', repository_owner_id: '10' }) },
  pod: {
    claims: {
      sub: 'system:serviceaccount:ops:bot',
      'kubernetes.io': { namespace: 'ops', serviceaccount: { name: 'bot', uid: UID } },
    },
  },
  'pod-of-a-recycled-name': {
    claims: {
      sub: 'system:serviceaccount:ops:bot',
      'kubernetes.io': { namespace: 'ops', serviceaccount: { name: 'bot', uid: UID.replace('0', '1') } },
    },
  },
  robot: {},
  'access-token': { type: 'at+jwt' },
});
const issuer = await startIssuer('RS256');
const stranger = await startIssuer('RS256');

const real = suite('a token of a real issuer');

real.after(() => oidc.stop());

const platforms = { github: 'github', kubernetes: 'kubernetes', generic: 'generic' } as const;
const onReal = (platform: keyof typeof platforms): Snapshot =>
  at(trusted('ci', oidc.url, { platform }), {
    patcher: byWorkload('ci', { repository_id: '74', job_workflow_ref: FLOW }),
    sweeper: byWorkload('ci', { 'kubernetes.io/serviceaccount/uid': UID }),
    robot: byWorkload('ci', { sub: 'robot' }),
    token: byWorkload('ci', { sub: 'access-token' }),
  });

const NOBODY = 'no agent here is bound to such a workload';
const REAL: readonly (readonly [client: string, platform: keyof typeof platforms, outcome: string])[] = [
  ['job', 'github', 'patcher by workload'],
  ['job-on-a-branch', 'github', NOBODY],
  ['job-of-a-recycled-name', 'github', NOBODY],
  ['pod', 'kubernetes', 'sweeper by workload'],
  ['pod-of-a-recycled-name', 'kubernetes', NOBODY],
  ['robot', 'generic', 'robot by workload'],
  ['access-token', 'generic', 'another kind of token in an assertion’s place'],
];
for (const [client, platform, expected] of REAL) {
  real(`of a ${client}: ${expected}`, async () => {
    const now = Date.now();
    const token = await oidc.token(client, ISSUER);
    assert.is(outcome(await present(onReal(platform), token, { now })), expected);
  });
}

real('is good again until it ends, here alone, and for its own agent alone', async () => {
  const now = Date.now();
  const token = await oidc.token('robot', ISSUER);
  const keys = asked(() => instant(now));
  for (const _ of [1, 2, 3]) {
    const proven = await present(onReal('generic'), token, { now, keys, clientId: 'robot' });
    assert.is(proven.ok && proven.value.oneUse, null);
    assert.equal(proven.ok && proven.value.vouched, { issuer: oidc.url, sub: 'robot' });
  }
  const other = await present(onReal('generic'), token, { now, clientId: 'patcher' });
  assert.is(outcome(other), 'another client than the one bound');
  assert.is(outcome(await present(onReal('generic'), token, { now: now + 3_600_000 })), 'it is over');
  const elsewhere = await oidc.token('robot', `${PUBLIC_URL}/t/globex`);
  assert.is(outcome(await present(onReal('generic'), elsewhere, { now })), 'not for this issuer alone');
});

real.run();

const shapes = suite('a workload’s token');
shapes.after(async () => {
  await issuer.stop();
  await stranger.stop();
});
const bound = { [BOT]: byWorkload('ci', { sub: 'robot' }) };
const ci = trusted('ci', issuer.url);
const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> => {
  const all = { sub: 'robot', aud: ISSUER, iat: DATE, exp: DATE + 3600, ...claims };
  return issuer.sign(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)), header);
};

const SHAPES: readonly (readonly [
  what: string,
  outcome: string,
  claims: Record<string, unknown>,
  header?: Record<string, unknown>,
])[] = [
  ['with no typ', `${BOT} by workload`, {}],
  ['with a typ that says nothing', `${BOT} by workload`, {}, { typ: 'JWT' }],
  ['with another typ that says nothing', `${BOT} by workload`, {}, { typ: 'JOSE' }],
  ['with one audience in an array', `${BOT} by workload`, { aud: [ISSUER] }],
  ['from a clock 9 s ahead', `${BOT} by workload`, { iat: DATE + 9, nbf: DATE + 9 }],
  ['from a clock a minute ahead', `${BOT} by workload`, { iat: DATE + 60, nbf: DATE + 60 }],
  ['from a clock 61 s ahead', 'issued in the future', { iat: DATE + 61 }],
  ['as old as may be', `${BOT} by workload`, { iat: DATE - 3600 }],
  ['too old', 'older than the issuer’s tokens may be', { iat: DATE - 3611 }],
  ['with no iat', 'no iat', { iat: undefined }],
  ['with no exp', 'no exp', { exp: undefined }],
  ['that is over', 'it is over', { exp: DATE - 11 }],
  ['with a second audience', 'not for this issuer alone', { aud: [ISSUER, 'sts.amazonaws.com'] }],
  ['for the token endpoint', 'not for this issuer alone', { aud: `${ISSUER}/token` }],
  ['of another workload', NOBODY, { sub: 'other' }],
  ['with its subject in an array', NOBODY, { sub: ['robot'] }],
  ['that is an access token', 'another kind of token in an assertion’s place', {}, { typ: 'at+jwt' }],
  [
    'that is a client’s assertion',
    'another kind of token in a workload’s place',
    {},
    { typ: 'client-authentication+jwt' },
  ],
  ['that is a logout token', 'another kind of token in an assertion’s place', {}, { typ: 'logout+jwt' }],
  ['of a key that nobody shows', 'signed with a key that the issuer does not show', {}, { kid: 'unknown' }],
  [
    'of another issuer than its key',
    'no client of that name has a key here',
    { iss: 'https://ci.example', sub: 'https://ci.example', jti: 'x', exp: DATE + 60 },
  ],
];
for (const [what, expected, claims, header] of SHAPES) {
  shapes(`${what}: ${expected}`, async () => {
    assert.is(outcome(await present(at(ci, bound), await token(claims, header))), expected);
  });
}

for (const algorithm of ALGORITHMS) {
  shapes(`that its issuer signs by ${algorithm} is taken, and no other in its place`, async () => {
    const own = await startIssuer(algorithm);
    const claims = { sub: 'robot', aud: ISSUER, iat: DATE, exp: DATE + 60 };
    const signed = await own.sign(claims);
    const here = at(trusted('ci', own.url), bound);
    assert.is(outcome(await present(here, signed)), `${BOT} by workload`);
    const [head, , signature] = signed.split('.');
    const [, other] = (await own.sign({ ...claims, exp: DATE + 61 })).split('.');
    assert.is(outcome(await present(here, `${head}.${other}.${signature}`)), 'not signed by its issuer');
    await own.stop();
  });
}

shapes('whose signature is another’s is refused', async () => {
  await stranger.rotate('first');
  const forged = await stranger.sign({ iss: issuer.url, sub: 'robot', aud: ISSUER, iat: DATE, exp: DATE + 60 });
  assert.is(outcome(await present(at(ci, bound), forged)), 'not signed by its issuer');
});

shapes('of an issuer that nobody registered, or nobody here is bound to, has nothing fetched for it', async () => {
  const mine = await stranger.sign({ sub: 'robot', aud: ISSUER, iat: DATE, exp: DATE + 60 });
  const refused = 'iss and sub are not one client';
  assert.is(outcome(await present(at(ci, bound), mine, { keys: noKeys })), refused);
  const unbound = at(trusted('ci', stranger.url), { [BOT]: byKey(await makeKey('ES256')) });
  assert.is(outcome(await present(unbound, mine, { keys: noKeys })), refused);
  const almost = at(trusted('ci', `${stranger.url}/`), bound);
  assert.is(outcome(await present(almost, mine, { keys: noKeys })), refused);
  assert.equal(stranger.asked, []);
});

shapes('that could not be taken anyway has nothing fetched for it', async () => {
  const late = await token({ exp: DATE - 60 });
  assert.is(outcome(await present(at(ci, bound), late, { keys: noKeys })), 'it is over');
});

shapes('that fits a binding to another issuer is nobody’s: each says what it likes of its own', async () => {
  const both = tenant({
    agents: [
      enrolled(BOT, byWorkload('elsewhere', { sub: 'robot' })),
      enrolled('other-bot', byWorkload('ci', { sub: 'other' })),
    ],
    deployment: deployment({ issuers: [ci, trusted('elsewhere', stranger.url)], persons: [person('olga')] }),
  });
  assert.is(outcome(await present(both, await token())), NOBODY);
});

shapes('of an issuer that two are registered as is nobody’s', async () => {
  const two = tenant({
    agents: [enrolled(BOT, byWorkload('ci', { sub: 'robot' }))],
    deployment: deployment({ issuers: [ci, trusted('again', issuer.url)], persons: [person('olga')] }),
  });
  const refused = 'iss and sub are not one client';
  assert.is(outcome(await present(two, await token(), { keys: noKeys })), refused);
});

shapes('that fits two bindings is refused, since it would choose', async () => {
  const two = { ...bound, 'other-bot': byWorkload('ci', { sub: 'robot', ref: 'main' }) };
  assert.is(outcome(await present(at(ci, two), await token())), `${BOT} by workload`);
  const both = await present(at(ci, two), await token({ ref: 'main' }));
  assert.is(outcome(both), 'two agents here are bound to such a workload');
});

shapes('says nothing while its issuer is out', async () => {
  const proven = await present(at(ci, bound), await token(), {
    keys: { find: () => Promise.resolve({ ok: false, error: 'unavailable' }) },
  });
  assert.equal(proven.ok ? null : [proven.error.failure.code, proven.error.failure.retryAfter], [
    'issuer_unavailable',
    seconds(2),
  ]);
  assert.match(proven.ok ? '' : (proven.error.failure.hint ?? ''), 'its log, at issuer_keys_unavailable');
});

shapes('of a disabled agent, or of one whose owner is gone, gets nothing', async () => {
  const one = (over: Parameters<typeof enrolled>[2], active = true): Snapshot =>
    tenant({
      agents: [enrolled(BOT, byWorkload('ci', { sub: 'robot' }), over)],
      deployment: deployment({ issuers: [ci], persons: [person('olga', active)] }),
    });
  assert.is(outcome(await present(one({ agent: { active: false } }), await token())), 'the agent is disabled');
  const orphan = await present(one({}, false), await token());
  assert.is(orphan.ok ? null : orphan.error.failure.code, 'owner_gone');
});

shapes('stands beside keys: a key’s assertion is still judged by its key', async () => {
  const key = await makeKey('ES256');
  const mixed = at(ci, { ...bound, [BOT]: byKey(key), robot: byWorkload('ci', { sub: 'robot' }) });
  const proven = await present(mixed, await sign(key));
  assert.is(outcome(proven), `${BOT} by private_key_jwt`);
  assert.is(proven.ok && proven.value.oneUse?.jti, 'once');
  assert.is(outcome(await present(mixed, await token())), 'robot by workload');
});

shapes.run();
