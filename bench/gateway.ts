/** Calls through the gateway beside a bare proxy, and what a large answer costs in memory. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bundleWithTools, TOOL_KEY, toolTarget } from '../test/support/tool.ts';
import { alternate, median, ratioOf, rowOf } from './figures.ts';
import type { Contender } from './figures.ts';
import type { CallLoad, Generator, Measured } from './load.ts';
import { residentMegabytes } from './machine.ts';
import { sampleMost } from './node.ts';
import type { Plan } from './plan.ts';
import { timeOfTree } from './processor.ts';
import { startBrevet, startServer } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import type { Outcome } from './tokens.ts';
import { agentSession, newAgentKey, populate, TENANT } from './world.ts';
import type { AgentKey } from './world.ts';

const CONNECTIONS = 64;
const LARGE_BYTES = 64 * 1024 * 1024;
/** Ever so many calls a minute are taken, so that nothing is measured but the way. */
const LIMITS = { calls_per_minute: 1_000_000, response_bytes: 2 * LARGE_BYTES, seconds: 600 };

export async function measureGateway(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const far = await startServer('far', {});
  const proxy = await startServer('proxy', { far: String(far.port) });
  const broker = await startBrevet({
    dataDir: folder,
    settings: { BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1', BREVET_POLICY_DIR: await policyIn(`${folder}-tools`) },
  });
  try {
    const key = newAgentKey();
    const target = toolTarget(`http://127.0.0.1:${far.port}`, { limits: LIMITS });
    await populate(broker, key, { psa: target }, ['tool.read', 'tool.upload']);
    const through = async (): Promise<Measured> => generator.run(load(broker.port, await callersOf(broker, key), plan));
    const bare = { path: '/tickets/ACME-1', token: TOOL_KEY };
    const processes = {
      brevet: broker.process.pid,
      proxy: proxy.process.pid,
      far: far.process.pid,
      load: generator.pid,
    };
    const contenders: Contender<Told>[] = [
      { name: 'gateway', run: () => withCosts(processes, through) },
      { name: 'proxy', run: () => withCosts(processes, () => generator.run(load(proxy.port, [bare], plan))) },
    ];
    for (const { run } of contenders) await run();
    const results = await alternate(plan.rounds, contenders, plan.told);
    const of = (name: string): number[] => (results.get(name) ?? []).map(({ perSecond }) => perSecond);
    const cost = (name: string, part: keyof Costs): number[] =>
      (results.get(name) ?? []).map(({ costs }) => costs[part]);
    const costRow = (name: string, part: keyof Costs, what: string) =>
      rowOf(`${name}-cost-${part}`, `  processor time of one: ${what}`, 'µs', cost(name, part));
    // What a process grows to with its first large answer is its own; each of the others is to cost nothing.
    await streamed(broker, key);
    const growth: number[] = [];
    for (let round = 0; round < plan.rounds; round++) growth.push(await streamed(broker, key));
    return {
      rows: [
        rowOf('gateway', `calls through the gateway; ${CONNECTIONS} connections`, 'per second', of('gateway')),
        costRow('gateway', 'brevet', 'Brevet’s process'),
        costRow('gateway', 'postgres', 'its Postgres'),
        costRow('gateway', 'far', 'the tool'),
        costRow('gateway', 'load', 'the load'),
        rowOf('proxy', `a bare node:http proxy; ${CONNECTIONS} connections`, 'per second', of('proxy')),
        costRow('proxy', 'proxy', 'the proxy'),
        costRow('proxy', 'far', 'the tool'),
        costRow('proxy', 'load', 'the load'),
        rowOf('gateway-stream', 'more resident memory while 64 MiB stream through, the most', 'MB', growth),
      ],
      ratios: { gateway_over_proxy: ratioOf(of('gateway'), of('proxy')), gateway_stream_mb: median(growth) },
    };
  } finally {
    await broker.stop();
    await proxy.stop();
    await far.stop();
  }
}

interface Processes {
  readonly brevet: number | undefined;
  readonly proxy: number | undefined;
  readonly far: number | undefined;
  readonly load: number | undefined;
}

/** Processor time, in microseconds. */
type Costs = Readonly<Record<keyof Processes | 'postgres', number>>;

interface Told extends Measured {
  /** Of one call. */
  readonly costs: Costs;
}

/** What of it is done behind the answers, such as writing down what came of calls, is waited for. */
const BEHIND_MS = 200;
/** In a millisecond. */
const MICROSECONDS = 1000;

async function withCosts(processes: Processes, run: () => Promise<Measured>): Promise<Told> {
  const before = await spentBy(processes);
  const measured = await run();
  await pause(BEHIND_MS);
  const after = await spentBy(processes);
  const of = (part: keyof Costs): number => (after[part] - before[part]) / measured.count;
  const costs = {
    brevet: of('brevet'),
    postgres: of('postgres'),
    proxy: of('proxy'),
    far: of('far'),
    load: of('load'),
  };
  return { ...measured, costs };
}

async function spentBy({ brevet, proxy, far, load: by }: Processes): Promise<Costs> {
  const times = [brevet, proxy, far, by].map((pid) => timeOfTree(pid ?? 0));
  const [whole, bare, tool, generator] = await Promise.all(times);
  return {
    brevet: MICROSECONDS * (whole?.own ?? 0),
    postgres: MICROSECONDS * (whole?.below ?? 0),
    proxy: MICROSECONDS * (bare?.own ?? 0),
    far: MICROSECONDS * (tool?.own ?? 0),
    load: MICROSECONDS * (generator?.own ?? 0),
  };
}

const load = (port: number, callers: CallLoad['callers'], { window }: Plan): CallLoad => ({
  kind: 'calls',
  port,
  callers,
  connections: CONNECTIONS,
  ...window,
});

/** The starting bundle with task classes for tools, as a broker reads it. */
async function policyIn(folder: string): Promise<string> {
  for (const [path, text] of Object.entries(await bundleWithTools())) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** A lease for each connection, as each agent has its own. */
async function callersOf(broker: BrevetServer, key: AgentKey): Promise<CallLoad['callers']> {
  const session = await agentSession(broker, key);
  return Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const { path, token } = await leaseOf(broker, session, 'tool.read');
      return { path: `${path}/tickets/ACME-1`, token };
    }),
  );
}

async function leaseOf(broker: BrevetServer, session: string, task: string) {
  const answer = await fetch(`${broker.url}/t/${TENANT}/requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${session}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      task,
      resource: 'psa',
      parameters: { ticket: 'ACME-1' },
      reason: 'Is measured',
      uses: 1000,
    }),
  });
  const body = (await answer.json()) as { readonly credential?: { readonly token: string; readonly base_url: string } };
  if (body.credential === undefined) throw new Error(`no lease: ${JSON.stringify(body)}`);
  const { token, base_url } = body.credential;
  return { path: new URL(base_url).pathname, token };
}

const SETTLE_MS = 1_000;

async function streamed(broker: BrevetServer, key: AgentKey): Promise<number> {
  const { path, token } = await leaseOf(broker, await agentSession(broker, key), 'tool.upload');
  await pause(SETTLE_MS);
  const before = await residentMegabytes(broker.process.pid);
  const sampling = sampleMost(broker.process.pid);
  let most = before;
  try {
    const bytes = await bytesAt(`${broker.url}${path}/files/ACME-1`, token);
    if (bytes !== LARGE_BYTES) throw new Error(`${bytes} bytes came through`);
  } finally {
    most = await sampling.stop();
  }
  return most - before;
}

async function bytesAt(url: string, token: string): Promise<number> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  let bytes = 0;
  for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
  return bytes;
}
