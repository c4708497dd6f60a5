/** No test file hides a test: uvu passes silently when `.run()` is forgotten or `.only` is left in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findTestProblems } from './test-files.ts';

const TESTS = join(import.meta.dirname, '..');

const files = suite('test files');

files('hide no test', () => {
  const problems = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .flatMap((path) => findTestProblems(readFileSync(join(TESTS, path), 'utf8')).map((found) => `${path}: ${found}`));
  assert.is(problems.join('\n'), '');
});

files('bear a name that the runner finds', () => {
  const strays = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /[._-](?:test|spec)\.[cm]?[jt]sx?$/.test(path) && !path.endsWith('.test.ts'),
  );
  assert.equal(strays, []);
});

files.run();

const planted = suite('a planted test file');

const TEST = `import { test } from 'uvu';\n`;
const SUITE = `import { suite } from 'uvu';\n`;
/** Written apart, so that this file does not find itself. */
const [ONLY, SKIP, MAKE] = ['only', 'skip', 'suite'].map((word, at) => (at < 2 ? `.${word}` : word));
const [CLIENT, REMOVE] = [['client', 'Database'].join(''), ['.remove', '()'].join('')];

const CASES: readonly (readonly [source: string, problems: readonly RegExp[]])[] = [
  [`${TEST}test('a', () => {});\ntest.run();`, []],
  [`${SUITE}const a = ${MAKE}('a');\na('x', () => {});\na.run();\nconst b = ${MAKE}('b');\nb.run();`, []],
  [`${SUITE}const a = ${MAKE}<{ x: number }>('a', { x: 1 });\na.run();`, []],
  [`${TEST}test${SKIP}('needs: a standby', () => {});\ntest.run();`, []],
  ['', [/holds no suite/]],
  [`${TEST}test('a', () => {});`, [/^test is never run/]],
  [`${TEST}test('a', () => {});\n// test.run();`, [/^test is never run/]],
  [`${TEST}test('a', () => {});\n/*\ntest.run();\n*/`, [/^test is never run/]],
  [`${TEST}test('a', () => {});\nif (wanted) test.run();`, [/^test is never run/]],
  [`${SUITE}const a = ${MAKE}('a');\na.run();\nconst b = ${MAKE}('b');\nb('x', () => {});`, [/^b is never run/]],
  [
    `import { suite, test } from 'uvu';\nconst a = ${MAKE}('a');\na.run();\ntest('x', () => {});`,
    [/^test is never run/],
  ],
  [`${SUITE}const a = ${MAKE}('a');\na.run();\nfor (const x of y) { ${MAKE}(x)('z', f); }`, [/without a name/]],
  [`${TEST}test${ONLY}('a', () => {});\ntest.run();`, [/only/]],
  [`${TEST}const o = test${ONLY};\no('a', () => {});\ntest.run();`, [/only/]],
  [`${TEST}test${SKIP}('a', () => {});\ntest.run();`, [/must name its reason/]],
  [`${TEST}test${SKIP}();\ntest.run();`, [/must name its reason/]],
  [`${TEST}test${SKIP}('needs: ', () => {});\ntest.run();`, [/must name its reason/]],
  [`${TEST}const a = await ${CLIENT}();\ntest.run();`, [/never removes/]],
  [`${TEST}const a = await ${CLIENT}();\ntest.after(() => a${REMOVE});\ntest.run();`, []],
];

for (const [source, problems] of CASES) {
  planted(JSON.stringify(source), () => {
    const found = findTestProblems(source);
    assert.is(found.length, problems.length, found.join('\n'));
    for (const [at, problem] of problems.entries()) assert.match(found[at] ?? '', problem);
  });
}

planted.run();
