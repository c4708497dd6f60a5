/**
 * What comes in from outside: every stage takes it as a value, so that nothing reads a clock, chance, the network or a
 * database behind its caller's back.
 */
import type { Breakers } from './core/breakers.ts';
import type { Channel } from './core/channel.ts';
import type { GuardedFetch } from './core/fetch.ts';
import type { Gateway } from './core/gateway/kept.ts';
import type { Random, TenantName } from './core/ids.ts';
import type { IssuerKeys } from './core/issuer.ts';
import type { Live } from './core/live.ts';
import type { Log } from './core/log.ts';
import type { Provider } from './core/provider.ts';
import type { ProviderKind } from './core/registers.ts';
import type { Rates } from './core/rates.ts';
import type { Refusals } from './core/refusals.ts';
import type { Keyring } from './core/seal.ts';
import type { Secret } from './core/secret.ts';
import type { Signer } from './core/signer.ts';
import type { Store } from './core/store.ts';
import type { Clock } from './core/time.ts';
import type { Bundles } from './decide/bundles.ts';
import type { Rulebook } from './decide/rulebook.ts';

export interface Deps {
  readonly store: Store;
  /** The loaded bundles by version, and the answers kept of them. */
  readonly bundles: Bundles;
  readonly rulebook: Rulebook;
  readonly providers: ReadonlyMap<ProviderKind, Provider>;
  readonly signer: Signer;
  readonly keyring: Keyring;
  /** Where people are told; empty while none is configured. */
  readonly channels: readonly Channel[];
  /** The database's clock: this process's, with a measured offset. */
  readonly clock: Clock;
  readonly random: Random;
  /** Outgoing requests, guarded: no private address unless allowed, no redirect, bounded size and time. */
  readonly fetch: GuardedFetch;
  /** The keys of workloads' and operators' issuers: one value for the process, since it keeps what it fetched. */
  readonly issuerKeys: IssuerKeys;
  /** Calls to tools, and what is remembered between them. */
  readonly gateway: Gateway;
  readonly refusals: Refusals;
  readonly rates: Rates;
  /** How targets have answered this process. */
  readonly breakers: Breakers;
  /** Names a tenant where rows stand above tenants: a keyed hash. */
  readonly placeOf: (tenant: TenantName) => string;
  readonly log: Log;
  /** Tells open pages of changes; `null` where nothing lives between two requests. */
  readonly live: Live | null;
  /** Resolves after so many milliseconds, or once it is `over`, and then keeps no process alive. */
  readonly pause: (milliseconds: number, over?: AbortSignal) => Promise<void>;
  /** Work that outlives the answer; its rejection is logged. On Workers it holds the invocation open. */
  readonly background: (work: Promise<unknown>) => void;
  /** Names this process in what it did and saw. */
  readonly node: string;
  /** The deployment's own URL, without a slash at its end. */
  readonly publicUrl: string;
  /** The operators' OIDC issuer and what Brevet is there; `null` while none is configured. */
  readonly operators: {
    readonly issuer: string;
    /** Also the audience of its tokens. */
    readonly clientId: string;
    /** `null`: a public client, which PKCE protects. */
    readonly clientSecret: Secret | null;
  } | null;
}
