/** A local token by itself; from where it may come is the operator's test. */
import { SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorName } from '../../src/core/ids.ts';
import { LOCAL_TOKEN_TYPE, signLocalToken, verifyLocalToken } from '../../src/authenticate/local-token.ts';
import { DATE, keyring, makeDeps, makeKey, NOW, PUBLIC_URL } from './world.ts';

const deps = makeDeps(await makeKey('ES256'));

const tokens = suite('a local token');

tokens('says by its claims what it is', async () => {
  const token = await signLocalToken(deps, 'ada' as OperatorName);
  const [head = '', body = ''] = token.reveal().split('.');
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  assert.is(read(head)['typ'], LOCAL_TOKEN_TYPE);
  const { jti, ...claims } = read(body);
  const to = { iss: PUBLIC_URL, aud: PUBLIC_URL, sub: 'ada' };
  assert.equal(claims, { ...to, amr: ['local'], iat: Math.floor(DATE), exp: Math.floor(DATE) + 600 });
  assert.match(String(jti), /^[0-9a-f]{32}$/);
  assert.equal(await verifyLocalToken(deps, token.reveal(), NOW), { ok: true, value: 'ada' });
});

const FORGED: readonly (readonly [what: string, header: Record<string, unknown>, claims: Record<string, unknown>])[] = [
  ['of another kind', { typ: 'at+jwt' }, {}],
  ['of no kind', { typ: undefined }, {}],
  ['with another algorithm', { alg: 'HS512' }, {}],
  ['of a name of the wrong form', {}, { sub: 'Ada L' }],
  ['of nobody', {}, { sub: undefined }],
  ['without end', {}, { exp: undefined }],
  ['without jti', {}, { jti: undefined }],
  ['of the future', {}, { iat: DATE + 60 }],
  ['for another broker', {}, { aud: 'https://other.example' }],
  ['for nobody', {}, { aud: undefined }],
  ['of another broker', {}, { iss: 'https://other.example' }],
];
for (const [what, header, claims] of FORGED) {
  tokens(`${what} is refused`, async () => {
    const key = keyring.derive('local token answer');
    const good = { iss: PUBLIC_URL, aud: PUBLIC_URL, sub: 'ada', iat: DATE, exp: DATE + 60, jti: 'x' };
    const text = await new SignJWT({ ...good, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: LOCAL_TOKEN_TYPE, ...header })
      .sign(key);
    assert.is((await verifyLocalToken(deps, text, NOW)).ok, false);
  });
}

tokens.run();
