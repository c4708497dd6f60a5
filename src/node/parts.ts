/** What a node is made of on Node: Cedar's build for it, guarded requests, the providers, the clock of its database. */
import { randomFillSync, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createIssuerKeys } from '../authenticate/keys.ts';
import { compose } from '../compose.ts';
import type { Config } from '../config.ts';
import type { Channel } from '../core/channel.ts';
import type { Log } from '../core/log.ts';
import { pause } from '../core/pause.ts';
import type { Provider } from '../core/provider.ts';
import type { Keyring } from '../core/seal.ts';
import type { Store } from '../core/store.ts';
import { createCedar } from '../decide/cedar.ts';
import type { Deps } from '../deps.ts';
import { exchangesOnNode } from '../fetch/exchange-node.ts';
import { jsonOver } from '../fetch/json.ts';
import { guardedRequest } from '../fetch/node.ts';
import { nodeForward } from '../fetch/node-forward.ts';
import { httpProvider } from '../providers/http/provider.ts';
import { awsProvider } from '../providers/aws/provider.ts';
import { jwtProvider } from '../providers/jwt.ts';
import { postgresProvider } from '../providers/postgres/provider.ts';
import { vaultProvider } from '../providers/vault/provider.ts';
import { loadCedar } from './cedar.ts';
import { channelsOf } from './channels.ts';
import { databaseClock } from './clock.ts';

const POOL_BYTES = 4096;
/** A larger draw would waste what is left of the pool. */
const LARGEST_DRAW = 256;
const pool = new Uint8Array(POOL_BYTES);
let drawn = POOL_BYTES;

/**
 * Chance for ids and salts, of which one issue takes some twenty: the system is asked for many at once, as Node does
 * for its UUIDs. No byte is given twice, and none that was given stays in the pool.
 */
export function random(bytes: number): Uint8Array {
  if (bytes > LARGEST_DRAW) return randomFillSync(new Uint8Array(bytes));
  if (drawn + bytes > POOL_BYTES) {
    randomFillSync(pool);
    drawn = 0;
  }
  const given = pool.slice(drawn, drawn + bytes);
  pool.fill(0, drawn, drawn + bytes);
  drawn += bytes;
  return given;
}

export const nodeName = (): string => `${hostname().toLowerCase()}-${process.pid}-${randomUUID().slice(0, 8)}`;

export interface NodeParts {
  readonly config: Pick<Config, 'publicUrl' | 'operators' | 'allowPrivateHosts' | 'channels'>;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly log: Log;
  readonly node: string;
  /** In the stead of those that are configured. */
  readonly channels?: readonly Channel[];
  readonly keepAnswers?: boolean;
  /** Wraps the providers: tests make them slow, or die in the middle. */
  readonly around?: (provider: Provider) => Provider;
}

/** What was begun in the background and no pause keeps, such as what came of a call that was cut, gets this long. */
const LEFT_MS = 250;

/** Once nothing of it is under way, nor of what it has begun itself. */
async function emptied(begun: ReadonlySet<Promise<void>>): Promise<void> {
  while (begun.size > 0) await Promise.all(begun);
}

/** The parts of a node, with the clock of its database. `close` ends the providers' connections and every pause. */
export async function makeNode(parts: NodeParts): Promise<{ readonly deps: Deps; close(): Promise<void> }> {
  const { config, store, keyring, log, node } = parts;
  const { clock, stop } = await databaseClock(store, log);
  const reach = { privateHosts: config.allowPrivateHosts };
  const request = guardedRequest(reach);
  const fetch = jsonOver(request);
  const tools = nodeForward(reach);
  const { forward } = tools;
  const postgres = postgresProvider({ random, clock });
  const { publicUrl } = config;
  const aws = awsProvider({ clock, turns: store.turns, endpoints: config.allowPrivateHosts });
  const exchanges = exchangesOnNode();
  const remote: { close(): Promise<void> }[] = [postgres, aws];
  const closing = new AbortController();
  const begun = new Set<Promise<void>>();
  const around = parts.around ?? ((provider: Provider) => provider);
  const deps = compose({
    store,
    keyring,
    rules: createCedar(await loadCedar()),
    clock,
    random,
    fetch,
    forward,
    issuerKeys: createIssuerKeys(fetch, clock, log),
    log,
    node,
    publicUrl,
    operators: config.operators,
    channels: parts.channels ?? channelsOf(config, request, clock),
    pause: async (ms, over) => {
      await pause(ms, closing.signal, over);
      // Whoever would go on after it is told that there is nothing to go on with.
      closing.signal.throwIfAborted();
    },
    background: (work) => {
      const told = work
        .then(
          () => undefined,
          (fault: unknown) => {
            if (closing.signal.aborted) log.info('background.left', { fault: String(fault) });
            else log.error('background.failed', { fault: String(fault) });
          },
        )
        .finally(() => begun.delete(told));
      begun.add(told);
    },
    keepAnswers: parts.keepAnswers ?? true,
    providers: (signer) => {
      const vault = vaultProvider({ exchange: exchanges.exchange, random, clock, signer, publicUrl });
      remote.push(vault);
      return [
        jwtProvider({ signer, request, publicUrl, clock }),
        postgres,
        aws,
        vault,
        httpProvider({ signer, forward, publicUrl }),
      ].map(around);
    },
  });
  return {
    deps,
    async close() {
      stop();
      closing.abort();
      const enough = new AbortController();
      await Promise.race([emptied(begun), pause(LEFT_MS, enough.signal)]);
      enough.abort();
      tools.close();
      await Promise.all(remote.map((provider) => provider.close()));
      exchanges.close();
    },
  };
}
