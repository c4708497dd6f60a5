import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalBytes, canonicalDigest, canonicalText } from '../../src/core/canonical.ts';
import type { Json } from '../../src/core/canonical.ts';
import { fromHex, sha256Hex, toHex } from '../../src/core/digest.ts';
import { vectors } from '../vectors/load.ts';

const published = vectors('rfc8785') as {
  documents: { input: string; hex: string }[];
  order: { input: string; values: string[] };
  numbers: [bits: string, text: string][];
  refused: string[];
};

const numberOf = (bits: string): number => new DataView(fromHex(bits).buffer).getFloat64(0);

const canonical = suite('canonical JSON');

for (const { input, hex } of published.documents) {
  canonical('a published document has the published bytes', () => {
    const bytes = canonicalBytes(JSON.parse(input) as Json);
    assert.is(toHex(bytes), hex);
    assert.is(canonicalDigest(JSON.parse(input) as Json), sha256Hex(bytes));
  });
}

canonical('names stand in the order of their UTF-16 units', () => {
  const text = canonicalText(JSON.parse(published.order.input) as Json);
  const found = [...text.matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
  assert.equal(found, published.order.values);
});

for (const [bits, text] of published.numbers) {
  canonical(`the number ${bits} is written ${text}`, () => {
    assert.is(canonicalText(numberOf(bits)), text);
  });
}

for (const bits of published.refused) {
  canonical(`the number ${bits} is refused`, () => {
    assert.throws(() => canonicalText(numberOf(bits)));
  });
}

canonical('a member that is undefined is left out, and nothing else is', () => {
  assert.is(canonicalText({ b: null, a: undefined, c: '' }), '{"b":null,"c":""}');
});

canonical.run();
