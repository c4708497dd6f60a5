/**
 * Runs the test files that it is told, one after another, in this one process: what they load, most of Brevet, is loaded
 * and compiled once. Each is told by a message, its address; after each a line on stdout says how it ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { END, endedLine } from './ended.ts';
import type { Ended } from './ended.ts';

/** uvu's own, by which its command line runs several files. */
declare global {
  var UVU_DEFER: number | undefined;
  var UVU_INDEX: number | undefined;
  var UVU_QUEUE: unknown[][];
}

/** What is being closed when the last test returns, or is let go of when nobody has used it for 5 s, is gone within this. */
const CLOSING_MS = 20_000;
const LOOK_EVERY_MS = 10;

/** What holds this process, by kind, that did not before. */
function openSince(before: ReadonlyMap<string, number>): readonly string[] {
  return [...held()].filter(([kind, many]) => many > (before.get(kind) ?? 0)).map(([kind]) => kind);
}

function held(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

async function runFile(url: string): Promise<Ended> {
  const before = held();
  globalThis.UVU_INDEX = 0;
  globalThis.UVU_QUEUE = [[null]];
  await import(url);
  await uvu.exec();
  const status = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  const until = performance.now() + CLOSING_MS;
  // One timer is the pause itself, which has ended when it looks.
  while (openSince(before).length > 0 && performance.now() < until) await pause(LOOK_EVERY_MS);
  return { status, open: openSince(before) };
}

// Made when they are first asked for, and then there for good.
void process.stdout;
void process.stderr;

globalThis.UVU_DEFER = 1;
const uvu = await import('uvu');

process.on('message', (said: string) => {
  if (said === END) process.exit();
  runFile(said).then(
    (ended) => process.stdout.write(endedLine(ended)),
    (error: unknown) => {
      // uvu is in the middle of its queue for good: the next file needs another process.
      console.error(error);
      process.exit(1);
    },
  );
});
