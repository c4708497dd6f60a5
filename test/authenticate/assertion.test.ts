/** Client assertions with real keys: PITFALLS 1, 2, 3, 5. */
import * as fc from 'fast-check';
import { base64url, generateSecret, SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorName, PersonName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import { ASSERTION_TYPE, LONGEST_ASSERTION, verifyClientAssertion } from '../../src/authenticate/assertion.ts';
import type { ClientCredentials, VerifiedAssertion } from '../../src/authenticate/assertion.ts';
import type { Proven } from '../../src/authenticate/auth-failure.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { CLIENT_ALGORITHMS } from '../../src/authenticate/jwk.ts';
import { BOT, byKey, byWorkload, DATE, deployment, enrolled, ISSUER, makeKey, NOW, OWNER, person } from './world.ts';
import { PUBLIC_URL, sign, tenant } from './world.ts';

const key = await makeKey('ES256');
const other = await makeKey('ES256');
const api = await makeKey('EdDSA');
const here = tenant({ agents: [enrolled(BOT, byKey(key))], targets: { tickets: api, bare: { ...api, jwk: {} } } });

const verify = (
  assertion: string | null,
  { snapshot = here, ...over }: Partial<ClientCredentials> & { readonly snapshot?: Snapshot } = {},
): Promise<Proven<VerifiedAssertion>> =>
  verifyClientAssertion(
    snapshot,
    { clientId: null, assertionType: ASSERTION_TYPE, assertion, ...over },
    { issuer: ISSUER, now: NOW },
  );

const accepts = async (assertion: Promise<string>, over: Parameters<typeof verify>[1] = {}): Promise<void> => {
  const proven = await verify(await assertion, over);
  assert.ok(proven.ok, proven.ok ? '' : proven.error.why);
};

const refuses = async (
  assertion: string | Promise<string> | null,
  why: string,
  over: Parameters<typeof verify>[1] = {},
): Promise<void> => {
  const proven = await verify(await assertion, over);
  assert.not(proven.ok);
  if (proven.ok) return;
  assert.is(proven.error.why, why);
  assert.equal(
    [proven.error.failure.code, proven.error.failure.detail],
    ['invalid_client', 'The client assertion was not accepted'],
  );
};

const good = suite('a client assertion is accepted');

for (const algorithm of CLIENT_ALGORITHMS) {
  good(`signed with ${algorithm}`, async () => {
    const signing = await makeKey(algorithm);
    await accepts(sign(signing), { snapshot: tenant({ agents: [enrolled(BOT, byKey(signing))] }) });
  });
}

const GOOD: readonly (readonly [what: string, claims: Record<string, unknown>, header?: Record<string, unknown>])[] = [
  ['without typ', {}],
  ['with the typ that says nothing', {}, { typ: 'JWT' }],
  ['with the typ of client assertions', {}, { typ: 'client-authentication+jwt' }],
  ['with a kid', {}, { kid: 'whatever' }],
  ['with its one audience in an array', { aud: [ISSUER] }],
  ['without iat', { iat: undefined }],
  ['from a clock 9 s ahead', { iat: DATE + 9, nbf: DATE + 9, exp: DATE + 69 }],
  ['from a clock a minute ahead', { iat: DATE + 60, nbf: DATE + 60, exp: DATE + 60 + LONGEST_ASSERTION }],
  ['from a clock a minute ahead, without iat', { iat: undefined, exp: DATE + 60 + LONGEST_ASSERTION }],
  ['from a clock 9 s behind, at its very end', { iat: DATE - 69, exp: DATE - 9 }],
  ['whose times hold fractions, as Python writes them', { iat: DATE - 0.0001, nbf: DATE - 0.3, exp: DATE + 60.0001 }],
  ['with the longest life, in fractions', { iat: DATE - 0.0001, exp: DATE - 0.0001 + LONGEST_ASSERTION }],
  ['with the longest life', { exp: DATE + LONGEST_ASSERTION }],
];
for (const [what, claims, header] of GOOD) good(what, () => accepts(sign(key, claims, header)));

good('and says what to spend, as long as it could be shown again', async () => {
  const proven = await verify(await sign(key), { clientId: BOT });
  assert.ok(proven.ok);
  if (!proven.ok) return;
  const { principal, oneUse } = proven.value;
  assert.equal(oneUse, { client: BOT, jti: 'once', until: instant(NOW + 70_000) });
  assert.equal([principal.kind, principal.kind === 'agent' ? principal.by : null], ['agent', 'private_key_jwt']);
});

good('with a fraction in its end is to be remembered to the whole millisecond after it', async () => {
  const proven = await verify(await sign(key, { exp: DATE + 60.0001 }), { clientId: BOT });
  assert.is(proven.ok && proven.value.oneUse.until, NOW + 70_001);
});

good('of a target', async () => {
  const claims = { iss: 'target:tickets', sub: 'target:tickets' };
  const proven = await verify(await sign(api, claims), { clientId: 'target:tickets' });
  assert.equal(proven.ok && proven.value.principal, { kind: 'target', tenant: 'acme', target: 'tickets' });
});

good.run();

const bad = suite('a client assertion is refused');

const WHY = {
  audience: 'not for this issuer alone',
  kind: 'another kind of token in an assertion’s place',
  header: 'a header that is not taken here',
  algorithm: 'an algorithm that is not taken here',
  client: 'iss and sub are not one client',
  key: 'not signed with the enrolled key',
  jti: 'no jti that could be remembered',
  long: 'it lives too long',
  ahead: 'issued in the future',
  unknown: 'no client of that name has a key here',
};

const BAD: readonly (readonly [
  what: string,
  why: string,
  claims: Record<string, unknown>,
  header?: Record<string, unknown>,
])[] = [
  ['for the token endpoint', WHY.audience, { aud: `${ISSUER}/token` }],
  ['for the broker', WHY.audience, { aud: PUBLIC_URL }],
  ['for another tenant', WHY.audience, { aud: `${PUBLIC_URL}/t/globex` }],
  ['for the issuer with a slash', WHY.audience, { aud: `${ISSUER}/` }],
  ['with a second audience', WHY.audience, { aud: [ISSUER, `${ISSUER}/token`] }],
  ['with its audience twice', WHY.audience, { aud: [ISSUER, ISSUER] }],
  ['with no audience', WHY.audience, { aud: undefined }],
  ['with an empty audience', WHY.audience, { aud: [] }],
  ...['at+jwt', 'dpop+jwt', 'secevent+jwt', 'logout+jwt', 'brevet-session+jwt', 'brevet-local+jwt', ''].map(
    (typ) => [`of type "${typ}"`, WHY.kind, {}, { typ }] as const,
  ),
  ['that is a security event without a type', WHY.kind, { events: {} }],
  ['with a key of its own', WHY.header, {}, { jwk: other.jwk }],
  ['with the enrolled key as its own', WHY.header, {}, { jwk: key.jwk }],
  ['with the address of a key', WHY.header, {}, { jku: 'https://evil.example/jwks' }],
  ['with the address of a certificate', WHY.header, {}, { x5u: 'https://evil.example/x5' }],
  ['with a certificate', WHY.header, {}, { x5c: ['AAAA'] }],
  ['with an issuer other than its subject', WHY.client, { iss: 'other-bot' }],
  ['with a subject other than its issuer', WHY.client, { sub: 'other-bot' }],
  ['of nobody known', WHY.unknown, { iss: 'other-bot', sub: 'other-bot' }],
  ['of a name of the prototype', WHY.unknown, { iss: 'constructor', sub: 'constructor' }],
  ['of a target that has no key', 'not signed with the enrolled key', { iss: 'target:bare', sub: 'target:bare' }],
  ['of no target', WHY.unknown, { iss: 'target:x', sub: 'target:x' }],
  ['of a target, by an agent’s key', WHY.key, { iss: 'target:tickets', sub: 'target:tickets' }],
  ['without end', 'no exp', { exp: undefined }],
  ['with an end that is no time', 'no exp', { exp: 'tomorrow' }],
  ['that is over', 'it is over', { iat: DATE - 71, exp: DATE - 11 }],
  ['that is over at this very moment', 'it is over', { iat: DATE - 70, exp: DATE - 10 }],
  ['that lives a second too long', WHY.long, { exp: DATE + LONGEST_ASSERTION + 1 }],
  ['that lives a second too long, without iat', WHY.long, { iat: undefined, exp: DATE + 61 + LONGEST_ASSERTION }],
  ['that lives for ever, without iat', WHY.long, { iat: undefined, exp: DATE + 1e6 }],
  ['that lives for ever, from long ago', WHY.long, { iat: DATE - 1e6, exp: DATE + 60 }],
  ['from a clock 61 s ahead', WHY.ahead, { iat: DATE + 61, exp: DATE + 121 }],
  ['not to be used for another 61 s', WHY.ahead, { nbf: DATE + 61 }],
  ['with an iat that is no time', 'an iat or nbf that is no time', { iat: '0' }],
  ['without jti', WHY.jti, { jti: undefined }],
  ['with an empty jti', WHY.jti, { jti: '' }],
  ['with a jti that is no text', WHY.jti, { jti: 1 }],
  ['with a jti too long to remember', WHY.jti, { jti: 'x'.repeat(257) }],
  ['with a jti that Postgres cannot keep', WHY.jti, { jti: 'a\0b' }],
];
for (const [what, why, claims, header] of BAD) bad(what, () => refuses(sign(key, claims, header), why));

bad('signed with another key', () => refuses(sign(other), WHY.key));

bad('signed with an algorithm that does not fit the key', async () => {
  const rsa = await makeKey('RS256');
  await refuses(sign(rsa), WHY.key);
  const only = { ...rsa, jwk: { ...rsa.jwk, alg: 'PS256' } };
  await refuses(sign(rsa), WHY.key, { snapshot: tenant({ agents: [enrolled(BOT, byKey(only))] }) });
});

for (const algorithm of ['RS384', 'PS384', 'RS512', 'PS512']) {
  bad(`signed with ${algorithm}, which is for issuers`, async () => {
    const signing = await makeKey(algorithm);
    const snapshot = tenant({ agents: [enrolled(BOT, byKey(signing))] });
    await refuses(sign(signing), 'an algorithm that no client signs by here', { snapshot });
  });
}

bad('signed by nobody, or with the public key as a secret', async () => {
  const [, body = ''] = (await sign(key)).split('.');
  const none = base64url.encode(JSON.stringify({ alg: 'none' }));
  await refuses(`${none}.${body}.`, 'not a signed JWT in compact form');
  await refuses(`${none}.${body}.AAAA`, WHY.algorithm);
  const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
  const claims = { iss: BOT, sub: BOT, aud: ISSUER, exp: DATE + 60, jti: 'x' };
  await refuses(new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret), WHY.algorithm);
  await refuses(
    new SignJWT(claims).setProtectedHeader({ alg: 'HS512' }).sign(await generateSecret('HS512')),
    WHY.algorithm,
  );
});

bad('with a critical extension', async () => {
  const [, body = '', signature = ''] = (await sign(key)).split('.');
  const head = base64url.encode(JSON.stringify({ alg: 'ES256', crit: ['exp'], exp: 1 }));
  await refuses(`${head}.${body}.${signature}`, WHY.header);
});

bad('presented by another client, or as another type', async () => {
  await refuses(sign(key), 'another client than the one that signed', { clientId: 'other-bot' });
  await refuses(sign(key), 'not an assertion type that is taken here', { assertionType: null });
  await refuses(sign(key), 'not an assertion type that is taken here', {
    assertionType: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
  });
});

bad('with other claims than were signed', async () => {
  const [head = '', , signature = ''] = (await sign(key)).split('.');
  const [, body = ''] = (await sign(other, { jti: 'twice' })).split('.');
  await refuses(`${head}.${body}.${signature}`, WHY.key);
});

bad('with a signature of any other length', async () => {
  const [head = '', body = '', signature = ''] = (await sign(key)).split('.');
  for (let length = 1; length < signature.length; length++) {
    const why = length % 4 === 1 ? 'not a signed JWT in compact form' : WHY.key;
    await refuses(`${head}.${body}.${signature.slice(0, length)}`, why);
  }
  await refuses(`${head}.${body}.${signature}AAAA`, WHY.key);
});

bad('of a key that is no point of its curve', async () => {
  const off = { ...key, jwk: { ...key.jwk, x: 'A'.repeat(43) } };
  await refuses(sign(key), WHY.key, { snapshot: tenant({ agents: [enrolled(BOT, byKey(off))] }) });
});

bad('of an agent that is disabled, bound to a workload, or past its exception', async () => {
  const proof = byKey(key);
  const one = (over: Parameters<typeof enrolled>[2]) => ({
    snapshot: tenant({ agents: [enrolled(BOT, proof, over)] }),
  });
  await refuses(sign(key), 'the agent is disabled', one({ agent: { active: false } }));
  const bound = tenant({ agents: [enrolled(BOT, byWorkload('ci', { sub: 'x' }))] });
  await refuses(sign(key), WHY.unknown, { snapshot: bound });
  const exception = { reason: 'migration', author: 'ada' as OperatorName, until: NOW };
  await refuses(sign(key), 'the exception that the key stood on has ended', one({ enrolment: { exception } }));
  await accepts(sign(key), one({ enrolment: { exception: { ...exception, until: instant(NOW + 1) } } }));
});

for (const kind of ['embedded', 'planned'] as const) {
  bad(`of an agent of the kind ${kind}, which is only listed`, async () => {
    await refuses(sign(key), 'the agent is of a kind that is only listed', {
      snapshot: tenant({ agents: [enrolled(BOT, byKey(key), { agent: { kind } })] }),
    });
  });
}

bad('of an agent whose owner went, and whom nobody has accepted since', async () => {
  const snapshot = tenant({ agents: [enrolled(BOT, byKey(key), { agent: { leftBy: 'gone' as PersonName } })] });
  const proven = await verify(await sign(key), { snapshot });
  assert.is(proven.ok ? null : proven.error.failure.code, 'owner_gone');
});

bad('of an agent whose owner is gone: told so, but only to the agent', async () => {
  for (const persons of [[], [person(OWNER, false)]]) {
    const snapshot = tenant({ agents: [enrolled(BOT, byKey(key))], deployment: deployment({ persons }) });
    const proven = await verify(await sign(key), { snapshot });
    assert.is(proven.ok ? null : proven.error.failure.code, 'owner_gone');
    await refuses(sign(other), WHY.key, { snapshot });
  }
});

bad.run();

const fuzz = suite('whatever is presented');

const part = fc.oneof(
  fc.string(),
  fc.json().map((text) => base64url.encode(text)),
  fc.uint8Array().map((bytes) => base64url.encode(bytes)),
  fc
    .record({ alg: fc.constantFrom('ES256', 'none', 'HS256', 7), typ: fc.anything(), kid: fc.anything() })
    .map((head) => base64url.encode(JSON.stringify(head))),
);
const anyClaims = fc.dictionary(fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti'), fc.jsonValue());

fuzz('the parser never throws, and accepts none of it', async () => {
  const tokens = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(tokens, async (token) => !(await verify(token)).ok),
    { numRuns: 2_000 },
  );
});

fuzz('the claims’ reader never throws', async () => {
  const property = fc.asyncProperty(anyClaims, async (claims) => {
    const proven = await verify(await sign(key, claims));
    return proven.ok || proven.error.why !== WHY.key;
  });
  await fc.assert(property, { numRuns: 300 });
});

fuzz.run();
