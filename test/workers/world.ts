/** Brevet on workerd: its database on TCP, put in order by a node as an operator would, and the Worker beside it. */
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { createTestHarness } from 'wrangler';
import type { TestHarness } from 'wrangler';
import { localToken, must } from '../../src/cli/demo/world.ts';
import { ASSERTION_TYPE, createProver } from '../../src/client/assertion.ts';
import type { Prover } from '../../src/client/assertion.ts';
import { readConfig } from '../../src/config.ts';
import type { Log } from '../../src/core/log.ts';
import { instant } from '../../src/core/time.ts';
import { connectionUrl } from '../../src/embedded/connection.ts';
import type { Connection } from '../../src/embedded/connection.ts';
import { provision } from '../../src/embedded/provision.ts';
import { startEmbedded } from '../../src/embedded/server.ts';
import { serveOn } from '../../src/node.ts';
import { random } from '../../src/node/parts.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { freePort } from '../support/port.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export const PUBLIC_URL = 'https://brevet.example';
export const DEPLOYMENT_KEY = randomBytes(32).toString('base64');

const silent: Log = { info: () => undefined, warn: () => undefined, error: (...line) => console.error(...line) };

/** A Postgres that listens on TCP, since workerd reaches no other, with Brevet's logins and an empty database. */
export interface WorkersDatabase {
  readonly port: number;
  readonly owner: Connection;
  readonly serve: Connection;
  readonly superuser: Connection;
  stop(): Promise<void>;
}

export async function workersDatabase(): Promise<WorkersDatabase> {
  const port = await freePort();
  const server = await startEmbedded({
    dataDir: await temporaryFolder('workers'),
    note: 'tests of workers',
    tcp: { port },
  });
  const { owner, serve } = await provision(server);
  const overTcp = (to: Connection): Connection => ({ ...to, host: '127.0.0.1' });
  return {
    port,
    owner: overTcp(owner),
    serve: overTcp(serve),
    superuser: overTcp(server.connection(serve.database)),
    stop: () => server.stop(),
  };
}

export interface Keys {
  readonly agent: JWK;
  readonly target: JWK;
}

const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'Routes tickets',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
  data: [],
};

export interface SetUpOptions {
  /** The folder of another bundle. */
  readonly policy?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What else the administrator does. */
  readonly more?: (by: {
    readonly url: string;
    readonly token: string;
    put(path: string, body: unknown): Promise<unknown>;
    assign(body: unknown): Promise<unknown>;
  }) => Promise<void>;
}

/** As `deploy/workers/README.md` has it: a node migrates, takes the policy in, and is spoken to for the set-up. */
export async function setUp(database: WorkersDatabase, options: SetUpOptions = {}): Promise<Keys> {
  const config = readConfig({
    DATABASE_URL: connectionUrl(database.serve),
    BREVET_MIGRATE_URL: connectionUrl(database.owner),
    BREVET_DEPLOYMENT_KEY: DEPLOYMENT_KEY,
    BREVET_PUBLIC_URL: PUBLIC_URL,
    BREVET_LISTEN: `127.0.0.1:${await freePort()}`,
    BREVET_POLICY_DIR: options.policy ?? join(ROOT, 'policy'),
    ...options.env,
  });
  if (!config.ok || config.value.database.kind !== 'configured') throw new Error(JSON.stringify(config));
  const { migrate, serve } = config.value.database;
  const node = await serveOn({ owner: { url: migrate }, serve: { url: serve } }, config.value, silent);
  try {
    const token = await localToken(node.deps, node.url, 'ada');
    const put = (path: string, body: unknown) => must(node.url, 'PUT', path, { token, body });
    const assign = (body: unknown) => must(node.url, 'POST', '/api/assignments', { token, body });
    for (const name of ['olga', 'dana', 'otto']) await put(`/api/people/${name}`, { display_name: name });
    await put('/api/operators/otto', { person: 'otto' });
    await put('/api/vendors/in-house', { trains_on_client_data: false, retention_days: 0 });
    await put('/api/tenants/acme', { display_name: 'Acme Retail', autonomy: 'autonomous', terms: TERMS });
    await put('/api/agents/triage-bot', AGENT);
    const agent = await keyPair();
    const target = await keyPair();
    await put('/api/tenants/acme/enrolments/triage-bot', { jwk: agent.open });
    await put('/api/tenants/acme/acceptances/triage-bot', {
      model_version: AGENT.model_version,
      tasks: ['ticket.route'],
      reason: 'A test',
    });
    await put('/api/tenants/acme/targets/desk', {
      provider: 'jwt',
      config: { audience: 'https://desk.acme.example', checks: 'introspection' },
      jwk: target.open,
      environment: 'production',
    });
    await assign({ tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' });
    await assign({ tenant: 'acme', holder: { person: 'otto' }, role: 'overseer' });
    await options.more?.({ url: node.url, token, put, assign });
    return { agent: agent.secret, target: target.secret };
  } finally {
    await node.stop();
  }
}

async function keyPair(): Promise<{ readonly open: JWK; readonly secret: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { open: await exportJWK(publicKey), secret: { ...(await exportJWK(privateKey)), alg: 'ES256' } };
}

/** Makes assertions for the OAuth endpoints of `acme`. */
export function proverOf(client: string, key: JWK): Prover {
  const clock = () => instant(Date.now());
  return createProver(client, `${PUBLIC_URL}/t/acme`, { key }, { clock, random });
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Client = (
  endpoint: string,
  form: Readonly<Record<string, string>>,
  more?: { readonly assertion?: string; readonly signal?: AbortSignal },
) => Promise<Answer>;

/** A caller at the OAuth endpoints of `acme`, with a fresh assertion for each call unless one is given. */
export function clientOf(url: URL, prove: Prover): Client {
  return async (endpoint, form, { assertion, signal } = {}) => {
    const body = new URLSearchParams({
      ...form,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion ?? (await prove()),
    });
    const response = await fetch(new URL(`/t/acme/${endpoint}`, url), { method: 'POST', body, signal: signal ?? null });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
  };
}

export interface WorkerOptions {
  /** Another way to the same database. */
  readonly url?: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface RunningWorker {
  readonly harness: TestHarness;
  readonly url: URL;
}

/** The Worker as `wrangler.toml` has it. Rejects when workerd does not start. */
export async function startWorker(database: WorkersDatabase, options: WorkerOptions = {}): Promise<RunningWorker> {
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  process.env['CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE'] =
    options.url ?? connectionUrl(database.serve);
  const harness = createTestHarness({
    root: ROOT,
    workers: [
      {
        configPath: 'wrangler.toml',
        vars: { BREVET_PUBLIC_URL: PUBLIC_URL, ...options.vars },
        secrets: { BREVET_DEPLOYMENT_KEY: DEPLOYMENT_KEY, ...options.secrets },
      },
    ],
  });
  return { harness, url: (await harness.listen()).url };
}

/** One pass: its minute is long over. */
export async function sweepOnce({ harness }: RunningWorker): Promise<string> {
  // The harness types what it answers by a package of types that is not installed.
  const sweeping = harness.getWorker().scheduled({ cron: '* * * * *', scheduledTime: new Date(0) });
  const { outcome } = (await (sweeping as Promise<unknown>)) as { readonly outcome: string };
  return outcome;
}
