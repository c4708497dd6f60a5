/**
 * A whole broker over a database of its own, with real providers, as an administrator would have set it up through
 * the API; and further nodes on the same database.
 */
import { NO_CHANNELS } from '../../src/config.ts';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import postgres from 'postgres';
import { takeIn } from '../../src/administer/take-in.ts';
import { createApp } from '../../src/app.ts';
import type { Channel } from '../../src/core/channel.ts';
import { DEMAND_KEY_USE, signDemand } from '../../src/core/local-token.ts';
import type { OperatorName } from '../../src/core/ids.ts';
import type { Log } from '../../src/core/log.ts';
import type { Provider } from '../../src/core/provider.ts';
import type { BundleFiles } from '../../src/core/registers.ts';
import { createKeyring } from '../../src/core/seal.ts';
import type { Keyring } from '../../src/core/seal.ts';
import { instant, numericDate } from '../../src/core/time.ts';
import type { Deps } from '../../src/deps.ts';
import { readBundle } from '../../src/node/first-bundle.ts';
import { makeNode } from '../../src/node/parts.ts';
import type { NodeParts } from '../../src/node/parts.ts';
import { openStore } from '../../src/store/open.ts';
import { runFolder } from './leftovers.ts';
import { withoutCases } from './policy.ts';
import { filledDatabase, testDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';
import { random } from './target.ts';
import type { ClientDatabase } from './target.ts';

const BEAT_EVERY_MS = 10_000;
export const PUBLIC_URL = 'https://brevet.example';
export const issuerOf = (tenant: string): string => `${PUBLIC_URL}/t/${tenant}`;

const POLICY = new URL('../../policy', import.meta.url).pathname;

export interface Sent {
  readonly token?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address at the other end of the socket: loopback unless told; `null` for none. */
  readonly from?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON, where it is an object. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TestNode {
  readonly deps: Deps;
  readonly app: ReturnType<typeof createApp>;
  call(method: string, path: string, sent?: Sent): Promise<Answer>;
}

export interface NodeOptions {
  readonly channels?: readonly Channel[];
  readonly around?: (provider: Provider) => Provider;
  readonly operators?: NodeParts['config']['operators'];
  /** The whole of what comes in from outside, changed: a clock that is ahead, a store that fails. */
  readonly deps?: (deps: Deps) => Deps;
}

export interface TestApp extends TestNode {
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  /** The secrets that were planted while it was set up, by what they are. */
  readonly planted: Map<string, string>;
  readonly logged: string[];
  readonly keys: { readonly [client: string]: JWK };
  /** Another node on the same database. */
  node(options?: NodeOptions): Promise<TestNode>;
  /** The session token of an agent. */
  session(agent?: string, tenant?: string): Promise<string>;
  assertion(client: string, tenant?: string, claims?: Record<string, unknown>): Promise<string>;
  /** As an operator with a local token. */
  operator(name: string, method: string, path: string, body?: unknown): Promise<Answer>;
  localToken(name: string): Promise<string>;
  sql<T extends object = Record<string, unknown>>(statement: string): Promise<readonly T[]>;
  /** Its nodes alone. */
  stop(): Promise<void>;
  /** With its database. */
  close(): Promise<void>;
}

/** @param database a client's own database, which acme then has as its target `shop-db`. */
export async function testApp(
  options: NodeOptions & { readonly database?: ClientDatabase; readonly world?: boolean } = {},
): Promise<TestApp> {
  if (options.world === false) return foundedApp(await testDatabase(), newStart(), options);
  const database = await filledDatabase(WORLD, keepWorld);
  const kept = JSON.parse(await readFile(keptWorld(), 'utf8')) as Start;
  const app = await openApp(database, { ...kept, isCopy: true }, options);
  // Its entry comes before what a test counts.
  await app.localToken('ada');
  if (options.database !== undefined) await putShop(app, options.database);
  return app;
}

/** What is known of a database beside what is in it. */
interface Start {
  /** In base64. */
  readonly deploymentKey: string;
  readonly keys: Record<string, JWK>;
  readonly logged: string[];
  /** Of a database on which a node was started before. */
  readonly isCopy?: boolean;
}

const newStart = (): Start => ({ deploymentKey: Buffer.from(random(32)).toString('base64'), keys: {}, logged: [] });

/** The template of a run, and where its keys are. */
const WORLD = 'brevet_world';
const keptWorld = (): string => join(runFolder(), 'world.json');

/** Through the API, once in a run: each test then has a copy. */
async function keepWorld(database: TestDatabase): Promise<void> {
  const start = newStart();
  const app = await foundedApp(database, start, {});
  try {
    await makeWorld(app, start.keys);
  } finally {
    await app.stop();
  }
  await writeFile(keptWorld(), JSON.stringify(start), { mode: 0o600 });
}

/** Without any policy yet. */
export const emptyApp = async (): Promise<TestApp> => openApp(await testDatabase(), newStart(), {});

/** With the starting bundle, and nobody in it. */
async function foundedApp(database: TestDatabase, start: Start, options: NodeOptions): Promise<TestApp> {
  const app = await openApp(database, start, options);
  await takeIn(app.deps, await rulesOnDisk());
  return app;
}

async function openApp(
  database: TestDatabase,
  { deploymentKey: encoded, keys, logged, isCopy = false }: Start,
  options: NodeOptions,
): Promise<TestApp> {
  const deploymentKey = Buffer.from(encoded, 'base64');
  const keyring = await createKeyring(deploymentKey, random);
  const log = loggingTo(logged);
  const closing: (() => Promise<void>)[] = [];
  const tokens = new Map<string, string>();
  const planted = new Map([
    ['deployment key', encoded],
    ['deployment key in hex', deploymentKey.toString('hex')],
    ...Object.entries(keys).map(([whose, key]) => [`the key of ${whose}`, key.d ?? ''] as const),
  ]);

  const node = async (more: NodeOptions = {}): Promise<TestNode> => {
    const name = `node-${closing.length + 1}`;
    const store = await openStore({
      database: database.serve,
      keyring,
      node: name,
      log,
      mode: 'node',
      poolSize: 4,
      // Once for each database that is no copy: the login and the server are the same for all.
      checked: isCopy || closing.length > 0,
    });
    const { operators = null, channels = [], around } = more;
    const config = {
      publicUrl: PUBLIC_URL,
      operators,
      allowPrivateHosts: ['127.0.0.1', 'localhost'],
      channels: NO_CHANNELS,
    };
    const made = await makeNode({
      config,
      store,
      keyring,
      log,
      node: name,
      channels,
      ...(around === undefined ? {} : { around }),
    });
    closing.push(async () => {
      await made.close();
      await store.close();
    });
    const deps = more.deps === undefined ? made.deps : more.deps(made.deps);
    const app = createApp(() => deps);
    return { deps, app, call: (method, path, sent) => callApp(app, method, path, sent) };
  };

  const first = await node(options);
  await first.deps.store.beat('test');
  // A busy machine takes longer over a test than one beat lasts. What a test breaks on purpose may break this too.
  const beating = setInterval(() => void first.deps.store.beat('test').catch(() => undefined), BEAT_EVERY_MS).unref();

  const localToken = async (name: string): Promise<string> => {
    const known = tokens.get(name);
    if (known !== undefined) return known;
    const claims = { operator: name as OperatorName, jti: randomUUID(), audience: PUBLIC_URL };
    const demand = await signDemand(keyring.derive(DEMAND_KEY_USE), claims, first.deps.clock());
    const { body } = must(await first.call('POST', '/api/local-tokens', { body: { demand } }));
    tokens.set(name, String(body['token']));
    return String(body['token']);
  };
  const operator: TestApp['operator'] = async (name, method, path, body) =>
    first.call(method, path, { token: await localToken(name), ...(body === undefined ? {} : { body }) });
  const assertion: TestApp['assertion'] = (client, tenant = 'acme', claims = {}) =>
    signAssertion(keys[`${client}@${tenant}`], client, tenant, numericDate(first.deps.clock()), claims);

  // One connection for all that a test asks: each more would cost as much as what it asks.
  const asked = postgres({ ...database.admin, max: 1, onnotice: () => {} });
  const stop = async () => {
    clearInterval(beating);
    await Promise.all([asked.end(), ...closing.map((close) => close())]);
  };
  return {
    ...first,
    database,
    keyring,
    planted,
    logged,
    keys,
    node,
    localToken,
    operator,
    assertion,
    session: async (agent = 'triage-bot', tenant = 'acme') => {
      const form = clientForm(await assertion(agent, tenant));
      return String(must(await first.call('POST', `/t/${tenant}/token`, { form })).body['access_token']);
    },
    sql: async (statement) => asked.unsafe(statement),
    stop,
    async close() {
      await stop();
      await database.drop();
    },
  };
}

/** The starting bundle, as it is on disk. */
export async function bundleOnDisk(): Promise<BundleFiles> {
  const files = await readBundle(POLICY);
  if (files === null) throw new Error('there is no policy');
  return files;
}

/** Without its cases, which no decision reads and which are the most of what there is to read. */
export const rulesOnDisk = async (): Promise<BundleFiles> => withoutCases(await bundleOnDisk());

const loggingTo = (lines: string[]): Log => {
  const write = (level: string) => (event: string, facts?: unknown) => {
    lines.push(JSON.stringify({ level, event, facts }));
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
};

export async function callApp(
  app: ReturnType<typeof createApp>,
  method: string,
  path: string,
  { token, body, form, headers = {}, from = '127.0.0.1' }: Sent = {},
): Promise<Answer> {
  const type = body !== undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const content = body !== undefined ? JSON.stringify(body) : form && new URLSearchParams(form).toString();
  const init = {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(content === undefined ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(content === undefined ? {} : { body: content }),
  };
  const env = from === null ? {} : { incoming: { socket: { remoteAddress: from } } };
  return answerOf(await app.request(path, init, env));
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, body: parsed as Answer['body'] };
}

/** One that must have succeeded. */
export function must(answer: Answer): Answer {
  if (answer.status < 300) return answer;
  throw new Error(`${answer.status} ${answer.text}`);
}

export const clientForm = (assertion: string, more: Readonly<Record<string, string>> = {}) => ({
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
  ...more,
});

async function signAssertion(
  key: JWK | undefined,
  client: string,
  tenant: string,
  now: number,
  claims: Record<string, unknown>,
): Promise<string> {
  if (key === undefined) throw new Error(`${client} has no key at ${tenant}`);
  const issuer = issuerOf(tenant);
  return new SignJWT({ iss: client, sub: client, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60, ...claims })
    .setProtectedHeader({ alg: key.alg ?? 'ES256' })
    .sign(await importJWK(key, key.alg ?? 'ES256'));
}

export const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'tests',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
};

/** What a client's contract says of that agent's vendor and model. */
export const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};
export const VENDOR = { trains_on_client_data: false, retention_days: 0 };

/** What an administrator puts as the agent of that name, with changes. */
export const agentBody = (more: Record<string, unknown> = {}) => ({ ...AGENT, ...more });

const jwtTarget = (audience: string, more: Record<string, unknown> = {}) => ({
  provider: 'jwt',
  config: { audience, checks: 'introspection' },
  environment: 'production',
  ...more,
});

/** Nothing is new here, so that tiers are what the bundle says. */
export const ACCEPTED = {
  model_version: AGENT.model_version,
  tasks: ['ticket.route', 'ticket.categorize', 'firewall.change', 'kb.draft', 'kb.publish', 'report.query'],
  reason: 'A test',
};

/**
 * Two tenants, acme and birch, with targets of their own; ada administers, otto oversees both, paula approves at both, olga owns the agents;
 * triage-bot and report-bot work at acme, birch-bot at birch.
 */
async function makeWorld(app: TestApp, keys: Record<string, JWK>): Promise<void> {
  const put = async (path: string, body: unknown) => must(await app.operator('ada', 'PUT', path, body));
  const assign = async (body: unknown) => must(await app.operator('ada', 'POST', '/api/assignments', body));
  const keyOf = async (client: string, tenant: string) => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(pair.privateKey)), alg: 'ES256' };
    keys[`${client}@${tenant}`] = key;
    return await exportJWK(pair.publicKey);
  };
  await put('/api/vendors/in-house', VENDOR);
  for (const tenant of ['acme', 'birch']) {
    await put(`/api/tenants/${tenant}`, { display_name: tenant, autonomy: 'autonomous', terms: TERMS });
    await put(`/api/tenants/${tenant}/targets/tickets`, {
      ...jwtTarget(`https://tickets.${tenant}.example`),
      jwk: await keyOf('target:tickets', tenant),
    });
  }
  for (const name of ['olga', 'dana', 'otto', 'paula']) await put(`/api/people/${name}`, { display_name: name });
  await put('/api/operators/otto', { person: 'otto' });
  await put('/api/tenants/acme/targets/other', {
    ...jwtTarget('https://other.acme.example'),
    jwk: await keyOf('target:other', 'acme'),
  });
  await put('/api/tenants/acme/targets/gate', {
    ...jwtTarget('https://gate.acme.example'),
    config: { audience: 'https://gate.acme.example', checks: 'offline' },
  });
  await put('/api/tenants/acme/targets/passwords', {
    ...jwtTarget('https://passwords.acme.example'),
    data_classes: ['credentials'],
  });
  const held: readonly (readonly [agent: string, tenant: string, roles: readonly string[]])[] = [
    ['triage-bot', 'acme', ['triage', 'network', 'documentation']],
    ['report-bot', 'acme', ['reporting']],
    ['birch-bot', 'birch', ['triage']],
  ];
  for (const [agent, tenant, roles] of held) {
    await put(`/api/agents/${agent}`, AGENT);
    await put(`/api/tenants/${tenant}/enrolments/${agent}`, { jwk: await keyOf(agent, tenant) });
    await put(`/api/tenants/${tenant}/acceptances/${agent}`, ACCEPTED);
    for (const role of roles) await assign({ tenant, holder: { agent }, role });
  }
  for (const tenant of ['acme', 'birch']) {
    await assign({ tenant, holder: { person: 'otto' }, role: 'overseer' });
    await assign({ tenant, holder: { person: 'paula' }, role: 'approver' });
  }
}

async function putShop(app: TestApp, { config, secret }: ClientDatabase): Promise<void> {
  app.planted.set('the target’s admin secret', secret.reveal());
  const target = { provider: 'postgres', config, secret: secret.reveal(), environment: 'production' };
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/shop-db', target));
}

/** Access requests that the starting bundle permits, asks about and forbids. */
export const PERMITTED = {
  task: 'ticket.route',
  resource: 'tickets',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'A ticket came in',
};
export const ASKED = {
  task: 'firewall.change',
  resource: 'tickets',
  parameters: { rule: 'block-telnet', action: 'close', port: 23 },
  reason: 'Telnet is open to the world',
  change: 'CHG-1',
  rollback: 'Open it again',
};
export const FORBIDDEN = { ...PERMITTED, resource: 'passwords' };
export const REPORT = { task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'The daily report' };
export const PUBLISHED = {
  task: 'kb.publish',
  resource: 'tickets',
  parameters: { article: 'kb-1' },
  reason: 'It answers what people ask',
};

/** A clock that is ahead of the database's by so much, for one node. */
export const ahead =
  (ms: () => number) =>
  (deps: Deps): Deps => ({ ...deps, clock: () => instant(deps.clock() + ms()) });
