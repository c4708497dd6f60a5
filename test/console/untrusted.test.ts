import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { piecesOf, untrusted } from '../../src/console/untrusted.ts';

const words = suite('words that an agent wrote');

const SHOWN: readonly (readonly [what: string, text: string, pieces: readonly string[]])[] = [
  ['as they are', 'close port 23, now', ['plain:close port 23, now']],
  ['with a turn of direction written out', 'pay\u202Etxt', ['plain:pay', 'hidden:U+202E', 'plain:txt']],
  ['with what has no width written out', 'a\u200Bb\uFEFF', ['plain:a', 'hidden:U+200B', 'plain:b', 'hidden:U+FEFF']],
  ['with a control written out', 'a\u0007', ['plain:a', 'hidden:U+0007']],
  ['with a fill that looks empty written out', 'a\u3164', ['plain:a', 'hidden:U+3164']],
  ['with a joiner that nobody sees written out', 'ac\u034Fme', ['plain:ac', 'hidden:U+034F', 'plain:me']],
  ['with a vowel that is not drawn written out', 'ac\u17B5me', ['plain:ac', 'hidden:U+17B5', 'plain:me']],
  ['with the blank of Braille written out', 'ac\u2800me', ['plain:ac', 'hidden:U+2800', 'plain:me']],
  ['with half a character written out', 'a\uD800', ['plain:a', 'hidden:U+D800']],
  ['with an odd space written out', 'a\u00A0b', ['plain:a', 'hidden:U+00A0', 'plain:b']],
  ['with a tag written out', 'a\u{E0041}', ['plain:a', 'hidden:U+E0041']],
  ['with mixed alphabets marked', 'to p\u0430y now', ['plain:to ', 'alike:p\u0430y', 'plain: now']],
  [
    'with a word of another alphabet that reads as Latin marked',
    '\u0430\u0440\u0440\u04CF\u0435',
    ['alike:\u0430\u0440\u0440\u04CF\u0435'],
  ],
  ['with mathematical letters marked', '\u{1D429}\u{1D41A}\u{1D432}', ['alike:\u{1D429}\u{1D41A}\u{1D432}']],
  ['with full-width letters marked', '\uFF50\uFF41\uFF59', ['alike:\uFF50\uFF41\uFF59']],
  ['with a phonetic letter marked', 'p\u0251y', ['alike:p\u0251y']],
  ['with marks piled on a letter marked', 'a\u0301\u0302\u0303\u0304\u0305', ['alike:a\u0301\u0302\u0303\u0304\u0305']],
  ['with accents kept', 'Zürich, Gdańsk, Đà Nẵng', ['plain:Zürich, Gdańsk, Đà Nẵng']],
  ['with accents that stand apart kept', 'cafe\u0301', ['plain:cafe\u0301']],
  [
    'with one other alphabet plain',
    '\u041F\u0440\u0438\u0432\u0435\u0442',
    ['plain:\u041F\u0440\u0438\u0432\u0435\u0442'],
  ],
  ['with lines kept', 'a\nb', ['plain:a\nb']],
  ['with an emoji kept', '\u{1F9E8}', ['plain:\u{1F9E8}']],
  [
    'with what joins emoji written out',
    '\u{1F468}\u200D\u{1F4BB}',
    ['plain:\u{1F468}', 'hidden:U+200D', 'plain:\u{1F4BB}'],
  ],
];
for (const [what, text, pieces] of SHOWN) {
  words(`are shown ${what}`, () =>
    assert.equal(
      piecesOf(text).map((piece) => `${piece.kind}:${piece.text}`),
      pieces,
    ),
  );
}

words('are no markup', () => {
  const shown: { toString(): string } = untrusted('<b onclick=x>&');
  assert.is(shown.toString(), '<bdi>&lt;b onclick=x&gt;&amp;</bdi>');
});

words.run();
