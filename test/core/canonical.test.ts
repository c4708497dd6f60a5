import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalBytes, canonicalDigest, canonicalText } from '../../src/core/canonical.ts';
import type { Json } from '../../src/core/canonical.ts';
import { fromHex, sha256Hex, toHex } from '../../src/core/digest.ts';
import { vectors } from '../vectors/load.ts';
import { CHARACTER } from '../support/text.ts';

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

/** What any object can be: names of every kind come up, those that are numbers or a prototype too. */
const names = fc.oneof(
  fc.string({ unit: CHARACTER, maxLength: 4 }),
  fc.constantFrom('__proto__', 'toJSON', '0', '10', '9', '-1', '01', '', 'a', 'ﬀ', '𐐷', '\ud800'),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(fc.constant(null), fc.boolean(), fc.double(), fc.integer(), names),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('json')), { maxLength: 12 }).map((members) => Object.fromEntries(members)),
  ),
}));

canonical('whatever it is, it has the text that the library gives it, or is refused as there', () => {
  const outcome = (write: (value: Json) => unknown, value: Json): unknown => {
    try {
      return write(value);
    } catch {
      return 'refused';
    }
  };
  fc.assert(
    fc.property(json, (value) =>
      assert.is(outcome(canonicalText, value as Json), outcome(canonicalize, value as Json)),
    ),
    { numRuns: 3_000 },
  );
});

canonical('many members come in order too', () => {
  const members = Array.from({ length: 300 }, (_, at) => [`n${(at * 7919) % 300}`, at] as const);
  const value = Object.fromEntries(members);
  assert.is(canonicalText(value), canonicalize(value));
});

canonical.run();
