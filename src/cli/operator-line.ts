/**
 * How an operator's commands reach the broker: with a token of the MSP's issuer, or, on the machine that holds the
 * deployment key, with a local one that is asked for at each call and written to the ledger.
 */
import { randomBytes } from 'node:crypto';
import { deploymentKeyBytes, deploymentKeyFile, isOpenToOthers, readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { call, openLine } from '../client/call.ts';
import type { Line, Outgoing } from '../client/call.ts';
import { BrevetRefused } from '../client/error.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import { DEMAND_KEY_USE, signDemand } from '../core/local-token.ts';
import type { DemandFor } from '../core/local-token.ts';
import { isLoopback } from '../core/loopback.ts';
import { createKeyring } from '../core/seal.ts';
import { Secret } from '../core/secret.ts';
import { instant } from '../core/time.ts';
import { UsageError } from './command.ts';
import type { Given, Options } from './command.ts';
import { readFileWithMode, readText } from './files.ts';

export const OPERATOR_OPTIONS: Options = {
  as: { takes: 'NAME', says: 'act as this operator, by the deployment key on this machine (or BREVET_AS)' },
  'token-file': { takes: 'FILE', says: 'a token of your OIDC issuer; - is stdin (or BREVET_OPERATOR_TOKEN)' },
  broker: { takes: 'URL', says: 'where it is (or BREVET_URL; otherwise on this machine)' },
};

/** For each try. Activating a policy and checking a target take the longest. */
const TIMEOUT_MS = 30_000;

export type Body = Readonly<Record<string, unknown>>;

/** Calls in an operator's name. */
export interface OperatorLine {
  send(request: Omit<Outgoing, 'token' | 'idempotencyKey'>): Promise<Body>;
  /** One item of a register and its tag; `null` where there is none. */
  read(path: string): Promise<{ readonly item: Body; readonly etag: string | null } | null>;
  /** Every item of a list, page after page. */
  all(path: string, query?: Query): Promise<readonly Body[]>;
  /** The item of a list that has this id. @throws {BrevetRefused} where none has. */
  find(path: string, id: string, query?: Query): Promise<Body>;
}

/** What is `undefined` is left out. */
export type Query = Readonly<Record<string, string | undefined>>;

export async function operatorLine(given: Given): Promise<OperatorLine> {
  const { line, token } = await authenticated(given);
  const ask = async (request: Omit<Outgoing, 'token' | 'idempotencyKey'>) => {
    const creates = request.method === 'POST' ? { idempotencyKey: randomBytes(16).toString('hex') } : {};
    const made = { ...request, ...creates, token: token.reveal() };
    return call(line, () => Promise.resolve(made), { timeout: TIMEOUT_MS });
  };
  const send: OperatorLine['send'] = async (request) => (await ask(request)).body;
  return {
    send,
    read: async (path) => {
      try {
        const { body, etag } = await ask({ method: 'GET', path });
        return { item: body, etag };
      } catch (error) {
        if (error instanceof BrevetRefused && error.status === 404) return null;
        throw error;
      }
    },
    all: async (path, query = {}) => {
      const items: Body[] = [];
      for await (const page of pagesOf(send, path, query)) items.push(...page);
      return items;
    },
    find: async (path, id, query = {}) => {
      for await (const page of pagesOf(send, path, query)) {
        const found = page.find((item) => item['id'] === id);
        if (found !== undefined) return found;
      }
      const { code, detail, hint = null } = NOTHING_HERE;
      throw new BrevetRefused({
        status: 404,
        code,
        detail,
        hint,
        path: null,
        requestId: null,
        retryAfterMs: null,
        members: {},
      });
    },
  };
}

async function* pagesOf(send: OperatorLine['send'], path: string, query: Query): AsyncGenerator<readonly Body[]> {
  for (let cursor: unknown = undefined; cursor !== null;) {
    const at = typeof cursor === 'string' ? { ...query, cursor } : query;
    const page = await send({ method: 'GET', path: withQuery(path, at) });
    yield (page['items'] ?? []) as Body[];
    cursor = page['cursor'] ?? null;
  }
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

async function authenticated(given: Given): Promise<Authenticated> {
  const as = given.text('as') ?? process.env['BREVET_AS'];
  const file = given.text('token-file');
  const kept = (file === undefined ? (process.env['BREVET_OPERATOR_TOKEN'] ?? '') : readText(file)).trim();
  if (file !== undefined || kept !== '') requireToken(kept, file ?? 'BREVET_OPERATOR_TOKEN');
  if (given.text('as') === undefined && kept) return { line: openLine(urlOf(given, null)), token: new Secret(kept) };
  if (as) return localToken(given, as);
  throw new UsageError(
    'say who calls: --as NAME on the machine that holds the deployment key, or --token-file or BREVET_OPERATOR_TOKEN',
  );
}

/** What is none would not even be sent. @see RFC 6750 section 2.1 @throws {UsageError} without showing it. */
function requireToken(text: string, from: string): void {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) throw new UsageError(`${from}: this is no token`);
}

/** How the broker is reached, and what it is shown. */
interface Authenticated {
  readonly line: Line;
  readonly token: Secret;
}

/** @returns a token, of which the broker has written down that it was made. */
export async function localToken(given: Given, as: string): Promise<Authenticated> {
  const { line, body } = await demanded(given, as, { path: '/api/local-tokens', what: 'token' });
  const { token } = body;
  if (typeof token !== 'string') throw new TypeError('the broker answered no token');
  return { line, token: new Secret(token) };
}

/** Back to set-up. @returns what the broker answers. */
export const recovery = async (given: Given, as: string): Promise<Body> =>
  (await demanded(given, as, { path: '/api/recoveries', what: 'recovery' })).body;

/** Signs a demand with the deployment key; the broker does it, and writes it down. */
async function demanded(
  given: Given,
  as: string,
  { path, what }: { readonly path: string; readonly what: DemandFor },
): Promise<{ readonly line: Line; readonly body: Body }> {
  const operator = parseName('operator', as, '--as');
  if (!operator.ok) throw new UsageError(`${operator.error.detail}: ${operator.error.hint}`);
  const config = brokerConfig();
  const line = openLine(urlOf(given, config));
  const key = await demandKey(config);
  const audience = audienceOf(config, line);
  // Anew for each try: it is good once.
  const make = async (): Promise<Outgoing> => {
    const claims = { operator: operator.value, jti: randomBytes(16).toString('hex'), audience };
    return { method: 'POST', path, body: { demand: await signDemand(key, claims, instant(Date.now()), what) } };
  };
  return { line, body: (await call(line, make, { timeout: TIMEOUT_MS })).body };
}

/** The broker's own settings, as this machine's environment has them. @throws {UsageError} */
function brokerConfig(): Config {
  const config = readConfig(process.env, readFileWithMode);
  if (config.ok) return config.value;
  const problems = config.error.map(({ name, what, remedy }) => `  ${name} ${what}. ${remedy}`);
  throw new UsageError(`the broker's settings have problems:\n${problems.join('\n')}`);
}

async function demandKey({ deploymentKey, dataDir }: Config): Promise<Uint8Array> {
  const bytes = deploymentKeyBytes(deploymentKey ?? keyIn(dataDir));
  if (bytes === null) throw new UsageError(`${deploymentKeyFile(dataDir)} holds no deployment key`);
  const keyring = await createKeyring(bytes, (count) => randomBytes(count));
  return keyring.derive(DEMAND_KEY_USE);
}

function keyIn(dataDir: string): Secret {
  const path = deploymentKeyFile(dataDir);
  const file = readFileWithMode(path);
  if ('why' in file) {
    const remedy = 'set BREVET_DATA_DIR or BREVET_DEPLOYMENT_KEY_FILE as the broker has it';
    throw new UsageError(`no deployment key at ${path} (${file.why}): ${remedy}`);
  }
  if (isOpenToOthers(file.mode)) throw new UsageError(`others can read ${path}: run chmod 600 ${path}`);
  return new Secret(file.text.trim());
}

/** A local token works on loopback alone, so the broker on this machine is called there. */
function urlOf(given: Given, config: Config | null): string {
  const url = given.text('broker') ?? process.env['BREVET_URL'];
  if (url) return url;
  const local = config ?? readLocal();
  return local === null ? 'http://127.0.0.1:8420' : `http://127.0.0.1:${local.listen.port}`;
}

function readLocal(): Config | null {
  const config = readConfig(process.env, readFileWithMode);
  return config.ok ? config.value : null;
}

/** The broker's public URL: as set, or as a broker that listens on that port takes it by itself. */
function audienceOf(config: Config, line: Line): string {
  const { hostname, port } = new URL(line.url);
  const isSet = Boolean(process.env['BREVET_PUBLIC_URL']);
  return !isSet && isLoopback(hostname) ? `http://localhost:${port}` : config.publicUrl;
}
