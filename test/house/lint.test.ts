/** The linter really sees what matters most: each planted mistake fails it under the repository's own rules. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const OXLINT = join(REPOSITORY, 'node_modules', 'oxlint', 'bin', 'oxlint');
const STORE_PORT = join(REPOSITORY, 'src', 'core', 'store.ts');

const CONFIG = join(REPOSITORY, '.oxlintrc.json');
const TSCONFIG = {
  extends: join(REPOSITORY, 'tsconfig.json'),
  compilerOptions: { typeRoots: [join(REPOSITORY, 'node_modules', '@types')] },
  include: ['*.ts'],
};

const lint = suite('the linter');

/**
 * The rules that refuse each source. They are linted outside the repository, where no ignore file hides them, with the
 * repository's rules and compiler options, and reach the repository's types from there.
 */
function rulesAgainst(sources: readonly string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'brevet-lint-'));
  try {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    for (const [number, source] of sources.entries()) {
      const reaching = source.replaceAll(STORE_PORT, relative(folder, STORE_PORT));
      writeFileSync(join(folder, `${number}.ts`), reaching);
    }
    const flags = ['--type-aware', '--deny-warnings', '--config', CONFIG, '--format', 'json'];
    const ended = spawnSync(process.execPath, [OXLINT, ...flags, folder], { cwd: folder, encoding: 'utf8' });
    const { diagnostics } = JSON.parse(ended.stdout) as { diagnostics: { code: string; filename: string }[] };
    assert.is(ended.status, 1, ended.stdout + ended.stderr);
    return sources.map((_, number) =>
      diagnostics.filter(({ filename }) => basename(filename) === `${number}.ts`).map(({ code }) => code),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const STORE = existsSync(STORE_PORT)
  ? `import type { Store } from '${STORE_PORT}';`
  : 'interface Store { commit(change: string, entries: string[]): Promise<boolean> }';
const TAKES = 'store: Store, ...args: Parameters<Store["commit"]>';
const FLOATING = ['typescript(no-floating-promises)'];

const CASES: readonly (readonly [name: string, source: string, rules: readonly string[]])[] = [
  ['an awaited commit', `${STORE}\nexport async function f(${TAKES}) { await store.commit(...args); }`, []],
  ['a floating commit', `${STORE}\nexport async function f(${TAKES}) { store.commit(...args); }`, FLOATING],
  ['a commit hushed by void', `${STORE}\nexport async function f(${TAKES}) { void store.commit(...args); }`, FLOATING],
  [
    'a commit in a branch',
    `${STORE}\nexport async function f(${TAKES}) { if (args.length > 0) store.commit(...args); }`,
    FLOATING,
  ],
  [
    'a commit whose failure alone is handled, with nothing',
    `${STORE}\nexport async function f(${TAKES}) { store.commit(...args).then(() => 1); }`,
    FLOATING,
  ],
  [
    'a commit given to forEach',
    `${STORE}\nexport function f(${TAKES}) { [1].forEach(async () => { await store.commit(...args); }); }`,
    ['typescript(no-misused-promises)'],
  ],
  [
    'a commit taken for its outcome',
    `${STORE}\nexport function f(${TAKES}) { if (store.commit(...args)) { return 1; } return 2; }`,
    ['typescript(no-misused-promises)'],
  ],
  [
    'a case forgotten',
    `export function f(a: 'x' | 'y') { switch (a) { case 'x': return 1; } return 2; }`,
    ['typescript(switch-exhaustiveness-check)'],
  ],
  [
    'a case hidden by default',
    `export function f(a: 'x' | 'y') { switch (a) { case 'x': return 1; default: return 2; } }`,
    ['typescript(switch-exhaustiveness-check)'],
  ],
  ['any', 'export const a: any = 1;', ['typescript(no-explicit-any)']],
  ['a swallowed fault', 'export function f() { try { f(); } catch {} }', ['eslint(no-empty)']],
  ['a loose comparison', `export const f = (a: string | number) => a == 1;`, ['eslint(eqeqeq)']],
  ['a default export', 'export default 1;', ['import(no-default-export)']],
  ['printing', `console.log('x');\nexport const a = 1;`, ['eslint(no-console)']],
];

const found = rulesAgainst(CASES.map(([, source]) => source));

for (const [number, [name, , rules]] of CASES.entries()) {
  lint(`${rules.length === 0 ? 'lets pass' : 'refuses'} ${name}`, () => assert.equal(found[number], rules));
}

lint.run();
