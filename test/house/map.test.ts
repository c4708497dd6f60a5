/** CONTRIBUTING.md's map leaves out nothing that is there, and its commands exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');
const page = read('CONTRIBUTING.md');

const map = suite('the map in CONTRIBUTING.md');

map('shows every folder and file directly under src', () => {
  const src = join(REPOSITORY, 'src');
  const entries = existsSync(src) ? readdirSync(src, { withFileTypes: true }) : [];
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  assert.equal(
    names.filter((name) => !page.includes(`\n  ${name} `)),
    [],
  );
});

map('names only scripts that exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...page.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
  assert.ok(named.length > 0);
  assert.equal(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

map.run();
