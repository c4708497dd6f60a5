/** Whether an issue costs more at a broker that holds much: many tenants, leases and ledger entries. */
import { join } from 'node:path';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Row } from './figures.ts';
import { fillLedger, fillTenants } from './fill.ts';
import type { Generator } from './load.ts';
import type { Plan } from './plan.ts';
import { startBrevet } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import { brevetAsk } from './tokens.ts';
import type { Outcome } from './tokens.ts';
import { newAgentKey, populate } from './world.ts';

const CONNECTIONS = 64;

export async function measureFull(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const key = newAgentKey();
  const brokers: BrevetServer[] = [];
  const started = async (name: string, fill: (broker: BrevetServer) => Promise<void>): Promise<BrevetServer> => {
    const broker = await startBrevet({ dataDir: join(folder, name) });
    brokers.push(broker);
    await populate(broker, key);
    await generator.run({ ...brevetAsk(broker, key), requests: plan.warmUp, connections: CONNECTIONS });
    await fill(broker);
    return broker;
  };
  try {
    const held = {
      empty: await started('empty', async () => undefined),
      many: await started('many', (broker) => fillTenants(broker, plan.many)),
      most: await started('most', (broker) => fillTenants(broker, plan.most)),
      full: await started('full', async (broker) => {
        await fillTenants(broker, plan.most);
        await fillLedger(broker, plan);
      }),
    };
    const contenders = Object.entries(held).map(([name, broker]) => ({
      name,
      run: () => generator.run({ ...brevetAsk(broker, key), ...plan.window, connections: CONNECTIONS }),
    }));
    const results = await alternate(plan.rounds, contenders, plan.told);
    const costs = (name: string): number[] => (results.get(name) ?? []).map(({ perSecond }) => 1000 / perSecond);
    const row = (name: string, what: string): Row => rowOf(`cost-${name}`, what, 'ms', costs(name));
    const count = (number: number): string => number.toLocaleString('en');
    return {
      rows: [
        row('empty', 'one issue of a stream over 64 connections; 1 tenant'),
        row('many', `the same; ${count(plan.many)} tenants`),
        row('most', `the same; ${count(plan.most)} tenants`),
        row('full', `the same; and ${count(plan.leases)} leases, ${count(plan.entries)} ledger entries`),
      ],
      ratios: { full_over_empty: ratioOf(costs('full'), costs('empty')) },
    };
  } finally {
    await Promise.all(brokers.map((broker) => broker.stop()));
  }
}
