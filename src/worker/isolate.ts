/**
 * What an isolate keeps from one request to the next: values alone. A promise of one request would hang another that
 * waits for it, so whatever is made first by two requests at once is made twice, and one of them stays.
 */
import * as cedar from '@cedar-policy/cedar-wasm/web';
import compiled from '@cedar-policy/cedar-wasm/web/cedar_wasm_bg.wasm';
import { createIssuerKeys } from '../authenticate/keys.ts';
import { createRefusals } from '../attribute/refusals.ts';
import type { Kept } from '../compose.ts';
import type { GuardedFetch, GuardedRequest } from '../core/fetch.ts';
import { newKept } from '../core/gateway/kept.ts';
import type { Random } from '../core/ids.ts';
import type { IssuerKeys } from '../core/issuer.ts';
import type { RuleEngine } from '../core/policy.ts';
import { createKeyring } from '../core/seal.ts';
import type { Keyring } from '../core/seal.ts';
import { instant } from '../core/time.ts';
import type { Clock, Instant, Milliseconds } from '../core/time.ts';
import { createCedar } from '../decide/cedar.ts';
import { createBreakers } from '../issue/breakers.ts';
import { createRates } from '../decide/rates.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { jsonOver } from '../fetch/json.ts';
import { guardedRequest } from '../fetch/workers.ts';
import { noSnapshots } from '../store/kept.ts';
import type { KeptSnapshots } from '../store/kept.ts';
import { log } from './log.ts';
import type { Bindings } from './platform.ts';
import { readSettings } from './settings.ts';
import type { WorkerSettings } from './settings.ts';

cedar.initSync({ module: compiled });

/** What a request finds out for those after it. */
export interface Learned {
  /** How far the database's clock is ahead; `null` before the first measurement. */
  offset: Milliseconds | null;
  /** By this isolate's own clock. */
  measuredAt: number;
  /** The login, the lock, the reads and the key were looked at, and hold. */
  isFit: boolean;
  /** A request has undertaken to write the refusals that were counted, until then. */
  writesRefusalsUntil: Instant;
}

export interface Isolate {
  readonly node: string;
  readonly settings: WorkerSettings;
  readonly keyring: Keyring;
  readonly rules: RuleEngine;
  readonly kept: Kept;
  readonly snapshots: KeptSnapshots;
  readonly clock: Clock;
  readonly request: GuardedRequest;
  readonly fetch: GuardedFetch;
  readonly issuerKeys: IssuerKeys;
  readonly learned: Learned;
}

/** The settings are wrong: all of what is wrong with them. */
export class WrongSettings extends Error {
  override readonly name = 'WrongSettings';
}

export const random: Random = (bytes) => crypto.getRandomValues(new Uint8Array(bytes));

let isolate: Isolate | null = null;

/** @throws {WrongSettings} */
export async function isolateOf(bindings: Bindings): Promise<Isolate> {
  isolate ??= await makeIsolate(bindings);
  return isolate;
}

async function makeIsolate(bindings: Bindings): Promise<Isolate> {
  const read = readSettings(bindings);
  if (!read.ok) {
    throw new WrongSettings(read.error.map(({ name, what, remedy }) => `${name} ${what}. ${remedy}`).join(' '));
  }
  const settings = read.value;
  const learned: Learned = { offset: null, measuredAt: 0, isFit: false, writesRefusalsUntil: instant(0) };
  const clock: Clock = () => instant(Date.now() + (learned.offset ?? 0));
  const rules = createCedar(cedar);
  const request = guardedRequest({ privateHosts: settings.allowPrivateHosts }, (url, options) => fetch(url, options));
  const json = jsonOver(request);
  return {
    node: `worker-${[...random(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    settings,
    keyring: await createKeyring(settings.deploymentKey, random),
    rules,
    kept: {
      bundles: new Map(),
      gateway: newKept(),
      rulebook: createRulebook(rules),
      refusals: createRefusals(clock),
      rates: createRates(clock),
      breakers: createBreakers(clock),
    },
    snapshots: noSnapshots(),
    clock,
    request,
    fetch: json,
    issuerKeys: createIssuerKeys(json, clock, log, 'own'),
    learned,
  };
}
