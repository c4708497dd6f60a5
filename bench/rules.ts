/** What rules cost whoever issues: a thousand of them at one client, and ten at each of a thousand. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import { clientRules } from './client-rules.ts';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender } from './figures.ts';
import { fillTenants, sealKeys } from './fill.ts';
import type { Generator } from './load.ts';
import { residentMegabytes } from './machine.ts';
import type { Plan } from './plan.ts';
import { startBrevet } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import { brevetAsk } from './tokens.ts';
import type { Outcome } from './tokens.ts';
import { newAgentKey, populate, TENANT } from './world.ts';

const RULES = 1_000;
const RULES_OF_EACH = 10;
const CONNECTIONS = 64;

/** What is said more than in the shipped policy: by the paths of its files. */
type Rules = Readonly<Record<string, string>>;

export async function measureRules(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const clients = Array.from({ length: plan.many }, (_, at) => `client-${at + 1}`);
  const ownOf = (client: string, count: number): Rules => ({
    [`rules/tenants/${client}/many.cedar`]: clientRules(client, count),
  });
  const measure = (name: string, over: readonly string[], more: Rules): Promise<Compared> =>
    compare({ folder: join(folder, name), plan, generator, clients: over }, more);
  const one = await measure('one', [TENANT], ownOf(TENANT, RULES));
  const each = clients.map((client) => ownOf(client, RULES_OF_EACH));
  const many = await measure('many', clients, Object.assign({}, ...each) as Rules);
  const count = plan.many.toLocaleString('en');
  return {
    rows: [
      rowOf('issue-starting', 'issues by the shipped policy; 64 connections', 'per second', one.starting.perSecond),
      rowOf('issue-rules', `the same; ${RULES} rules of the client's own`, 'per second', one.own.perSecond),
      rowOf('issue-many', `issues by the shipped policy, over ${count} clients`, 'per second', many.starting.perSecond),
      rowOf('issue-many-rules', `the same; ${RULES_OF_EACH} rules of each's own`, 'per second', many.own.perSecond),
      rowOf('rss-many', `resident memory by the shipped policy, ${count} clients`, 'MB', many.starting.resident),
      rowOf('rss-many-rules', `the same; ${RULES_OF_EACH} rules of each's own`, 'MB', many.own.resident),
    ],
    ratios: {
      issue_1000_rules_over_starting: ratioOf(one.own.perSecond, one.starting.perSecond),
      issue_1000_tenants_over_starting: ratioOf(many.own.perSecond, many.starting.perSecond),
    },
  };
}

/** Of one broker in one round. */
interface Figure {
  readonly perSecond: number;
  /** After the run, in MB. */
  readonly resident: number;
}

/** Of all rounds. */
type Figures = { readonly [name in keyof Figure]: readonly number[] };

interface Compared {
  readonly starting: Figures;
  readonly own: Figures;
}

interface Setting {
  readonly folder: string;
  readonly plan: Plan;
  readonly generator: Generator;
  /** The load goes round them. */
  readonly clients: readonly string[];
}

/** Two brokers that differ in their rules alone, and no third: what a run leaves to do meets the other of them. */
async function compare(setting: Setting, more: Rules): Promise<Compared> {
  const { folder, plan } = setting;
  const brokers: BrevetServer[] = [];
  const started = async (name: string, rules: Rules): Promise<Contender<Figure>> => {
    const broker = await startBrevet({ dataDir: join(folder, name), policy: (at) => withRules(at, rules) });
    brokers.push(broker);
    return { name, run: await warmedUp(broker, setting) };
  };
  try {
    const contenders = [await started('starting', {}), await started('own', more)];
    const results = await alternate(plan.rounds, contenders, plan.told);
    const of = (name: string): Figures => ({
      perSecond: (results.get(name) ?? []).map(({ perSecond }) => perSecond),
      resident: (results.get(name) ?? []).map(({ resident }) => resident),
    });
    return { starting: of('starting'), own: of('own') };
  } finally {
    await Promise.all(brokers.map((broker) => broker.stop()));
  }
}

/** Every client has issued once. @returns a run of the load. */
async function warmedUp(
  broker: BrevetServer,
  { plan, generator, clients }: Setting,
): Promise<Contender<Figure>['run']> {
  const key = newAgentKey();
  await populate(broker, key);
  if (clients.length > 1) {
    await fillTenants(broker, clients.length + 1);
    await sealKeys(broker);
  }
  const ask = {
    ...brevetAsk(broker, key),
    path: '/t/{tenant}/token',
    audience: `${broker.publicUrl}/t/{tenant}`,
    tenants: clients,
    connections: CONNECTIONS,
  };
  await generator.run({ ...ask, requests: Math.max(plan.warmUp, clients.length) });
  return async () => {
    const { perSecond } = await generator.run({ ...ask, ...plan.window });
    return { perSecond, resident: await residentMegabytes(broker.process.pid) };
  };
}

/** The same at many tenants is one act over all of them, as it should be; here it must not ask. */
const MOST_TENANTS = 10_000;

async function withRules(policy: string, rules: Rules): Promise<void> {
  const whole = join(policy, 'bundle.yaml');
  const said = parseDocument(await readFile(whole, 'utf8'));
  said.setIn(['many_tenants', 'most'], MOST_TENANTS);
  await writeFile(whole, said.toString());
  for (const [path, text] of Object.entries(rules)) {
    await mkdir(dirname(join(policy, path)), { recursive: true });
    await writeFile(join(policy, path), text);
  }
}
