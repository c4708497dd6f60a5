import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/digest.ts';
import { random } from '../../src/node/parts.ts';

const chance = suite('chance');

chance('gives as many bytes as are asked for', () => {
  for (const bytes of [0, 1, 10, 16, 32, 255, 256, 257, 5000]) assert.is(random(bytes).length, bytes);
});

chance('never gives a byte twice, over the end of many pools', () => {
  const drawn = Array.from({ length: 3000 }, () => toHex(random(16)));
  assert.is(new Set(drawn).size, drawn.length);
});

chance('keeps what it gave from whoever is given the next', () => {
  const first = random(16);
  const before = toHex(first);
  random(16).fill(7);
  assert.is(toHex(first), before);
  assert.is(first.buffer.byteLength, 16, 'a view of the pool would show it whole');
});

chance.run();
