import { base64url } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64url, toBase64url } from '../../src/core/base64url.ts';

/** @see RFC 4648 section 10, without its padding */
const PUBLISHED: readonly (readonly [text: string, encoded: string])[] = [
  ['', ''],
  ['f', 'Zg'],
  ['fo', 'Zm8'],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg'],
  ['fooba', 'Zm9vYmE'],
  ['foobar', 'Zm9vYmFy'],
];

const encoding = suite('base64url');

for (const [text, encoded] of PUBLISHED) {
  encoding(`«${text}» is «${encoded}»`, () => {
    assert.is(toBase64url(text), encoded);
    assert.is(new TextDecoder().decode(fromBase64url(encoded)), text);
  });
}

encoding('takes every byte, of a part of a buffer too, and gives it back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.is(toBase64url(bytes), base64url.encode(bytes));
  assert.is(toBase64url(bytes.subarray(250)), base64url.encode(bytes.slice(250)));
  assert.equal(fromBase64url(toBase64url(bytes)), bytes);
});

encoding('takes a text as its UTF-8', () =>
  assert.is(toBase64url('ü→𝄞'), base64url.encode(new TextEncoder().encode('ü→𝄞'))),
);

encoding.run();
