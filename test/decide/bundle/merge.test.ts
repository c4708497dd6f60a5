import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { without } from '../../../src/decide/bundle/merge.ts';

const merge = suite('a bundle without an earlier change');

const lines = (...all: readonly string[]): string => all.join('\n');
const before = { 'roles.yaml': lines('a', 'b', 'c', 'd', 'e'), 'tasks.yaml': 'same', 'rules/old.cedar': 'old' };
const after = { 'roles.yaml': lines('a', 'b', 'WIDE', 'd', 'e'), 'tasks.yaml': 'same', 'rules/new.cedar': 'new' };

const CASES: readonly (readonly [string, Record<string, string>, Record<string, string> | readonly string[]])[] = [
  ['that nothing followed is what was there before', after, before],
  [
    'keeps what a later change did elsewhere in the same file',
    { ...after, 'roles.yaml': lines('LATER', 'b', 'WIDE', 'd', 'e') },
    { ...before, 'roles.yaml': lines('LATER', 'b', 'c', 'd', 'e') },
  ],
  [
    'keeps a later change of another file, and a new one',
    { ...after, 'tasks.yaml': 'later', 'rules/more.cedar': 'more' },
    { ...before, 'tasks.yaml': 'later', 'rules/more.cedar': 'more' },
  ],
  ['is as it was where a later change took the same back', { ...after, 'roles.yaml': before['roles.yaml'] }, before],
  [
    'is refused where both changed the same line, with the file',
    { ...after, 'roles.yaml': lines('a', 'b', 'OTHER', 'd', 'e') },
    ['roles.yaml'],
  ],
  [
    'is refused where one changed what the other took away',
    { ...after, 'rules/new.cedar': 'newer' },
    ['rules/new.cedar'],
  ],
];

for (const [name, later, expected] of CASES) {
  merge(name, () => {
    const merged = without({ before, after }, later);
    assert.equal(merged.ok ? merged.value : merged.error, expected);
  });
}

merge.run();
