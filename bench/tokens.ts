/** Tokens: the floor, the peer, and Brevet with one process, with two, and without what it keeps. */
import { join } from 'node:path';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator, Measured, TokenLoad } from './load.ts';
import type { Plan } from './plan.ts';
import { startBrevet, startServer } from './servers.ts';
import type { BrevetServer, Server } from './servers.ts';
import { AGENT, issuerOf, newAgentKey, populate, taskForm, TENANT } from './world.ts';
import type { AgentKey } from './world.ts';

const RESOURCES = 1_000;
/** Nobody looks it up: it is what assertions must be made out to. */
export const STATIC_ISSUER = 'http://localhost/issuer';
const CONNECTIONS = [1, 16, 64] as const;
const MOST = 64;

export interface Outcome {
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
}

export type Ask = Omit<TokenLoad, 'connections' | 'requests'>;

export const brevetAsk = (broker: BrevetServer, { privateKey }: AgentKey): Ask => ({
  kind: 'tokens',
  port: broker.port,
  path: `/t/${TENANT}/token`,
  client: AGENT,
  audience: issuerOf(broker),
  key: privateKey,
  form: taskForm(),
  resources: RESOURCES,
});

export const staticAsk = ({ port }: Server, { privateKey }: AgentKey, form: TokenLoad['form']): Ask => ({
  kind: 'tokens',
  port,
  path: '/token',
  client: AGENT,
  audience: STATIC_ISSUER,
  key: privateKey,
  form,
  resources: RESOURCES,
});

export async function measureTokens(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const key = newAgentKey();
  const given = { client: AGENT, audience: STATIC_ISSUER, key: JSON.stringify(key.publicKey) };
  const servers: Server[] = [];
  const started = async <T extends Server>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const brevet = async (name: string, options: Partial<Parameters<typeof startBrevet>[0]>): Promise<Ask> => {
    const broker = await started(startBrevet({ dataDir: join(folder, name), ...options }));
    await populate(broker, key);
    return brevetAsk(broker, key);
  };
  try {
    const floor = staticAsk(await started(startServer('floor', { ...given, answers: 'kept' })), key, taskForm());
    const plainFloor = staticAsk(await started(startServer('floor', { ...given, answers: 'none' })), key, taskForm());
    const peer = staticAsk(await started(startServer('peer', given)), key, { resource: 'urn:ticket:{n}' });
    const one = await brevet('one', {});
    const unkept = await brevet('unkept', { without: 'kept-answers' });
    const two = await brevet('two', { processes: 2 });
    const at = (ask: Ask, connections: number) => () => generator.run({ ...ask, connections, ...plan.window });
    const contenders: Contender<Measured>[] = [
      { name: 'floor', run: at(floor, MOST) },
      { name: 'peer', run: at(peer, MOST) },
      { name: 'issue-64', run: at(one, MOST) },
      { name: 'two-64', run: at(two, MOST) },
      { name: 'unkept-64', run: at(unkept, MOST) },
      { name: 'unkept-floor', run: at(plainFloor, MOST) },
      ...CONNECTIONS.filter((count) => count < MOST).map((count) => ({ name: `issue-${count}`, run: at(one, count) })),
    ];
    for (const ask of [floor, plainFloor, peer, one, unkept, two]) {
      await generator.run({ ...ask, connections: MOST, requests: plan.warmUp });
    }
    return outcomeOf(await alternate(plan.rounds, contenders, plan.told));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function outcomeOf(results: ReadonlyMap<string, readonly Measured[]>): Outcome {
  const of = (name: string, figure: keyof Measured = 'perSecond'): number[] =>
    (results.get(name) ?? []).map((measured) => measured[figure]);
  const rate = (name: string, what: string): Row => rowOf(name, what, 'per second', of(name));
  const spread = of('issue-64', 'p99').map((p99, round) => p99 / (of('issue-64', 'mean')[round] ?? Number.NaN));
  return {
    rows: [
      rate('floor', 'floor: verify, decide, sign; 64 connections'),
      rate('unkept-floor', 'the same, every decision evaluated'),
      rate('peer', 'oidc-provider in memory, private_key_jwt; 64 connections'),
      rate('issue-1', 'Brevet, one process; 1 connection'),
      rate('issue-16', 'Brevet, one process; 16 connections'),
      rate('issue-64', 'Brevet, one process; 64 connections'),
      rowOf('issue-64-mean', '  mean time of one', 'ms', of('issue-64', 'mean')),
      rowOf('issue-64-p99', '  99 of 100 within', 'ms', of('issue-64', 'p99')),
      rate('unkept-64', 'Brevet, every decision evaluated; 64 connections'),
      rate('two-64', 'Brevet, two processes; 64 connections'),
    ],
    ratios: {
      issue_over_peer: ratioOf(of('issue-64'), of('peer')),
      issue_over_floor: ratioOf(of('issue-64'), of('floor')),
      p99_over_mean: rowOf('', '', '', spread).value,
      two_over_one: ratioOf(of('two-64'), of('issue-64')),
    },
  };
}
