/**
 * Puts the parts together, the same on Node and on Workers: what differs (the store's connection, the engine's build,
 * the guarded fetch) comes in.
 */
import type { Channel } from './core/channel.ts';
import type { Forward } from './core/forward.ts';
import { cutCalls, newGateway, newKept } from './core/gateway/kept.ts';
import type { Gateway, KeptOfGateway } from './core/gateway/kept.ts';
import type { GuardedFetch } from './core/fetch.ts';
import type { Random } from './core/ids.ts';
import type { IssuerKeys } from './core/issuer.ts';
import type { Log } from './core/log.ts';
import type { Provider } from './core/provider.ts';
import type { RuleEngine } from './core/policy.ts';
import type { ProviderKind } from './core/registers.ts';
import type { Keyring } from './core/seal.ts';
import type { Signer } from './core/signer.ts';
import type { Store } from './core/store.ts';
import type { Clock } from './core/time.ts';
import { createRefusals } from './attribute/refusals.ts';
import { createLive } from './broker/live.ts';
import { createBundles } from './decide/bundles.ts';
import type { KeptBundles } from './decide/bundles.ts';
import { createRates } from './decide/rates.ts';
import { createRulebook } from './decide/rulebook.ts';
import { createPlaces } from './decide/spread.ts';
import type { Deps } from './deps.ts';
import { createBreakers } from './issue/breakers.ts';
import { createSigner } from './issue/signer.ts';

/** What outlives one request's parts on Workers: values and no promises. On Node it is made with the parts. */
export interface Kept extends Pick<Deps, 'rulebook' | 'refusals' | 'rates' | 'breakers'> {
  readonly bundles: KeptBundles;
  readonly gateway: KeptOfGateway;
}

export interface Parts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly rules: RuleEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: GuardedFetch;
  readonly forward: Forward;
  readonly issuerKeys: IssuerKeys;
  readonly log: Log;
  readonly node: string;
  readonly publicUrl: string;
  readonly operators: Deps['operators'];
  readonly channels: readonly Channel[];
  readonly pause: Deps['pause'];
  readonly background: Deps['background'];
  /** `false` shows what kept answers are worth, in the bench. */
  readonly keepAnswers: boolean;
  /** Given the signer, since Brevet's own tokens are a provider too. */
  readonly providers: (signer: Signer) => readonly Provider[];
  readonly kept?: Kept;
}

export function compose({ keepAnswers, providers, kept, rules, forward, ...parts }: Parts): Deps {
  const signer = createSigner(parts.store, parts.keyring);
  const gateway = newGateway(forward, kept?.gateway ?? newKept());
  return {
    ...parts,
    store: endingCalls(parts.store, gateway),
    signer,
    gateway,
    providers: new Map<ProviderKind, Provider>(providers(signer).map((provider) => [provider.kind, provider])),
    bundles: createBundles(parts.store, rules, kept?.bundles),
    rulebook: kept?.rulebook ?? createRulebook(rules, { keepAnswers }),
    refusals: kept?.refusals ?? createRefusals(parts.clock),
    rates: kept?.rates ?? createRates(parts.clock),
    breakers: kept?.breakers ?? createBreakers(parts.clock),
    placeOf: createPlaces(parts.keyring),
    live: kept === undefined ? createLive(parts) : null,
  };
}

/** Whatever ends a lease on this node ends, with its commit, the calls that are under way here. */
const endingCalls = (store: Store, gateway: Gateway): Store => ({
  ...store,
  async commit(change, entries) {
    const committed = await store.commit(change, entries);
    if (committed.ok && change.kind === 'lease.revoke') cutCalls(gateway, change.lease, 'lease_over');
    return committed;
  },
});
