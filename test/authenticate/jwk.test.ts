/** Which public keys are taken, for what, and by what name. */
import { base64url, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/canonical.ts';
import { algorithmsOf, CLIENT_ALGORITHMS, parsePublicKey } from '../../src/authenticate/jwk.ts';

const exported = async (algorithm: string, options = {}): Promise<{ open: JWK; secret: JWK }> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, ...options });
  return { open: await exportJWK(publicKey), secret: await exportJWK(privateKey) };
};

const p256 = await exported('ES256');
const p384 = await exported('ES384');
const p521 = await exported('ES512');
const ed25519 = await exported('EdDSA');
const rsa = await exported('RS256');
const long = await exported('RS256', { modulusLength: 4096 });

const OF_RSA = ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'];

const keys = suite('a key');

const FITTING: readonly (readonly [what: string, jwk: JsonObject, algorithms: readonly string[]])[] = [
  ['P-256', p256.open, ['ES256']],
  ['Ed25519', ed25519.open, ['EdDSA']],
  ['Ed25519 by its newer name', { ...ed25519.open, alg: 'Ed25519' }, ['EdDSA']],
  ['P-256 by the name of another', { ...p256.open, alg: 'Ed25519' }, []],
  ['RSA', rsa.open, OF_RSA],
  ['RSA of 4,096 bits', long.open, OF_RSA],
  ['RSA for PS256 alone', { ...rsa.open, alg: 'PS256' }, ['PS256']],
  ['RSA for RS512 alone', { ...rsa.open, alg: 'RS512' }, ['RS512']],
  ['P-256 for signatures', { ...p256.open, use: 'sig', key_ops: ['verify'] }, ['ES256']],
  ['P-384', p384.open, ['ES384']],
  ['P-521', p521.open, ['ES512']],
  ['P-384 as long as P-256', { ...p384.open, x: p256.open.x, y: p256.open.y }, []],
  ['P-256 as long as P-384', { ...p256.open, x: p384.open.x, y: p384.open.y }, []],
  ['a curve that there is not', { ...p256.open, crv: 'constructor' }, []],
  ['P-384 for ES256', { ...p384.open, alg: 'ES256' }, []],
  ['P-256 for ES384', { ...p256.open, alg: 'ES384' }, []],
  ['P-256 for HS256', { ...p256.open, alg: 'HS256' }, []],
  ['P-256 for encryption', { ...p256.open, use: 'enc' }, []],
  ['P-256 for deriving', { ...p256.open, key_ops: ['deriveKey'] }, []],
  ['a secret', { kty: 'oct', k: 'AAAA' }, []],
  ['RSA of 1,024 bits', { ...rsa.open, n: rsa.open.n?.slice(0, 171) }, []],
  [
    'RSA of 1,024 bits, with zeros before them',
    { ...rsa.open, n: `${'A'.repeat(172)}${rsa.open.n?.slice(0, 170)}` },
    [],
  ],
  ['RSA whose signatures anybody makes', { ...rsa.open, e: 'AQ' }, []],
  ['RSA whose signatures anybody makes, with zeros', { ...rsa.open, e: 'AAAB' }, []],
  ['RSA with an even exponent', { ...rsa.open, e: 'AQAC' }, []],
  ['RSA with an exponent of 3', { ...rsa.open, e: 'Aw' }, OF_RSA],
  ['RSA of nothing', { ...rsa.open, n: 'A'.repeat(342) }, []],
  ['RSA of absurd length', { ...rsa.open, n: 'A'.repeat(2_000) }, []],
  ['half a point', { ...p256.open, y: undefined }, []],
  ['nothing', {}, []],
];
for (const [what, jwk, algorithms] of FITTING) {
  keys(`${what} fits [${algorithms.join(', ')}]`, () => assert.equal(algorithmsOf(jwk), algorithms));
  const enrolled = algorithms.some((name) => CLIENT_ALGORITHMS.some((taken) => taken === name));
  keys(`${what} is ${enrolled ? '' : 'not '}enrolled`, () => assert.is(parsePublicKey(jwk).ok, enrolled));
}

for (const [what, jwk] of [
  ['P-256', p256.secret],
  ['Ed25519', ed25519.secret],
  ['RSA', rsa.secret],
] as const) {
  keys(`the private ${what} key is refused, and not told again`, () => {
    const parsed = parsePublicKey(jwk);
    assert.is(parsed.ok ? null : parsed.error.detail, 'jwk is not a public key');
    assert.is(JSON.stringify(parsed).includes(jwk.d ?? 'no d'), false);
  });
}

keys('is kept as the key alone, and named as RFC 7638 says', async () => {
  for (const { open } of [p256, ed25519, rsa]) {
    const parsed = parsePublicKey({ ...open, kid: 'mine', use: 'sig', note: 'x' });
    assert.ok(parsed.ok);
    if (!parsed.ok) continue;
    assert.equal(parsed.value.jwk, open);
    assert.is(parsed.value.thumbprint, await calculateJwkThumbprint(open));
  }
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Its last character holds bits that say nothing. */
const otherwise = (text = ''): string => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1) ?? '') ^ 1];
/** A zero before it, as Java writes numbers. */
const withZero = (text = ''): string => base64url.encode(Uint8Array.from([0, ...base64url.decode(text)]));

const WRITTEN: readonly (readonly [what: string, jwk: JWK, written: JWK])[] = [
  ['Ed25519', ed25519.open, { x: otherwise(ed25519.open.x) }],
  ['P-256, across', p256.open, { x: otherwise(p256.open.x) }],
  ['P-256, up', p256.open, { y: otherwise(p256.open.y) }],
  ['RSA', rsa.open, { n: otherwise(rsa.open.n) }],
  ['RSA with a zero', rsa.open, { n: withZero(rsa.open.n) }],
  ['RSA with a zero in its exponent', rsa.open, { e: withZero(rsa.open.e) }],
];
for (const [what, jwk, written] of WRITTEN) {
  keys(`${what} is one key, however it is written`, () => {
    assert.not.equal({ ...jwk, ...written }, jwk);
    assert.equal(parsePublicKey({ ...jwk, ...written }), parsePublicKey(jwk));
  });
}

for (const value of [null, undefined, 'x', 7, [], [p256.open]]) {
  keys(`${JSON.stringify(value)?.slice(0, 20)} is none`, () => assert.is(parsePublicKey(value).ok, false));
}

keys.run();
