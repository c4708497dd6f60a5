/**
 * Runs test files and adds up what uvu counted in them. Several run at once; those of a group, and those that say that
 * they must, in a process of their own, the others one after another in processes that they share.
 *
 *     node test/run.ts [--group NAME] [--limit SECONDS] [--json FILE] [--kills N] [--seed S] [PATH ...]
 *
 * Without a group: every test that needs npm alone. With one: the files of `test/{group}/`. A PATH keeps the files
 * whose path contains it. `--kills` and `--seed` are given on to the files. `--json` writes the totals for `.ci/run`.
 *
 * The last line is `N passed, N failed, N skipped`. A file that is killed at its time limit, ends with a status other
 * than 0, leaves something open, or shows no totals or no test that ran, counts as failed whatever else it printed: uvu
 * alone would hang on a leaked handle, call a file green whose `.run()` was forgotten, and swallow an error thrown by a
 * `before` hook.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { FileResult, Totals } from './runner/judge.ts';
import { createLane, interrupt, runAlone } from './runner/processes.ts';
import type { Conditions, Lane } from './runner/processes.ts';

/** What `test/support/postgres.ts` offers: one server for the whole run, told to the files by their environment. */
interface PostgresSupport {
  startServer(): Promise<{ readonly env: Record<string, string>; stop(): Promise<void> }>;
}

/** Groups that need more than npm, or long, and the seconds that one of their files may take. */
const GROUP_LIMITS: Readonly<Record<string, number>> = { servers: 900, browser: 300, kill: 7200, workers: 300 };
const DEFAULT_LIMIT = 240;

const TEST_ROOT = dirname(fileURLToPath(import.meta.url));
const NODE_MAJOR = 24;

/** What shells report for a command ended by Ctrl-C. */
const INTERRUPTED_STATUS = 130;

/**
 * What Node compiled, types taken off, is kept for the processes that come after, and for the next run: several would
 * each begin by compiling most of Brevet. They and what they start find it by their environment.
 */
const COMPILED = (process.env['NODE_COMPILE_CACHE'] ??= join(
  TEST_ROOT,
  '..',
  'node_modules',
  '.cache',
  'brevet-tests',
));
module.enableCompileCache(COMPILED);

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

/** What starts servers and processes: begun first, so that at the end none runs long and alone. */
const LONG_FIRST = ['faults', 'acceptance', 'cli', 'house/run', 'embedded', 'providers/postgres', 'store'];

/** What mostly waits, for a limit to pass or a server to come back: one after the other, while the rest computes. */
const WAITING = [
  'faults/target-down',
  'store/outage',
  'cli/start-given-up',
  'providers/postgres/hostile',
  'providers/postgres/provider',
  'broker/gateway',
  'fetch/node-forward',
  'node/serve',
];

/** By this line a file says why it can share a process with no other. */
const ALONE = /^\/\/ alone: .+$/m;

const runsAlone = (file: string): boolean => options.group !== undefined || ALONE.test(readFileSync(file, 'utf8'));

function rankOf(file: string, root: string): number {
  const rank = LONG_FIRST.findIndex((part) => isPartOf(part, file, root));
  return rank < 0 ? LONG_FIRST.length : rank;
}

const isPartOf = (part: string, file: string, root: string): boolean =>
  relative(root, file).split(sep).join('/').startsWith(part);

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

/** What each file's process loads first, where the tests have it. */
function preloaded(): readonly string[] {
  const modules = join(resolve(options.root), 'support', 'modules.ts');
  return existsSync(modules) ? [`--import=${pathToFileURL(modules).href}`] : [];
}

/** What is the files' own. */
const handedOn = (['kills', 'seed'] as const).flatMap((name) => {
  const value = options[name];
  return value === undefined ? [] : [`--${name}`, value];
});

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

/** More files than there are cores, beside the one that waits: some wait for servers and processes to start. */
const COMPUTING_LANES = availableParallelism() + 1;

/** Runs the files, some at once, and adds up. */
async function runAll(files: readonly string[], conditions: Conditions): Promise<Totals> {
  const alone = files.filter(runsAlone);
  const root = resolve(options.root);
  const waiting = files.filter((file) => WAITING.some((part) => isPartOf(part, file, root)));
  const computing = files.filter((file) => !waiting.includes(file));
  let sum: Totals = { passed: 0, failed: 0, skipped: 0 };
  const add = ({ passed, failed, skipped }: Totals): void => {
    sum = { passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped };
  };
  const work = async (lane: Lane, first: string[], then: string[]): Promise<void> => {
    const next = (): string | undefined => first.shift() ?? then.shift();
    for (let file = next(); file !== undefined && !interruption.signal.aborted; file = next()) {
      const started = performance.now();
      const result = await (alone.includes(file) ? runAlone(file, handedOn, conditions) : lane.run(file));
      report(file, result, performance.now() - started);
      add(result);
    }
    const problem = await lane.end();
    if (problem === undefined) return;
    console.log(`\nFAIL  a process that several files shared  ${problem}`);
    add({ passed: 0, failed: 1, skipped: 0 });
  };
  await Promise.all([
    work(createLane(conditions), waiting, computing),
    ...Array.from({ length: COMPUTING_LANES }, () => work(createLane(conditions), computing, waiting)),
  ]);
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
    return await runAll(files, { env: cleanEnvironment(server.env), preloaded: preloaded(), limit });
  } finally {
    await server.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruption.abort();
    interrupt();
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
