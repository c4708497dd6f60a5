/** Somebody else's words as they are shown: PITFALLS 15. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { visible } from '../../src/core/visible.ts';

const TABLE: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['plain words', 'Telnet is open', 'Telnet is open'],
  ['other alphabets', 'Grüezi, 你好, مرحبا', 'Grüezi, 你好, مرحبا'],
  ['an emoji', 'done 🎉', 'done 🎉'],
  ['an emoji in colour', 'ok \u2714\ufe0f', 'ok \u2714\ufe0f'],
  ['a new line', 'one\r\n  two', 'one ⏎ two'],
  ['a tab', 'a\tb', 'a b'],
  ['a mark that turns text', 'a\u202eb', 'a[U+202E]b'],
  ['an isolate', '\u2066x\u2069', '[U+2066]x[U+2069]'],
  ['a mark that cannot be seen', 'pay\u200bpal', 'pay[U+200B]pal'],
  ['a line separator', 'a\u2028b', 'a[U+2028]b'],
  ['a control', 'a\u0000\u001b[31mb', 'a[U+0000][U+001B][31mb'],
  ['a tag', 'a\u{e0041}b', 'a[U+E0041]b'],
  ['half a character', 'a\ud800b', 'a[U+D800]b'],
  ['a filler that looks like nothing', '\u3164x', '[U+3164]x'],
  ['the blank of Braille', 'a\u2800b', 'a[U+2800]b'],
  ['marks stacked without end', `e${'\u0301'.repeat(500)}`, `e${'\u0301'.repeat(4)}`],
];

const shows = suite('core/visible');

for (const [what, text, shown] of TABLE) {
  shows(what, () => assert.is(visible(text, 1000), shown));
}

shows('no more than it may, by what is seen', () => {
  assert.is(visible('abcdef', 6), 'abcdef');
  assert.is(visible('abcdefg', 6), 'abcde…');
  assert.is(visible('🎉🎉🎉🎉', 3), '🎉🎉…');
  assert.is(Array.from(visible('\u202e'.repeat(100_000), 300)).length, 300);
});

shows.run();
