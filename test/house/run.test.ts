/** The runner itself, on planted test files: whatever hides a failure from uvu must not hide it from the runner. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runFolder } from '../support/leftovers.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const RUNNER = fileURLToPath(new URL('../run.ts', import.meta.url));

interface Run {
  readonly status: number | null;
  readonly last: string;
  readonly output: string;
  readonly json: unknown;
}

/** Planted files live inside the repository, so that `uvu` resolves, in a folder that git and the linter ignore. */
function plant(files: Readonly<Record<string, string>>): string {
  const cache = join(REPOSITORY, '.cache');
  mkdirSync(cache, { recursive: true });
  const root = mkdtempSync(join(cache, 'run-'));
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  return root;
}

function start(root: string, args: readonly string[]) {
  const json = join(root, 'totals.json');
  // What was compiled of planted files is of no use to the next run.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(runFolder(), 'compiled') };
  const child = spawn(process.execPath, [RUNNER, '--root', root, '--json', json, ...args], { env });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const done = once(child, 'close').then(([status]): Run => ({
    status: status as number | null,
    last: output.trimEnd().split('\n').at(-1) ?? '',
    output,
    json: JSON.parse(readFileSync(json, 'utf8')),
  }));
  return { child, done, seen: () => output };
}

async function run(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Run> {
  const root = plant(files);
  try {
    return await start(root, args).done;
  } finally {
    rmSync(root, { recursive: true });
  }
}

const HEAD = `import { test, suite as group } from 'uvu';\n`;
const PASSING = `${HEAD}test('passes', () => {});\ntest.run();\n`;
const FAILING = `${HEAD}test('fails', () => { throw new Error('planted failure'); });\ntest.run();\n`;
const THROWN = `throw new Error('planted');`;
/** Seconds for the files that hang: enough to load a file on a busy machine. */
const HANG_LIMIT = '4';
/** Longer than any limit. */
const FOREVER = 'setInterval(() => {}, 1e6);';

const judged = suite('the runner judges a file');

const CASES: readonly (readonly [name: string, source: string, last: string, says: RegExp])[] = [
  ['that passes', PASSING, '1 passed, 0 failed, 0 skipped', /^ok /m],
  ['that fails, printing all of it', FAILING, '0 passed, 1 failed, 0 skipped', /planted failure/],
  [
    'with several suites, by their sum',
    `${HEAD}const a = group('a'); a('1', () => {}); a('2', () => {}); a.skip('needs: x', () => {}); a.run();
     const b = group('b'); b('4', () => {}); b('5', () => { ${THROWN} }); b.run();`,
    '3 passed, 1 failed, 1 skipped',
    /1 of 4 failed/,
  ],
  ['without `.run()`', `${HEAD}test('never', () => {});`, '0 passed, 1 failed, 0 skipped', /is `\.run\(\)` missing/],
  ['that is empty', '', '0 passed, 1 failed, 0 skipped', /is `\.run\(\)` missing/],
  ['that ran no test', `${HEAD}test.run();`, '0 passed, 1 failed, 0 skipped', /ran 0 tests/],
  [
    'that skips everything',
    `${HEAD}test['skip']('needs: x', () => {}); test.run();`,
    '0 passed, 1 failed, 1 skipped',
    /ran 0/,
  ],
  [
    'that passes and then ends badly',
    `${HEAD}test('passes', () => {}); test.run(); process.on('exit', () => { process.exitCode = 7; });`,
    '1 passed, 1 failed, 0 skipped',
    /ended with status 7/,
  ],
  [
    'whose `before` hook throws, which uvu swallows',
    `${HEAD}test.before(() => { ${THROWN} }); test('a', () => {}); test('b', () => {}); test.run();`,
    '0 passed, 2 failed, 0 skipped',
    /2 of 2 failed/,
  ],
  [
    'whose `after` hook throws',
    `${HEAD}test.after(() => { ${THROWN} }); test('a', () => {}); test.run();`,
    '0 passed, 1 failed, 0 skipped',
    /no totals/,
  ],
  [
    'that exits in the middle',
    `${HEAD}test('a', () => process.exit(0)); test.run();`,
    '0 passed, 1 failed, 0 skipped',
    /./,
  ],
  [
    'that leaves a process holding its output',
    `${PASSING}import { spawn } from 'node:child_process';
     spawn(process.execPath, ['-e', '${FOREVER}'], { stdio: 'inherit' }).unref();`,
    '1 passed, 0 failed, 0 skipped',
    /^ok /m,
  ],
];

/** A file that begins so has a process of its own; the others share them. */
const ALONE = '// alone: it minds\n';

for (const [where, head] of [
  ['in a process of its own', ALONE],
  ['in one that it shares', ''],
] as const) {
  for (const [name, source, last, says] of CASES) {
    judged(`${name}, ${where}`, async () => {
      const ended = await run({ 'a.test.ts': `${head}${source}` });
      assert.is(ended.last, last, ended.output);
      assert.match(ended.output, says);
      assert.is(ended.status, Number(!last.includes(' 0 failed')));
    });
  }
}

judged('that runs its queue twice', async () => {
  const later = `await new Promise((done) => setTimeout(done, 100));`;
  const source = `${PASSING}\n${later}\nconst b = group('b'); b('x', () => {}); b.run();`;
  const ended = await run({ 'a.test.ts': `${ALONE}${source}` });
  assert.is(ended.last, '0 passed, 1 failed, 0 skipped', ended.output);
  assert.match(ended.output, /totals more than once/);
});

judged('that hangs, in a test or after it by a leaked handle, and kills it at the time limit', async () => {
  const hangs = `${HEAD}test('hangs', () => new Promise(() => { ${FOREVER} })); test.run();`;
  const leaks = `${PASSING}${FOREVER}`;
  const ended = await run({ 'hangs.test.ts': hangs, 'leaks.test.ts': `${ALONE}${leaks}` }, '--limit', HANG_LIMIT);
  assert.is(ended.last, '1 passed, 2 failed, 0 skipped', ended.output);
  assert.match(ended.output, /hangs\.test\.ts .* no end after 4 s/);
  assert.match(ended.output, /leaks\.test\.ts .* no end after 4 s/);
});

judged('that shares its process and leaves something open, and says what', async () => {
  const ended = await run({ 'leaks.test.ts': `${PASSING}${FOREVER}` });
  assert.is(ended.last, '1 passed, 1 failed, 0 skipped', ended.output);
  assert.match(ended.output, /leaks\.test\.ts .* left open: Timeout/);
});

judged('after one that ended their process, or was killed in it', async () => {
  const files = Array.from({ length: 12 }, (_, at) => {
    const bad = at % 3 === 0 ? `${HEAD}test('a', () => process.exit(0)); test.run();` : PASSING;
    return [`${String(at).padStart(2, '0')}.test.ts`, bad] as const;
  });
  assert.is((await run(Object.fromEntries(files))).last, '8 passed, 4 failed, 0 skipped');
});

judged('alone that says so', async () => {
  const mine = `if (globalThis.met !== undefined) ${THROWN} globalThis.met = true;`;
  const sharing = await run(Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`${at}.test.ts`, `${PASSING}${mine}`])));
  const alone = await run(
    Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [`${at}.test.ts`, `${ALONE}${PASSING}${mine}`])),
  );
  assert.not.match(sharing.last, / 0 failed/);
  assert.is(alone.last, '6 passed, 0 failed, 0 skipped');
});

judged.run();

const counted = suite('the runner counts');

counted('over all files, and writes the same as JSON', async () => {
  const ended = await run({ 'a.test.ts': PASSING, 'b/c.test.ts': FAILING, 'd.test.ts': '' });
  assert.is(ended.last, '1 passed, 2 failed, 0 skipped');
  assert.equal(ended.json, { passed: 1, failed: 2, skipped: 0 });
});

counted('a group by its folder, and leaves it out otherwise', async () => {
  const files = { 'a.test.ts': PASSING, 'servers/b.test.ts': PASSING + PASSING.slice(HEAD.length), 'x.ts': '' };
  assert.is((await run(files)).last, '1 passed, 0 failed, 0 skipped');
  assert.is((await run(files, '--group', 'servers')).last, '2 passed, 0 failed, 0 skipped');
});

counted('a group without files as a failure', async () => {
  assert.is((await run({ 'a.test.ts': PASSING }, '--group', 'kill')).last, '0 passed, 1 failed, 0 skipped');
});

counted('with the arguments that are the files’ own', async () => {
  const source = `${HEAD}test('args', () => { if (process.argv.slice(2).join() !== '--kills,3,--seed,9') ${THROWN} });test.run();`;
  assert.is((await run({ 'kill/a.test.ts': source }, '--group', 'kill', '--kills', '3', '--seed', '9')).status, 0);
});

counted.run();

const servers = suite('the runner and its Postgres server');

const SUPPORT = `import { writeFileSync } from 'node:fs';
export async function startServer() {
  return { env: { BREVET_TEST_PLANTED: 'yes' }, stop: async () => console.log('server stopped') };
}`;
const ASKS = `${HEAD}test('env', () => { if (process.env.BREVET_TEST_PLANTED !== 'yes') ${THROWN} }); test.run();`;

servers('are started once, told to the files and stopped', async () => {
  const ended = await run({ 'support/postgres.ts': SUPPORT, 'a.test.ts': ASKS, 'b.test.ts': FAILING });
  assert.is(ended.last, '1 passed, 1 failed, 0 skipped', ended.output);
  assert.is(ended.output.match(/server stopped/g)?.length, 1);
});

servers('are both ended by Ctrl-C', async () => {
  const fs = `import { existsSync, writeFileSync } from 'node:fs';\nconst READY = import.meta.dirname + '/ready';\n`;
  const waiting = `${fs}console.log('waiting');writeFileSync(READY, '');${FOREVER}`;
  const sleep = 'await new Promise((done) => setTimeout(done, 20))';
  const announce = `${HEAD}${fs}test('a', async () => { while (!existsSync(READY)) ${sleep}; }); test.run();`;
  const root = plant({
    'support/postgres.ts': SUPPORT,
    'a.test.ts': `${ALONE}${waiting}`,
    'announce.test.ts': announce,
  });
  try {
    const { child, done, seen } = start(root, []);
    // The second file's line shows that the first one is running and waits.
    while (!seen().includes('announce.test.ts')) await once(child.stdout, 'data');
    child.kill('SIGINT');
    const ended = await done;
    assert.is(ended.status, 130, ended.output);
    assert.match(ended.output, /interrupted[^]*waiting[^]*server stopped[^]* failed, 0 skipped$/m);
  } finally {
    rmSync(root, { recursive: true });
  }
});

servers('that does not start fails the run', async () => {
  const broken = `export async function startServer() { throw new Error('no server'); }`;
  const ended = await run({ 'support/postgres.ts': broken, 'a.test.ts': PASSING });
  assert.is(ended.last, '0 passed, 1 failed, 0 skipped');
  assert.match(ended.output, /no server/);
});

servers.run();
