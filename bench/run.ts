/** Measures Brevet beside a floor and a peer, in one run on one machine. `--json` for programs, `--quick` for a look. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Generator } from './load.ts';
import { machine } from './machine.ts';
import type { Plan } from './plan.ts';
import { FULL, QUICK } from './plan.ts';
import { asTable } from './table.ts';
import type { Outcome } from './tokens.ts';

type Measure = (folder: string, plan: Plan, generator: Generator) => Promise<Outcome>;

/** Loaded when they are asked for: each brings much of Brevet along. */
const CASES: Readonly<Record<string, () => Promise<Measure>>> = {
  tokens: async () => (await import('./tokens.ts')).measureTokens,
  logins: async () => (await import('./logins.ts')).measureLogins,
  gateway: async () => (await import('./gateway.ts')).measureGateway,
  node: async () => (await import('./node.ts')).measureNode,
  policy: async () => (await import('./policy.ts')).measurePolicy,
  rules: async () => (await import('./rules.ts')).measureRules,
  blocks: async () => (await import('./blocks.ts')).measureBlocks,
  full: async () => (await import('./full.ts')).measureFull,
  console: async () => (await import('./console.ts')).measureConsole,
  vault: async () => (await import('./vault.ts')).measureVault,
  parts: async () => (await import('./parts.ts')).measureParts,
};
/** They need more than npm, or Linux: asked for by their name, or as a flag beside the others. */
const BY_FLAG = ['vault', 'parts'];

const flags = process.argv.slice(2);
const plan = flags.includes('--quick') ? QUICK : FULL;
const wanted = flags.filter((flag) => !flag.startsWith('--'));
const named = Object.keys(CASES);
const known = ['--quick', '--json', ...named, ...named.map((name) => `--${name}`)];
const unknown = flags.filter((flag) => !known.includes(flag));
if (unknown.length > 0) {
  // Nothing measured, and so nothing slower, would look like a good run.
  console.error(`no case is called ${unknown.join(', ')}: there are ${named.join(', ')}`);
  process.exit(1);
}
const isAsked = (name: string): boolean =>
  wanted.includes(name) || flags.includes(`--${name}`) || (wanted.length === 0 && !BY_FLAG.includes(name));
const folder = await mkdtemp(join(tmpdir(), 'brevet-bench-'));
const { startGenerator } = await import('./load.ts');
const generator = startGenerator();
const outcomes: Outcome[] = [];
try {
  for (const [name, load] of Object.entries(CASES)) {
    if (!isAsked(name)) continue;
    const measure = await load();
    const began = performance.now();
    try {
      outcomes.push(await measure(join(folder, name), plan, generator));
    } catch (fault) {
      // The others' minutes are not lost with it. What it ran half has no figure.
      process.exitCode = 1;
      console.error(`${name} failed:`, fault);
    }
    process.stderr.write(`${name}: took ${Math.round((performance.now() - began) / 1000)} s\n`);
  }
} finally {
  await generator.stop();
  await rm(folder, { recursive: true, force: true });
}
const report = {
  machine: machine(),
  rows: outcomes.flatMap(({ rows }) => rows),
  ratios: Object.assign({}, ...outcomes.map(({ ratios }) => ratios)) as Record<string, number>,
};
console.log(flags.includes('--json') ? JSON.stringify(report) : asTable(report));
