import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { equalInConstantTime, fromHex, hmacSha256, sha256Hex, toHex, utf8 } from '../../src/core/digest.ts';
import { vectors } from '../vectors/load.ts';

const published = vectors('sha256') as {
  sha256: { text: string; hex: string }[];
  hmac: { case: number; key: string; data: string; hex: string }[];
};

const digests = suite('digests');

for (const { text, hex } of published.sha256) {
  digests(`SHA-256 of «${text}» is the published one`, () => {
    assert.is(sha256Hex(text), hex);
    assert.is(sha256Hex(utf8(text)), hex);
  });
}

digests('SHA-256 of a million letters is the published one', () => {
  assert.is(sha256Hex('a'.repeat(1_000_000)), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

for (const { case: number, key, data, hex } of published.hmac) {
  digests(`HMAC-SHA-256 of case ${number} is the published one`, () => {
    assert.is(toHex(hmacSha256(fromHex(key), fromHex(data))), hex);
  });
}

digests('hex is read back as it was written, for every byte', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.is(toHex(bytes).length, 512);
  assert.equal(fromHex(toHex(bytes)), bytes);
});

const PAIRS: readonly (readonly [a: string, b: string, equal: boolean])[] = [
  ['', '', true],
  ['same', 'same', true],
  ['same', 'sane', false],
  ['same', 'Same', false],
  ['same', 'sam', false],
  ['', 'x', false],
];
for (const [a, b, equal] of PAIRS) {
  digests(`«${a}» and «${b}» are ${equal ? '' : 'not '}equal`, () => {
    assert.is(equalInConstantTime(utf8(a), utf8(b)), equal);
  });
}

digests.run();
