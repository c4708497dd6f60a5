#!/usr/bin/env node
/**
 * What `brevet` is on the path. It is plain JavaScript, so that a Node too old for the sources can still say so, or
 * hand over to the one that was installed with Brevet.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From here on Node runs TypeScript as it stands. */
const OLDEST_MAJOR = 22;
const OLDEST_MINOR = 18;

/** What these end is the command's own affair: it completes its lease first. */
const HANDED_ON = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

const main = new URL('./main.ts', import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > OLDEST_MAJOR || (major === OLDEST_MAJOR && minor >= OLDEST_MINOR)) {
  const { keepCompiled } = await import('./compiled.js');
  keepCompiled();
  await import('./main.ts');
} else handOver(installedNode(dirname(fileURLToPath(import.meta.url))));

/**
 * The `node` package beside Brevet: in its own node_modules, or in those that it was installed into.
 * @param {string} folder
 * @returns {string | null}
 */
function installedNode(folder) {
  const node = join(folder, 'node_modules', '.bin', 'node');
  if (existsSync(node)) return node;
  return dirname(folder) === folder ? null : installedNode(dirname(folder));
}

/** @param {string | null} node */
function handOver(node) {
  if (node === null) {
    process.stderr.write(
      `brevet: needs Node ${OLDEST_MAJOR}.${OLDEST_MINOR} or later, this is ${process.versions.node}\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of HANDED_ON) {
    // A terminal has sent Ctrl-C to the child as well; a second one would be somebody else's word.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`brevet: ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
}
