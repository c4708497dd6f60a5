/**
 * docs/how-to/add-a-provider.md is written from the toy beside this file: its code stands there word for word, and where
 * it says that a provider is wired in is tried on a copy of the sources, with the compiler.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findImportProblems } from '../../house/imports.ts';
import { temporaryFolder } from '../../support/leftovers.ts';
import { addOwnFiles, copySources, OWN_FILES, PLACES, TEMPLATES_ONLY, wire } from './wiring.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'how-to', 'add-a-provider.md'), 'utf8');

const shown = suite('docs/how-to/add-a-provider.md');

shown('shows code that stands in the toy, word for word', () => {
  const toy = readdirSync(import.meta.dirname)
    .filter((name) => name !== 'page.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = '']) => text);
  assert.ok(blocks.length > 8);
  const strays = blocks.filter((block) => !toy.some((source) => source.includes(block)));
  assert.equal(strays, []);
});

shown('leaves out none of the provider’s verbs', () => {
  for (const verb of [
    'parse',
    'specify',
    'declare',
    'check',
    'mint',
    'fence',
    'unfence',
    'revoke',
    'look',
    'list',
    'activity',
  ]) {
    assert.match(page, new RegExp(`^(?:async )?function ${verb}\\w*\\(`, 'm'));
  }
});

shown('names the places that a provider is wired into, and no others', () => {
  const [, section = ''] = /^## .*Wire it in\n([^]*?)(?=^## )/m.exec(page) ?? [];
  const rows = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path]) => path);
  const own = Object.values(OWN_FILES).map((path) => path.replace(/badge\/provider\.ts$/, 'badge/'));
  assert.equal(rows, [...own, ...PLACES.map(({ file }) => file)]);
});

shown.run();

const wiring = suite('a sixth provider, wired into a copy of the sources');

/** Files that the compiler complains of. */
function complaintsIn(folder: string, project = 'tsconfig.json'): Promise<readonly string[]> {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--noEmit', '-p', project], { cwd: folder }, (fault, out) => {
      const files = [...out.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file = '']) => file);
      resolve(fault !== null && files.length === 0 ? [`tsc failed: ${out}`] : [...new Set(files)]);
    });
  });
}

wiring('compiles and keeps the house once every place names it; the compiler asks for the template', async () => {
  const folder = await temporaryFolder('sixth');
  const [kinds, ...others] = PLACES;
  await copySources(folder);
  await addOwnFiles(folder);
  await wire(folder, kinds);
  assert.ok((await complaintsIn(folder, TEMPLATES_ONLY)).includes('src/core/templates.ts'));
  for (const place of others) await wire(folder, place);
  assert.equal(await complaintsIn(folder), []);
  assert.equal(findImportProblems(sourcesOf(join(folder, 'src'))), []);
});

const sourcesOf = (src: string) =>
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, source: readFileSync(join(src, path), 'utf8') }));

wiring.run();
