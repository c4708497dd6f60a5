/** What was read once is given again: the same, unchangeable, and with the lines of its text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { readYaml } from '../../../src/decide/bundle/yaml.ts';

const Names = z.strictObject({ names: z.array(z.string()) });
const Counted = z.strictObject({ names: z.array(z.string()).transform((names) => names.length) });

/** One that no other test reads. */
const textOf = (name: string): string => `# ${name}\nnames:\n  - a\n  - ${name}\n`;

const read = suite('a text that is read again');

read('gives what it gave, under the name that it has now', () => {
  const [first, again] = ['a.yaml', 'b.yaml'].map((file) => readYaml(file, textOf('again'), Names));
  assert.ok(first?.ok && again?.ok);
  assert.is(again.value.value, first.value.value);
  assert.equal([first.value.file, again.value.file], ['a.yaml', 'b.yaml']);
});

read('cannot be changed by who had it before', () => {
  const first = readYaml('a.yaml', textOf('frozen'), Names);
  assert.ok(first.ok);
  assert.throws(() => first.value.value.names.push('c'), /not extensible/);
  assert.throws(() => Object.assign(first.value.value, { names: [] }), /read only/);
});

read('knows its lines', () => {
  for (const file of ['a.yaml', 'b.yaml']) {
    const placed = readYaml(file, textOf('lines'), Names);
    assert.ok(placed.ok);
    assert.is(placed.value.lineOf(['names', 1]), 4);
    assert.is(placed.value.lineOf(['names']), 2);
  }
});

read('is read anew in another form', () => {
  const [names, counted] = [Names, Counted].map((form) => readYaml<unknown>('a.yaml', textOf('forms'), form));
  assert.ok(names?.ok && counted?.ok);
  assert.equal(counted.value.value, { names: 2 });
});

read('is judged anew when it was bad', () => {
  for (const file of ['a.yaml', 'b.yaml']) {
    const placed = readYaml(file, 'names:\n  - a\nmore: 1\n', Names);
    assert.not.ok(placed.ok);
    assert.equal(placed.ok || placed.error, [{ file, line: 3, what: 'more is not a field here' }]);
  }
});

read.run();
