/** Signatures on P-256 and by Ed25519: held against published ones, and against WebCrypto's, which has the same form. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64url, toBase64url } from '../../src/core/base64url.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import { utf8 } from '../../src/core/digest.ts';
import { signerOf, verifierOf } from '../../src/core/elliptic.ts';
import type { EllipticAlgorithm } from '../../src/core/elliptic.ts';
import { vectors } from '../vectors/load.ts';

interface Published {
  readonly source: string;
  readonly algorithm: EllipticAlgorithm;
  readonly jwk: JsonObject;
  readonly signed: string;
  readonly signature: string;
}
const published = vectors('jws') as readonly Published[];

const signatures = suite('elliptic signatures');

for (const { source, algorithm, jwk, signed, signature } of published) {
  const verifies = verifierOf(jwk, algorithm);
  signatures(`${source}: verifies, and nothing else does`, async () => {
    assert.ok(verifies);
    if (verifies === null) return;
    assert.is(await verifies(utf8(signed), fromBase64url(signature)), true);
    assert.is(await verifies(utf8(`${signed}.`), fromBase64url(signature)), false);
    const bytes = fromBase64url(signature);
    for (const at of [0, 31, 32, 63]) {
      const bent = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));
      assert.is(await verifies(utf8(signed), bent), false, `bent at ${at}`);
    }
    for (const other of [bytes.slice(1), Uint8Array.of(...bytes, 0), new Uint8Array(64), new Uint8Array()]) {
      assert.is(await verifies(utf8(signed), other), false);
    }
  });
}

const [, ed25519] = published;
signatures('Ed25519 signs as it is published', async () => {
  assert.ok(ed25519);
  if (ed25519 === undefined) return;
  const made = await signerOf(ed25519.jwk, 'EdDSA')(utf8(ed25519.signed));
  assert.is(toBase64url(made), ed25519.signature);
});

const WEB = {
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, sign: { name: 'ECDSA', hash: 'SHA-256' } },
  EdDSA: { key: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
} as const;
/** DER leaves out the zeros before a number, which one signature in 128 has. */
const hasZeros = (signature: Uint8Array): boolean => signature[0] === 0 || signature[32] === 0;
const ROUNDS = 100;

for (const algorithm of ['ES256', 'EdDSA'] as const) {
  signatures(`${algorithm}: what WebCrypto signs is verified, and it verifies what is signed`, async () => {
    const { key, sign } = WEB[algorithm];
    const pair = await crypto.subtle.generateKey(key, true, ['sign', 'verify']);
    assert.ok('privateKey' in pair);
    if (!('privateKey' in pair)) return;
    const verifies = verifierOf((await crypto.subtle.exportKey('jwk', pair.publicKey)) as JsonObject, algorithm);
    const signs = signerOf((await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonObject, algorithm);
    const met = { theirs: false, ours: false };
    for (let round = 0; round < ROUNDS || !(met.theirs && met.ours); round++) {
      const bytes = new Uint8Array(utf8(`what is signed ${round}`));
      const theirs = new Uint8Array(await crypto.subtle.sign(sign, pair.privateKey, bytes));
      const ours = new Uint8Array(await signs(bytes));
      assert.is(await verifies?.(bytes, theirs), true, toBase64url(theirs));
      assert.is(await crypto.subtle.verify(sign, pair.publicKey, ours, bytes), true, toBase64url(ours));
      met.theirs ||= hasZeros(theirs);
      met.ours ||= hasZeros(ours);
    }
  });
}

signatures('a point off its curve is no key', () => {
  const jwk = published[0]?.jwk ?? {};
  assert.is(verifierOf({ ...jwk, x: jwk['y'] }, 'ES256'), null);
  assert.is(verifierOf({}, 'EdDSA'), null);
});

signatures.run();
