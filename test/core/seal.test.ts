import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKeyring, WrongDeploymentKey } from '../../src/core/seal.ts';
import type { Purpose, SealedSecret } from '../../src/core/seal.ts';
import { toHex, utf8 } from '../../src/core/digest.ts';
import { Secret } from '../../src/core/secret.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const KEY = random(32);
const PURPOSE: Purpose = { tenant: 'acme', use: 'target-secret', subject: 'shop-db' };
const VALUE = 'correct horse battery staple';

const seal = suite('sealed secrets');

seal('are opened by the key and for the purpose that sealed them', async () => {
  const sealed = await (await createKeyring(KEY, random)).seal(PURPOSE, new Secret(VALUE));
  const opened = await (await createKeyring(KEY, random)).open(PURPOSE, sealed);
  assert.is(opened.reveal(), VALUE);
});

seal('show nothing of what they hold', async () => {
  const sealed = await (await createKeyring(KEY, random)).seal(PURPOSE, new Secret(VALUE));
  for (const form of [VALUE, toHex(utf8(VALUE)), Buffer.from(VALUE).toString('base64')]) {
    assert.not.ok(sealed.includes(form));
  }
  assert.not.ok(sealed.includes(toHex(KEY)));
});

seal('are never the same twice', async () => {
  const ring = await createKeyring(KEY, random);
  const sealed = await Promise.all(Array.from({ length: 50 }, () => ring.seal(PURPOSE, new Secret(VALUE))));
  assert.is(new Set(sealed.map((one) => one.split('.')[1])).size, 50);
});

const ELSEWHERE: Readonly<Record<string, Purpose>> = {
  'another tenant': { ...PURPOSE, tenant: 'northwind' },
  'no tenant': { ...PURPOSE, tenant: '' },
  'another use': { ...PURPOSE, use: 'lease-secret' },
  'another subject': { ...PURPOSE, subject: 'other-db' },
  // The fields are told apart, whatever stands in them.
  'fields that run together': { ...PURPOSE, tenant: 'acme","target-secret', subject: 'shop-db' },
};
for (const [what, purpose] of Object.entries(ELSEWHERE)) {
  seal(`do not open for ${what}`, async () => {
    const ring = await createKeyring(KEY, random);
    const sealed = await ring.seal(PURPOSE, new Secret(VALUE));
    await refuses(() => ring.open(purpose, sealed));
  });
}

seal('do not open under another key, which is named', async () => {
  const ring = await createKeyring(KEY, random);
  const other = await createKeyring(random(32), random);
  const sealed = await ring.seal(PURPOSE, new Secret(VALUE));
  const fault = await refuses(() => other.open(PURPOSE, sealed));
  assert.match(fault.message, ring.keyId);
  assert.match(fault.message, other.keyId);
});

seal('do not open under another key that bears this one’s name', async () => {
  const ring = await createKeyring(KEY, random);
  const other = await createKeyring(random(32), random);
  const sealed = (await ring.seal(PURPOSE, new Secret(VALUE))).replace(ring.keyId, other.keyId) as SealedSecret;
  await refuses(() => other.open(PURPOSE, sealed));
});

seal('do not open once one character is another', async () => {
  const ring = await createKeyring(KEY, random);
  const sealed = await ring.seal(PURPOSE, new Secret('x'));
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice(0, at) + (sealed[at] === '0' ? '1' : '0') + sealed.slice(at + 1);
    await refuses(() => ring.open(PURPOSE, changed as SealedSecret));
  }
});

for (const broken of ['', '.', '..', 'zz.zz.zz', `${'0'.repeat(16)}..`]) {
  seal(`«${broken}» does not open`, async () => {
    const ring = await createKeyring(KEY, random);
    await refuses(() => ring.open(PURPOSE, broken as SealedSecret));
  });
}

for (const length of [0, 16, 31, 33, 64]) {
  seal(`a deployment key of ${length} bytes is refused`, async () => {
    await refuses(() => createKeyring(random(length), random));
  });
}

seal('keys derived for two uses are two, and none is the key', async () => {
  const ring = await createKeyring(KEY, random);
  const derived = ['cursor', 'idempotency', 'local token'].map((use) => toHex(ring.derive(use)));
  assert.is(new Set([...derived, toHex(KEY)]).size, 4);
  assert.not.ok(derived.some((one) => one.startsWith(ring.keyId)));
});

async function refuses(action: () => Promise<unknown>): Promise<Error> {
  try {
    await action();
  } catch (fault) {
    assert.instance(fault, WrongDeploymentKey);
    const told = fault as Error;
    assert.not.match(told.message, VALUE);
    return told;
  }
  throw new Error('it opened');
}

seal.run();
