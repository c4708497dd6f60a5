/**
 * Brevet, and an API that verifies its tokens, with clocks a minute apart. Whoever asks Brevet goes by Brevet's clock: a
 * dead token is dead at once, whatever the API's says. Whoever checks offline goes by its own, and a token says when it
 * was made and when it ends, and never from when on it is good, so that none is refused for being early.
 */
import { importJWK, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ahead, clientForm, issuerOf, must, PERMITTED, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const MINUTE_S = 60;
const AUDIENCE = 'https://gate.acme.example';

const app = await testApp();
/** A node at the same database, later by so much: what happens to a token in that time is seen without waiting for it. */
let later = 0;
const node = await app.node({ deps: ahead(() => later) });

const skew = suite('clocks a minute apart');
skew.after(() => app.close());
skew.before.each(() => {
  later = 0;
});

interface Issued {
  readonly token: string;
  readonly lease: string;
}

async function issued(more: object = {}): Promise<Issued> {
  const asked = { token: await app.session(), body: { ...PERMITTED, ...more } };
  const { lease, credential } = must(await app.call('POST', '/t/acme/requests', asked)).body as {
    readonly lease: { readonly id: string };
    readonly credential: { readonly access_token: string };
  };
  return { token: credential.access_token, lease: lease.id };
}

/** By an assertion that the API has signed by its own clock, as any client library does. */
async function asks(token: string, off: number, at: TestNode = app, claims: object = {}): Promise<Answer> {
  const now = Math.floor(Date.now() / 1000) + later / 1000 + off;
  const assertion = await app.assertion('target:tickets', 'acme', { iat: now, exp: now + MINUTE_S, ...claims });
  return at.call('POST', '/t/acme/introspect', { form: clientForm(assertion, { token }) });
}

for (const [what, off, claims] of [
  ['a minute behind', -MINUTE_S, {}],
  ['a minute ahead, which says when it made its assertion', MINUTE_S, {}],
  ['a minute ahead, which says when its assertion ends and not when it was made', MINUTE_S, { iat: undefined }],
] as const) {
  skew(`an API ${what}, is told by Brevet’s clock`, async () => {
    const { token, lease } = await issued();
    assert.is(must(await asks(token, off, app, claims)).body['active'], true);
    later = 240_000;
    assert.is(must(await asks(token, off, node, claims)).body['active'], true);
    later = 301_000;
    assert.equal(
      must(await asks(token, off, node, claims)).body,
      { active: false },
      'over, though not by its own clock',
    );
    later = 0;
    const session = await app.session();
    must(await app.call('POST', `/t/acme/leases/${lease}/revoke`, { token: session, body: { reason: 'Enough' } }));
    assert.equal(must(await asks(token, off, app, claims)).body, { active: false });
  });
}

skew(
  'an API more than a minute ahead, which says when it made its assertion, is told nothing, and so takes nothing',
  async () => {
    const { token } = await issued();
    const refused = await asks(token, MINUTE_S + 5);
    assert.equal([refused.status, refused.body['error'], refused.body['active']], [401, 'invalid_client', undefined]);
  },
);

/** An API's own check, by its own clock, without leeway. @returns why it refuses, or that it takes it. */
async function checked(token: string, off: number): Promise<string> {
  const { keys } = must(await app.call('GET', '/t/acme/jwks')).body as { readonly keys: readonly JWK[] };
  const key = await importJWK({ ...keys.find(({ alg }) => alg === 'EdDSA') }, 'EdDSA');
  const currentDate = new Date(Date.now() + off * 1000);
  const expected = { issuer: issuerOf('acme'), audience: AUDIENCE, typ: 'at+jwt', currentDate };
  return jwtVerify(token, key, expected).then(
    () => 'taken',
    (fault: unknown) => (fault instanceof Error && 'code' in fault ? String(fault.code) : String(fault)),
  );
}

skew('an API that checks offline takes a fresh token while behind, and none that is over while ahead', async () => {
  const { token } = await issued({ resource: 'gate', ttl: MINUTE_S });
  assert.is(await checked(token, -MINUTE_S), 'taken', 'a token from its future');
  assert.is(await checked(token, 0), 'taken');
  assert.is(await checked(token, MINUTE_S), 'ERR_JWT_EXPIRED', 'too early rather than too late');
  assert.is(await checked(token, MINUTE_S / 2), 'taken', 'for what is left of it');
});

skew('an API that checks offline takes a token for longer by as much as it is behind, and no more', async () => {
  const { token } = await issued({ resource: 'gate', ttl: 1 });
  assert.is(await checked(token, 2 - MINUTE_S), 'taken');
  assert.is(await checked(token, MINUTE_S), 'ERR_JWT_EXPIRED');
});

skew.run();
