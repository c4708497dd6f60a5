/** `brevet start` as processes: alone, several on one port, and after a crash. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/alive.ts';
import { brokerFolder } from '../support/cluster.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { freePort } from '../support/port.ts';
import { start } from './cli.ts';
import type { Running } from './cli.ts';

const serving = suite('brevet start');

let settings: Record<string, string>;
let url: string;
let running: Running | null = null;

serving.before.each(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  settings = {
    BREVET_DATA_DIR: await brokerFolder('start'),
    BREVET_LISTEN: `127.0.0.1:${port}`,
    BREVET_POLICY_DIR: await policyWithoutCases(),
  };
});
serving.after.each(async () => {
  if (running !== null && running.child.exitCode === null) running.child.kill('SIGTERM');
  await running?.ended;
});

async function launch(...args: readonly string[]): Promise<Running> {
  running = start(['start', ...args], { env: settings });
  await running.said('serving at');
  return running;
}

const health = async (path: string): Promise<number> => (await fetch(`${url}${path}`)).status;

/** Until it is ready, which takes a pass of the sweeper. */
async function untilReady(): Promise<void> {
  const isReady = (): Promise<boolean> =>
    health('/readyz').then(
      (status) => status === 200,
      () => false,
    );
  while (!(await isReady())) await new Promise((turn) => setTimeout(turn, 50));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  serving(`serves, and stops on ${signal} with status 0`, async () => {
    const { child, ended } = await launch();
    await untilReady();
    assert.match(running?.text.err ?? '', /^brevet: set-up lasts/m);
    assert.match(
      running?.text.err ?? '',
      `serving at ${url}; people and agents come by ${url.replace('127.0.0.1', 'localhost')}`,
    );
    assert.match(running?.text.err ?? '', '"event":"set_up.lasts"');
    assert.is(await health('/healthz'), 200);
    child.kill(signal);
    const { status, err } = await ended;
    assert.is(status, 0, err);
  });
}

serving('goes on with the Postgres that outlived a kill -9', async () => {
  const first = await launch();
  first.child.kill('SIGKILL');
  await first.ended;
  const second = await launch();
  await untilReady();
  second.child.kill('SIGINT');
  const { status, err } = await second.ended;
  assert.is(status, 0, err);
  assert.match(err, '"taken_over":true');
});

/** The nodes that said they listen. */
const nodes = (err: string): string[] =>
  [...err.matchAll(/"event":"listening".*?"node":"([^"]+)"/g)].map(([, node = '']) => node);
const pidOf = (node: string): number => Number(node.split('-').at(-2));

serving('serves with several processes, starts one anew that is gone, and stops them all', async () => {
  const { child, ended, text } = await launch('--processes', '2');
  await untilReady();
  assert.is(nodes(text.err).length, 2);
  assert.is(text.err.match(/^brevet: set-up lasts/gm)?.length, 1);
  const [lost = ''] = nodes(text.err);
  process.kill(pidOf(lost), 'SIGKILL');
  while (nodes(text.err).length < 3) await new Promise((turn) => setTimeout(turn, 50));
  await untilReady();
  child.kill('SIGINT');
  const { status, err } = await ended;
  assert.is(status, 0, err);
  for (const node of nodes(err)) assert.not(isAlive(pidOf(node)));
});

serving('leaves no process when the first of several is killed', async () => {
  const { child, ended, text } = await launch('--processes', '2');
  const all = nodes(text.err).map(pidOf);
  child.kill('SIGKILL');
  await ended;
  assert.is(all.length, 2);
  while (all.some(isAlive)) await new Promise((turn) => setTimeout(turn, 50));
});

serving.run();
