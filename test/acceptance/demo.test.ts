/**
 * The demo: every step, status 0, and nothing left; as an ordinary user until its end, and as whoever runs the tests with
 * --stay until Ctrl-C.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/leftovers.ts';
import { call, ROOT, run } from './broker.ts';
import type { Process } from './broker.ts';
import { installFor } from './install.ts';

/** What each step prints, in order: see the README. */
const SEEN = [
  /^Brevet serves at http:/m,
  /permitted: the lease lse_\w+, a Postgres login brevet_\w+ until /,
  /a Postgres client ran «SELECT .*»: 7 days, 17734\.50 revenue/,
  /the same login may not write: permission denied/,
  /forbidden_by_rule: /,
  /a person is asked \(apr_\w+\); nothing was minted/,
  /report-bot tries to approve it itself: 401 unauthenticated/,
  /401 unauthenticated, as for a client that does not exist/,
  /the lease is revoked, its death verified, exposure \d+ ms/,
  /the session that was still open: /,
  /the same login, tried again: password authentication failed/,
  /triage-bot: 404 not_found/,
  /ada, who administers: 403 function_needed/,
  /otto, who oversees: revoked, exposure \d+ ms/,
  /lease\.revoked +by /,
  /exposure: \d+ ms/,
];

/** Processes whose command line names the folder. */
async function processesIn(folder: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}

async function leavesNothing(temporary: string): Promise<void> {
  assert.equal(await readdir(temporary), []);
  assert.equal(await processesIn(temporary), []);
}

const demo = suite('the demo');

demo(
  'ends with 0 for an ordinary user, in a home of their own, having shown each step, and leaves nothing',
  async () => {
    const home = await temporaryFolder('home');
    const temporary = join(home, 'tmp');
    const install = await installFor(home, ['tmp']);
    const { status, out, err } = await run(['demo'], { env: { TMPDIR: temporary }, install }).ended;
    assert.is(status, 0, err);
    for (const seen of SEEN) assert.match(out, seen);
    await leavesNothing(temporary);
  },
);

/** Those that it prints, with the settings that it prints. */
async function commandsWork(running: Process): Promise<void> {
  await running.said('lease list --as otto');
  const text = running.text();
  const env = Object.fromEntries(
    [...text.matchAll(/\b(BREVET_[A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  assert.is((await call('GET', `${env['BREVET_URL']}/readyz`)).status, 200);
  const query = [process.execPath, join(ROOT, 'test', 'cli', 'query.ts'), 'SELECT count(*) FROM sales'];
  const asked = ['exec', '--tenant', 'acme', '--task', 'report.query', '--resource', 'shop-db', '--same-user', '--'];
  const ran = await run([...asked, ...query], { env }).ended;
  assert.is(ran.status, 0, ran.err);
  assert.is(ran.out, '7\n');
  const listed = await run(['lease', 'list', '--as', 'otto'], { env }).ended;
  assert.is(listed.status, 0, listed.err);
  assert.match(listed.out, /lse_\w+ .*revoked/);
}

demo(
  'with --stay shows each step and keeps serving, its commands work, and Ctrl-C ends it with nothing left',
  async () => {
    const temporary = await temporaryFolder('stay');
    const running = run(['demo', '--stay'], { env: { TMPDIR: temporary } });
    try {
      await commandsWork(running);
    } finally {
      running.signalGroup('SIGINT');
    }
    const { status, out, err } = await running.ended;
    assert.is(status, 0, err);
    for (const seen of SEEN) assert.match(out, seen);
    await leavesNothing(temporary);
  },
);

demo.run();
