/** A clone installs the same bytes anywhere, and says nothing of the machine it was written on. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');

interface Package {
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Record<string, string>;
}

interface Lock {
  readonly packages: Record<string, LockedPackage>;
}

const pins = suite('pins');

const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Package;
const lock = JSON.parse(read('package-lock.json')) as Lock;

pins('every dependency is one exact version, the one that is locked', () => {
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, `${name} is not pinned`);
    assert.is(lock.packages[`node_modules/${name}`]?.version, version, `${name} is locked at another version`);
  }
});

pins('the lock names no host', () => {
  const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
  assert.equal(resolved, []);
});

/** Those for other systems too, which this one never loads and so never compares. */
pins('every package is locked by its digest', () => {
  const [, ...packages] = Object.entries(lock.packages);
  const undigested = packages.filter(([, { integrity }]) => integrity === undefined);
  assert.equal(undigested, []);
});

pins('every optional build that a package names is locked, as `npm ci` demands', () => {
  const names = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)));
  const named = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  assert.equal(
    named.filter((name) => !names.has(name)),
    [],
  );
});

pins.run();

const text = suite('what is written down');

/** What git ignores, and what a tool or a standard wrote. */
const FOREIGN = /^(?:node_modules|\.git|\.brevet|\.cache|\.wrangler|dist|package-lock\.json)$/;
const BINARY = /\.(?:png|ico|woff2|wasm|gz)$/;

function written(folder = REPOSITORY): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !FOREIGN.test(name) && !name.endsWith('.log') && !BINARY.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? written(path) : entry.isFile() ? [path] : [];
    });
}

/** A pattern that no file may hold; in the folders named only, if some are. Written so that it does not find itself. */
const FORBIDDEN: readonly (readonly [what: string, pattern: RegExp, within?: RegExp])[] = [
  ['a path of one machine', /(?:^|[\s'"`(=])\/(?:wor[k]|hom[e]|roo[t]|User[s])\/[\w.-]/m],
  ['a registry', /registr[y]\.npmjs|\/\/[\w.-]*(?:artifactor[y]|npm-registr[y]|verdacci[o])/],
  ['work left undone', /\b(?:TOD[O]|FIXM[E]|XX[X])\b/],
  ['a check switched off', /(?:oxlint|eslint)-disabl[e]|@ts-(?:ignor[e]|nochec[k]|expect-erro[r])|prettier-ignor[e]/],
  [
    'global time or chance',
    /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)/,
    // The SDK is an entry too: its caller may give a clock, and need not. The store measures its database's against its own.
    /^src\/(?!cli\/|client\/call\.ts|embedded\/|node\.ts|node\/|store\/open\.ts|worker\.ts|worker\/)/,
  ],
];

for (const [what, pattern, within] of FORBIDDEN) {
  text(`never holds ${what}`, () => {
    const found = written()
      .map((path) => relative(REPOSITORY, path))
      .filter((path) => within === undefined || within.test(path))
      .flatMap((path) => {
        const hit = pattern.exec(read(path));
        return hit === null ? [] : [`${path}: ${hit[0].trim()}`];
      });
    assert.is(found.join('\n'), '');
  });
}

const PLANTED: readonly (readonly [index: number, source: string])[] = [
  [0, `see ${['', 'home', 'ann', 'x'].join('/')}`],
  [0, `const a = '${['', 'root', '.npmrc'].join('/')}';`],
  [1, `https://${['registry', 'npmjs', 'org'].join('.')}/x`],
  [2, ['// TO', 'DO later'].join('')],
  [3, ['// oxlint', 'disable-next-line'].join('-')],
  [3, ['// @ts', 'expect', 'error'].join('-')],
  [4, 'const now = Date.now();'],
];
for (const [index, source] of PLANTED) {
  const [what, pattern] = FORBIDDEN[index] ?? ['', /^$/];
  text(`finds ${what} in ${JSON.stringify(source)}`, () => assert.match(source, pattern));
}

text.run();
