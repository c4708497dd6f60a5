/** What Brevet shows a Vault: what it was given, or a JWT of its own that no agent can hold one like. */
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../../src/core/ids.ts';
import type { TargetVersion } from '../../../src/core/registers.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Signer } from '../../../src/core/signer.ts';
import { instant } from '../../../src/core/time.ts';
import { jwtProvider } from '../../../src/providers/jwt.ts';
import { parseVaultConfig } from '../../../src/providers/vault/config.ts';
import { secretsOf } from '../../../src/providers/vault/secret.ts';
import { audienceOf, signInOf, SIGN_IN_TYPE, subjectOf } from '../../../src/providers/vault/sign-in.ts';
import { parseName } from '../../../src/core/ids.ts';
import { random } from '../../support/target.ts';
import { GOOD } from './target.ts';

const PUBLIC_URL = 'https://brevet.example';
const NOW = instant(Date.parse('2026-03-01T12:00:00Z'));
const version = { tenant: 'acme', name: 'vault' } as unknown as TargetVersion;

const pair = await generateKeyPair('EdDSA', { extractable: true });
const publicKey = await importJWK(await exportJWK(pair.publicKey), 'EdDSA');
const asked: (readonly [tenant: TenantName, type: string])[] = [];
const signer: Signer = {
  sign: (tenant, typ, claims) => {
    asked.push([tenant, typ]);
    return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ }).sign(pair.privateKey);
  },
  keys: () => Promise.resolve([]),
};

function shown(auth: object, secret: Secret | null): Promise<Readonly<Record<string, unknown>>> {
  const config = parseVaultConfig({ ...GOOD, auth }, false);
  if (!config.ok) throw new Error(config.error.detail);
  const by = { signer, publicUrl: PUBLIC_URL, clock: () => NOW, random };
  return signInOf(config.value, secretsOf(secret), version, by)();
}

const signsIn = suite('the sign-in at a Vault');

for (const [what, auth, expected] of [
  ['an AppRole', GOOD.auth, { role_id: 'b1946ac9', secret_id: 'given' }],
  ['a JWT of somebody else’s', { method: 'jwt', role: 'brevet' }, { role: 'brevet', jwt: 'given' }],
] as const) {
  signsIn(`by ${what} shows the target’s secret, and without one nothing`, async () => {
    assert.equal(await shown(auth, new Secret('given')), expected);
    for (const secret of [null, new Secret('{"passwords":{}}')]) {
      const why = await shown(auth, secret).then(() => 'shown', String);
      assert.match(why, /^ProviderUnavailable: the target/);
    }
  });
}

const OWN = { method: 'jwt', role: 'brevet', signed_by: 'brevet' } as const;

signsIn('by a JWT of its own needs no secret, and is for this cluster and this target, for a minute', async () => {
  const { role, jwt } = await shown(OWN, null);
  assert.is(role, 'brevet');
  const { payload, protectedHeader } = await jwtVerify(String(jwt), publicKey, { currentDate: new Date(NOW) });
  const { jti, ...claims } = payload;
  assert.equal(claims, {
    iss: `${PUBLIC_URL}/t/acme`,
    sub: 'brevet:vault',
    aud: `vault/${GOOD.cluster_id}`,
    iat: NOW / 1000,
    exp: NOW / 1000 + 60,
  });
  assert.equal([protectedHeader.typ, asked.at(-1)], [SIGN_IN_TYPE, ['acme', SIGN_IN_TYPE]]);
  assert.match(String(jti), /^[0-9a-f]{32}$/);
  assert.not.equal((await shown(OWN, new Secret('{"passwords":{}}')))['jwt'], jwt, 'anew each time');
});

signsIn('by a JWT of its own is by one that no agent and no API can be called like', () => {
  const request = () => Promise.reject(new Error('nobody is asked'));
  const tokens = jwtProvider({ signer, publicUrl: PUBLIC_URL, request, clock: () => NOW });
  const context = { tenant: 'acme' as TenantName, publicUrl: PUBLIC_URL, externalId: '0'.repeat(32) };
  const parsed = tokens.parse({ audience: audienceOf(GOOD), checks: 'offline' }, context);
  assert.is(!parsed.ok && parsed.error.path, 'audience');
  assert.is(parseName('agent', subjectOf(version)).ok, false);
});

signsIn.run();
