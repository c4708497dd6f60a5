/**
 * Calls of one Vault, bounded in time and size, over node-vault: which builds the requests and tells errors apart, while
 * what carries them is ours. By itself it would follow redirects with the token, take proxies, tokens and TLS settings
 * from the broker's own environment, and write bodies to a debug log.
 */
import type nodeVault from 'node-vault';
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { FetchFailed, FetchRefused } from '../../core/fetch.ts';
import type { Exchange, GuardedAnswer } from '../../core/fetch.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Secret } from '../../core/secret.ts';
import { milliseconds } from '../../core/time.ts';
import type { Milliseconds } from '../../core/time.ts';
import type { VaultConfig } from './config.ts';

/** A call that takes longer is given up; a synchronous revocation waits for a database. */
export const PATIENCE = milliseconds(5_000);
/** A listing of ten thousand leases is below it. */
const MOST_BYTES = 1_048_576;

const SERVER_FAULT = 500;

/** Vault answered with an error, by its status: what it says may quote what was sent, and is not kept. */
export class VaultRefusal extends ProviderUnavailable {
  readonly status: number;

  constructor(what: string, status: number) {
    super(`Vault answered ${status} to ${what}`);
    this.status = status;
  }

  /** It is up, and says no to this alone. */
  override get answered(): boolean {
    return this.status < SERVER_FAULT;
  }
}

export const DENIED = 403;
/** What is not there: a listing says 404, an accessor 400 or 404 (and 403 in older ones, which is not believed). */
export const isAbsence = (fault: unknown): boolean =>
  fault instanceof VaultRefusal && (fault.status === 400 || fault.status === 404);

export interface Vault {
  read(token: Secret | null, path: string): Promise<JsonObject>;
  /** The names below a path; empty where there are none. */
  list(token: Secret, path: string): Promise<readonly string[]>;
  write(token: Secret | null, path: string, body: JsonObject): Promise<JsonObject>;
  /** No fault where it is not there. */
  remove(token: Secret, path: string): Promise<void>;
}

interface SentOptions {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

const listing = z.object({ data: z.object({ keys: z.array(z.string()) }) });

/** Loaded by the first call of a Vault: a start needs none of it. */
async function openClient(config: VaultConfig, exchange: Exchange, patience: Milliseconds): Promise<nodeVault.client> {
  const { default: open } = await import('node-vault');
  const client = open({
    endpoint: config.address,
    debug: () => undefined,
    noCustomHTTPVerbs: true,
    'request-promise': { defaults: () => (options: SentOptions) => send(exchange, config, patience, options) },
  });
  // Left out, each of these would come from the broker's environment.
  Object.assign(client, { token: '', namespace: config.namespace ?? '', pathPrefix: '' });
  return client;
}

function loadedOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | null = null;
  return async () => (loaded ??= await load());
}

export function vaultClient(config: VaultConfig, exchange: Exchange, patience: Milliseconds): Vault {
  const client = loadedOnce(() => openClient(config, exchange, patience));
  const headers = (token: Secret | null) => ({
    headers: { 'x-vault-request': 'true', ...(token !== null && { 'X-Vault-Token': token.reveal() }) },
  });
  return {
    read: (token, path) => told(`a read of ${path}`, async () => (await client()).read(path, headers(token))),
    list: async (token, path) => {
      const what = `a listing of ${path}`;
      try {
        const said = listing.safeParse(await told(what, async () => (await client()).list(path, headers(token))));
        if (!said.success) throw new ProviderUnavailable(`Vault answered ${what} with something else`);
        return said.data.data.keys;
      } catch (fault) {
        if (fault instanceof VaultRefusal && fault.status === 404) return [];
        throw fault;
      }
    },
    write: (token, path, body) =>
      told(`a write of ${path}`, async () => (await client()).write(path, body, headers(token))),
    remove: async (token, path) => {
      await told(`a removal of ${path}`, async () => (await client()).delete(path, headers(token)));
    },
  };
}

/** Of the server, whatever the namespace: OpenBao refuses it in one. */
const HEALTH = '/v1/sys/health';

function headersOf({ headers = {}, uri }: SentOptions): Readonly<Record<string, string>> {
  if (new URL(uri).pathname !== HEALTH) return headers;
  const { 'X-Vault-Namespace': _, ...others } = headers;
  return others;
}

async function send(exchange: Exchange, config: VaultConfig, patience: Milliseconds, options: SentOptions) {
  const body = options.json !== null && typeof options.json === 'object' ? JSON.stringify(options.json) : null;
  const answer = await exchange({
    method: options.method,
    url: options.uri,
    headers: { ...headersOf(options), ...(body !== null && { 'content-type': 'application/json' }) },
    body,
    ca: config.ca ?? null,
    limits: { bytes: MOST_BYTES, milliseconds: patience },
  });
  return {
    statusCode: answer.status,
    body: parsed(answer),
    request: { path: new URL(options.uri).pathname },
  };
}

/** Said of what is not there, and by a proxy that has lost its way to Vault. */
const ABSENT: readonly number[] = [400, 404];
/** Vault's own answers hold a list of errors, or what was asked for under the id of the request. */
const ofVault = z.union([z.object({ errors: z.array(z.unknown()) }), z.object({ request_id: z.string() })]);

/** A page of a proxy's is no answer of Vault's; its status counts where it is an error, but for what is not there. */
function parsed({ status, body }: GuardedAnswer): unknown {
  const said = body === '' ? {} : jsonOf(body);
  if (said === null && status < 300) throw new FetchFailed('answered no JSON');
  if (ABSENT.includes(status) && !ofVault.safeParse(said).success) {
    throw new FetchFailed(`answered ${status}, not in Vault’s own form`);
  }
  return said ?? {};
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return null;
  }
}

const answerBody = z.record(z.string(), z.unknown());

/** Errors of node-vault hold Vault's answer: only the status goes on. */
async function told(what: string, call: () => Promise<unknown>): Promise<JsonObject> {
  try {
    return answerBody.parse((await call()) ?? {}) as JsonObject;
  } catch (fault) {
    if (fault instanceof FetchFailed || fault instanceof FetchRefused) {
      throw new ProviderUnavailable(`Vault did not answer ${what}: ${fault.message}`);
    }
    throw refusalOf(what, fault);
  }
}

const refused = z.object({ response: z.object({ statusCode: z.int() }) });

function refusalOf(what: string, fault: unknown): Error {
  const status = refused.safeParse(fault);
  if (status.success) return new VaultRefusal(what, status.data.response.statusCode);
  return fault instanceof z.ZodError
    ? new ProviderUnavailable(`Vault answered ${what} with something else`)
    : new Error(`${what} could not be sent`);
}
