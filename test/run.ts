/**
 * Runs test files, each in a process of its own, and adds up what uvu counted in them.
 *
 *     node test/run.ts [--group NAME] [--limit SECONDS] [--json FILE] [--kills N] [--seed S] [PATH ...]
 *
 * Without a group: every test that needs npm alone. With one: the files of `test/{group}/`. A PATH keeps the files
 * whose path contains it. `--kills` and `--seed` are given on to the files. `--json` writes the totals for `.ci/run`.
 *
 * The last line is `N passed, N failed, N skipped`. A file that is killed at its time limit, ends with a status other
 * than 0, or shows no totals or no test that ran, counts as failed whatever else it printed: uvu alone would hang on a
 * leaked handle, call a file green whose `.run()` was forgotten, and swallow an error thrown by a `before` hook.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface FileResult extends Totals {
  readonly problem: string | undefined;
  readonly output: string;
}

/** What `test/support/postgres.ts` offers: one server for the whole run, told to the files by their environment. */
interface PostgresSupport {
  startServer(): Promise<{ readonly env: Record<string, string>; stop(): Promise<void> }>;
}

/** Groups that need more than npm, or long, and the seconds that one of their files may take. */
const GROUP_LIMITS: Readonly<Record<string, number>> = { servers: 900, browser: 300, kill: 7200, workers: 300 };
const DEFAULT_LIMIT = 240;

/** A test that prints without end is killed before it fills this machine's memory. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const TEST_ROOT = dirname(fileURLToPath(import.meta.url));
const NODE_MAJOR = 24;

/** What shells report for a command ended by Ctrl-C. */
const INTERRUPTED_STATUS = 130;

const running = new Set<number>();
const interruption = new AbortController();

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    group: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'string' },
    root: { type: 'string', default: TEST_ROOT },
    kills: { type: 'string' },
    seed: { type: 'string' },
  },
});

/** Folders whose files start servers and processes: begun first, so that at the end none runs long and alone. */
const LONG_FIRST = ['faults', 'acceptance', 'cli', 'embedded'];

function rankOf(file: string, root: string): number {
  const rank = LONG_FIRST.indexOf(relative(root, file).split(sep)[0] ?? '');
  return rank < 0 ? LONG_FIRST.length : rank;
}

/** The test files of a group, as absolute paths in one fixed order. */
function findFiles(root: string, group: string | undefined): string[] {
  if (!existsSync(root)) return [];
  const inGroup = (file: string): boolean => {
    const folder = file.split(sep)[0] ?? '';
    return group === undefined ? !(folder in GROUP_LIMITS) : folder === group;
  };
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && inGroup(file))
    .map((file) => join(root, file))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .toSorted()
    .toSorted((a, b) => rankOf(a, root) - rankOf(b, root));
}

/** A test must never meet the database or the broker that its author happens to use. */
function cleanEnvironment(added: Record<string, string>): NodeJS.ProcessEnv {
  const foreign = /^(?:DATABASE_URL$|BREVET_|PG[A-Z]+$|UVU_)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...added };
}

/** Kills a file's process with all that it started, as far as that stayed in its process group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Judges a file by uvu's own totals and by how its process ended. */
function judge(stdout: string, ended: string | undefined): Totals & { problem: string | undefined } {
  const shown = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;
  const totals = [...stripVTControlCharacters(stdout).matchAll(shown)].map((found) => found.slice(1).map(Number));
  const [total = 0, passed = 0, skipped = 0] = totals[0] ?? [];
  const found = [ended, findProblem(totals.length, total, passed)].filter((part) => part !== undefined);
  const problem = found.length === 0 ? undefined : found.join('; ');
  // A second set of totals counts the same tests again (uvu runs its queue anew), so no number there can be believed.
  if (totals.length > 1) return { passed: 0, failed: 1, skipped: 0, problem };
  return { passed, skipped, failed: Math.max(total - passed, problem === undefined ? 0 : 1), problem };
}

function findProblem(totals: number, total: number, passed: number): string | undefined {
  if (totals === 0) return 'no totals: is `.run()` missing?';
  if (totals > 1) return 'totals more than once: every `.run()` must come without an `await` between them';
  if (total === 0) return 'ran 0 tests';
  return passed === total ? undefined : `${total - passed} of ${total} failed`;
}

/** What each file's process loads first, where the tests have it. */
function preloaded(): readonly string[] {
  const modules = join(resolve(options.root), 'support', 'modules.ts');
  return existsSync(modules) ? [`--import=${pathToFileURL(modules).href}`] : [];
}

function runFile(file: string, limit: number, env: NodeJS.ProcessEnv): Promise<FileResult> {
  const handedOn = (['kills', 'seed'] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const child = spawn(process.execPath, [...preloaded(), file, ...handedOn], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);

  let stdout = '';
  let output = '';
  let ended: string | undefined;
  const stop = (why: string): void => {
    ended ??= why;
    if (pid !== undefined) killGroup(pid);
  };
  const take = (chunk: string): void => {
    output += chunk;
    if (output.length > MAX_OUTPUT_BYTES) stop('printed too much');
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    take(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', take);

  return new Promise((settle) => {
    const timer = setTimeout(() => stop(`no end after ${limit} s`), limit * 1000);
    child.on('error', (error) => stop(`could not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (code !== 0)
        ended ??= interruption.signal.aborted ? 'interrupted' : `ended with ${signal ?? `status ${code}`}`;
      // What it left running would hold its output open, and the next file's ports.
      if (pid !== undefined) killGroup(pid);
    });
    child.on('close', () => {
      clearTimeout(timer);
      if (pid !== undefined) running.delete(pid);
      settle({ ...judge(stdout, ended), output });
    });
  });
}

function report(file: string, result: FileResult, milliseconds: number): void {
  const name = relative(process.cwd(), file);
  const skips = result.skipped === 0 ? '' : `, ${result.skipped} skipped`;
  const time = `${(milliseconds / 1000).toFixed(2)} s`;
  const line = `${name}  ${result.passed} passed${skips}  ${time}`;
  // A group's files say their seed, and how long their servers took to start.
  const said = options.group === undefined ? '' : `\n${result.output.trimEnd()}\n`;
  if (result.problem === undefined) console.log(`ok    ${line}${said}`);
  else console.log(`\nFAIL  ${line}  ${result.problem}\n${result.output.trimEnd()}\n`);
}

/** More files than there are cores: some mostly wait, for a lease to expire or a server to come back. */
const AT_ONCE = availableParallelism() + 2;

/** Runs the files, some at once, and adds up. */
async function runAll(files: readonly string[], limit: number, env: NodeJS.ProcessEnv): Promise<Totals> {
  const queue = [...files];
  let sum: Totals = { passed: 0, failed: 0, skipped: 0 };
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !interruption.signal.aborted; file = queue.shift()) {
      const started = performance.now();
      const result = await runFile(file, limit, env);
      report(file, result, performance.now() - started);
      sum = {
        passed: sum.passed + result.passed,
        failed: sum.failed + result.failed,
        skipped: sum.skipped + result.skipped,
      };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return interruption.signal.aborted ? { ...sum, failed: Math.max(1, sum.failed) } : sum;
}

async function startPostgres(root: string): ReturnType<PostgresSupport['startServer']> {
  const support = join(root, 'support', 'postgres.ts');
  if (!existsSync(support)) return { env: {}, stop: () => Promise.resolve() };
  const postgres = (await import(support)) as PostgresSupport;
  return postgres.startServer();
}

/** What `test/{group}/prepare.ts` offers: servers that are built before the files run, however long that takes. */
interface Preparation {
  prepare(files: readonly string[]): Promise<void>;
}

async function prepare(root: string, files: readonly string[]): Promise<void> {
  const preparation = join(root, options.group ?? '', 'prepare.ts');
  if (options.group === undefined || !existsSync(preparation)) return;
  await ((await import(preparation)) as Preparation).prepare(files);
}

async function main(): Promise<Totals> {
  if (Number(process.versions.node.split('.')[0]) !== NODE_MAJOR) {
    throw new Error(`tests run on Node ${NODE_MAJOR}, this is ${process.versions.node}: use npm, which finds its own`);
  }
  const limit = Number(options.limit ?? GROUP_LIMITS[options.group ?? ''] ?? DEFAULT_LIMIT);
  if (!(limit > 0)) throw new Error(`--limit takes seconds, not ${options.limit}`);
  const root = resolve(options.root);
  const files = findFiles(root, options.group);
  if (files.length === 0) throw new Error('no test file found');

  await prepare(root, files);
  const server = await startPostgres(root);
  try {
    return await runAll(files, limit, cleanEnvironment(server.env));
  } finally {
    await server.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruption.abort();
    for (const pid of running) killGroup(pid);
  });
}

const totals = await main().catch((error: unknown): Totals => {
  console.error(error);
  return { passed: 0, failed: 1, skipped: 0 };
});
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(totals));
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
// Not `exitCode`: a server that did not let go of its handles must not hold the run open.
process.exit(interruption.signal.aborted ? INTERRUPTED_STATUS : Number(totals.failed > 0));
