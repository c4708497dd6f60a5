/** A key in an answer, however it is written there and wherever it is cut: PITFALLS 52. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { echoScanner, needlesOf } from '../../../src/use/gateway/echo.ts';

const KEY = 'sk_live/7Yh+2k&Qw"9z=\\T%4<x>>>>>>?????\'';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = new TextDecoder('latin1');

/** What got through, and whether it was cut. */
function through(pieces: readonly Uint8Array[], key = KEY): { readonly passed: string; readonly found: boolean } {
  const scanner = echoScanner(needlesOf([key]));
  let passed = '';
  for (const piece of pieces) {
    const { clear, found } = scanner.push(piece);
    passed += texts.decode(clear);
    if (found) return { passed, found };
  }
  return { passed: passed + texts.decode(scanner.rest()), found: false };
}

const hex = (text: string): string => Buffer.from(text).toString('hex');
const everyCharacter = (write: (code: string) => string): string =>
  Array.from(KEY, (character) => write(hex(character))).join('');
const base64 = (offset: number, form: 'base64' | 'base64url' = 'base64'): string =>
  Buffer.from(`${'x'.repeat(offset)}${KEY}tail`).toString(form);

const FORMS: readonly (readonly [form: string, written: string])[] = [
  ['as it is', KEY],
  ['in JSON', JSON.stringify(KEY)],
  ['in JSON with escaped slashes', JSON.stringify(KEY).replaceAll('/', '\\/')],
  ['in JSON, every character escaped', everyCharacter((code) => `\\u00${code}`)],
  ['in JSON, escaped in capitals', everyCharacter((code) => `\\u00${code.toUpperCase()}`)],
  ['in a URL', encodeURIComponent(KEY)],
  ['in a URL, every character escaped', everyCharacter((code) => `%${code}`)],
  ['in a URL, twice', encodeURIComponent(encodeURIComponent(KEY))],
  ['in HTML', KEY.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')],
  ['in HTML, by numbers', everyCharacter((code) => `&#x${code};`)],
  ['in a bit of everything', `${KEY.slice(0, 5)}%${hex('v')}${KEY.slice(6, 7)}\\u00${hex('/')}${KEY.slice(8)}`],
  ['in hex', hex(KEY)],
  ['in hex, in capitals', hex(KEY).toUpperCase()],
  ['in base64', base64(0)],
  ['in base64, one byte on', base64(1)],
  ['in base64, two bytes on', base64(2)],
  ['in UTF-16', Array.from(KEY).join('\0')],
  ['in base64, with slashes escaped for JSON', base64(0).replaceAll('/', '\\/')],
  ['in base64, escaped for a URL', encodeURIComponent(base64(1))],
  ['in base64, escaped for HTML', base64(2).replaceAll('+', '&#43;').replaceAll('/', '&#x2F;')],
  ['in base64, in short lines', base64(0).replaceAll(/.{7}/g, '$&\n')],
  ['in base64, in short lines in JSON', base64(1).replaceAll(/.{7}/g, '$&\\r\\n')],
  ['in base64 for URLs', base64(0, 'base64url')],
  ['in base64 for URLs, one byte on', base64(1, 'base64url')],
  ['in base64 for URLs, two bytes on', base64(2, 'base64url')],
];

const echo = suite('a key in an answer');

for (const [form, written] of FORMS) {
  echo(`${form}, is cut before it, over every edge between two pieces`, () => {
    const answer = `{"you sent": "${written}"} and more`;
    for (let at = 0; at <= answer.length; at++) {
      const { passed, found } = through([bytes(answer.slice(0, at)), bytes(answer.slice(at))]);
      assert.is(found, true, `cut at ${at}`);
      // In base64 the first character may hold some bits of what came before.
      assert.ok(passed.length <= '{"you sent": "'.length + 3, `cut at ${at}: ${passed}`);
    }
  });

  echo(`${form}, is cut when it comes byte by byte`, () => {
    assert.is(through([...bytes(`x${written}`)].map((byte) => Uint8Array.of(byte))).found, true);
  });
}

echo('lets everything else through, as it was, and holds back what may be its beginning alone', () => {
  const scanner = echoScanner(needlesOf([KEY]));
  assert.is(texts.decode(scanner.push(bytes('data: sk_live')).clear), 'data: ');
  assert.is(texts.decode(scanner.push(bytes('_or not\n\n')).clear), 'sk_live_or not\n\n');
  assert.is(scanner.rest().length, 0);
  assert.equal(through([bytes(KEY.slice(0, -1))]), { passed: KEY.slice(0, -1), found: false });
});

echo('holds back no end of a line, which is the end of an event', () => {
  const scanner = echoScanner(needlesOf([KEY]));
  assert.is(texts.decode(scanner.push(bytes('data: 1\r\n\r\n')).clear), 'data: 1\r\n\r\n');
});

echo('in another case is another key', () => {
  const other = KEY.toUpperCase();
  assert.equal(through([bytes(other)]), { passed: other, found: false });
});

echo('is not seen where it is packed, so that a packed answer is refused before', () => {
  assert.is(through([gzipSync(KEY)]).found, false);
});

echo('that repeats its own beginning is found', () => {
  assert.is(through([bytes('aaaaaaab-aaaaaaab-aaaaaaac')], 'aaaaaaab-aaaaaaac').found, true);
});

echo('is found in whatever it stands, and nothing else is, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.string({
        minLength: 8,
        maxLength: 60,
        unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      }),
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }),
      fc.array(fc.nat(200), { maxLength: 6 }),
      (key, before, behind, cuts) => {
        const whole = Buffer.concat([before, bytes(key), behind]);
        const at = [0, ...cuts.filter((cut) => cut < whole.length).toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => new Uint8Array(whole.subarray(at[index], end)));
        const { passed, found } = through(pieces, key);
        assert.is(found, true);
        assert.not(passed.includes(key));
        const clean = Buffer.concat([before, behind]);
        if (!clean.includes(key)) assert.equal(through([new Uint8Array(clean)], key).passed, texts.decode(clean));
      },
    ),
  );
});

echo.run();
