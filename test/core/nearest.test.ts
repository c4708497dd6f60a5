import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest } from '../../src/core/nearest.ts';

const near = suite('the nearest name');

const KNOWN = ['lease', 'request', 'target', 'tenant', 'policy'];
const NEAR: readonly (readonly [word: string, name: string | null])[] = [
  ['lease', 'lease'],
  ['leases', 'lease'],
  ['laese', 'lease'],
  ['tennant', 'tenant'],
  ['polcy', 'policy'],
  ['zebra', null],
  ['', null],
];
for (const [word, name] of NEAR) near(`${word} -> ${name}`, () => assert.is(nearest(word, KNOWN), name));

near.run();
