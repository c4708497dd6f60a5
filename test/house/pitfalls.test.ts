/** Where brokers of this kind have failed, by number: the tests that prove that this one does not are still there. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vectors } from '../vectors/load.ts';

const proven = vectors('pitfalls') as Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const pitfalls = suite('pitfalls');

/** A test's name, or that of a row of its table, as it stands in its source: a template with its holes. */
function isNamed(source: string, name: string): boolean {
  const before = ["'", '`'].flatMap((quote) => source.split(`${quote}${name}${quote}`).slice(0, -1));
  return before.some((text) => /[([]\s*$/.test(text));
}

for (const [number, files] of Object.entries(proven)) {
  pitfalls(`${number} is proven by tests that exist`, () => {
    assert.ok(Object.keys(files).length > 0);
    for (const [file, names] of Object.entries(files)) {
      const source = readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8');
      for (const name of names) assert.ok(isNamed(source, name), `${file} has no test “${name}”`);
    }
  });
}

pitfalls.run();
