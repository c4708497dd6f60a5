/** Texts for property tests. */
import fc from 'fast-check';

const SURROGATES = { from: 0xd800, to: 0xdfff };

/** Any character of Unicode. fast-check's own `binary` lists all of them first, which takes about a second. */
export const CHARACTER = fc
  .oneof(fc.integer({ min: 0, max: SURROGATES.from - 1 }), fc.integer({ min: SURROGATES.to + 1, max: 0x10_ffff }))
  .map((point) => String.fromCodePoint(point));
