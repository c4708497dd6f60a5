/**
 * A broker's world for tests that end, stop and part its nodes: one database, one client's Postgres, and everything in
 * them made through the API. The nodes come and go; the world stays.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentSession } from '../../src/cli/demo/session.ts';
import { call, localToken, must, populate } from '../../src/cli/demo/world.ts';
import type { World as Seeded } from '../../src/cli/demo/world.ts';
import { readConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import type { Provider } from '../../src/core/provider.ts';
import { createKeyring } from '../../src/core/seal.ts';
import type { Store } from '../../src/core/store.ts';
import { connectionUrl } from '../../src/embedded/connection.ts';
import type { Connection } from '../../src/embedded/connection.ts';
import { deploymentKey } from '../../src/node/key.ts';
import { nodeName, random } from '../../src/node/parts.ts';
import { serveNode } from '../../src/node/serve.ts';
import type { Serving } from '../../src/node/serve.ts';
import { readBundle } from '../../src/node/first-bundle.ts';
import { openStore } from '../../src/store/open.ts';
import { withoutBudgetsOrBreakers } from './policy.ts';
import { testDatabase } from './postgres.ts';
import { clientDatabase, processClock } from './target.ts';
import type { ClientDatabase } from './target.ts';
import { silent } from './store.ts';

/** What issuers are named after; each node listens elsewhere. */
const PUBLIC_URL = 'http://localhost:8420';

/** Brevet's database as nodes reach it, and as the superuser who sees everything. */
export interface BrokerDatabase {
  readonly owner: Connection;
  readonly serve: Connection;
  readonly admin: Connection;
}

export interface KillWorld extends Seeded {
  readonly publicUrl: string;
  readonly database: BrokerDatabase;
  /** The client's Postgres: the target `shop-db` of `acme`. */
  readonly client: ClientDatabase;
  /** The settings of a node, without where it listens. */
  readonly env: Readonly<Record<string, string>>;
  /** A local token, good for at least half of its ten minutes. */
  token(url: string, operator: 'ada' | 'otto'): Promise<string>;
  /** A node in this process. */
  serve(more?: NodeMore): Promise<Serving>;
  close(): Promise<void>;
}

export interface NodeMore {
  readonly around?: (provider: Provider) => Provider;
  readonly wrap?: (store: Store) => Store;
}

export interface WorldOptions {
  /** A database of its own, for a test that restarts it. */
  readonly database?: BrokerDatabase & { drop(): Promise<void> };
  readonly client?: ClientDatabase;
  /** Changes the copy of the shipped bundle that the world begins with. */
  readonly edit?: (folder: string) => Promise<void>;
}

export async function killWorld(options: WorldOptions = {}): Promise<KillWorld> {
  const database = options.database ?? (await testDatabase());
  const client = options.client ?? (await clientDatabase({ max_connections: '300' }));
  const policy = await mkdtemp(join(tmpdir(), 'brevet-policy-'));
  const env = settings(database, await withoutBudgetsOrBreakers(policy));
  await options.edit?.(policy);
  const serve = (more: NodeMore = {}): Promise<Serving> => nodeHere(configOf(env), database.serve, more);
  const serving = await serve();
  const target = { provider: 'postgres', config: client.config, secret: client.secret.reveal() };
  const whole = { ...target, environment: 'production', data_classes: [] };
  const seeded = await populate(serving.deps, serving.url, { database: whole });
  await serving.stop();
  return {
    ...seeded,
    publicUrl: PUBLIC_URL,
    database,
    client,
    env,
    token: await tokens(env),
    serve,
    async close() {
      await client.remove();
      await database.drop();
      await rm(policy, { recursive: true });
    },
  };
}

const FRESH_FOR_MS = 300_000;

async function tokens(env: Readonly<Record<string, string>>): Promise<KillWorld['token']> {
  const keyring = await createKeyring(await deploymentKey(configOf(env), async () => null), random);
  const held = new Map<string, { readonly token: string; readonly since: number }>();
  return async (url, operator) => {
    const known = held.get(operator);
    if (known !== undefined && performance.now() - known.since < FRESH_FOR_MS) return known.token;
    const token = await localToken({ keyring, publicUrl: PUBLIC_URL, clock: processClock }, url, operator);
    held.set(operator, { token, since: performance.now() });
    return token;
  };
}

const settings = ({ serve, owner }: BrokerDatabase, policy: string): Record<string, string> => ({
  DATABASE_URL: connectionUrl(serve),
  BREVET_MIGRATE_URL: connectionUrl(owner),
  BREVET_DEPLOYMENT_KEY: randomBytes(32).toString('base64'),
  BREVET_PUBLIC_URL: PUBLIC_URL,
  BREVET_POLICY_DIR: policy,
  BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
});

export function configOf(env: Readonly<Record<string, string>>): Config {
  const config = readConfig(env);
  if (config.ok) return config.value;
  throw new Error(config.error.map(({ name, what }) => `${name} ${what}`).join('; '));
}

async function nodeHere(config: Config, database: Connection, { around, wrap }: NodeMore): Promise<Serving> {
  const keyring = await createKeyring(await deploymentKey(config, async () => null), random);
  const node = nodeName();
  const store = await openStore({ database, keyring, node, log: silent, mode: 'node' });
  return serveNode(
    {
      config,
      store: wrap === undefined ? store : wrap(store),
      keyring,
      log: silent,
      node,
      ...(around === undefined ? {} : { around }),
    },
    { listen: { host: '127.0.0.1', port: 0 }, bundle: await readBundle(config.policyDir) },
  );
}

export type AgentOfWorld = keyof Seeded['keys'];

export const sessionAt = (world: KillWorld, url: string, agent: AgentOfWorld): Promise<string> =>
  agentSession(url, world.publicUrl, agent, world.keys[agent]);

/** What an administrator does, which must succeed. */
export const administer = async (world: KillWorld, url: string, method: string, path: string, body?: unknown) =>
  must(url, method, path, { token: await world.token(url, 'ada'), ...(body === undefined ? {} : { body }) });

export { call, must };
