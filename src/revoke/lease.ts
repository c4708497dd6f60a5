/** What killing needs of a lease: its provider, the version of its target that it was minted with, its kept secret. */
import { canonicalText } from '../core/canonical.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { WorkTask } from '../core/change.ts';
import type { Declared, Lease, Outcome } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { OpenTarget, Provider, Subject } from '../core/provider.ts';
import type { TargetVersion } from '../core/registers.ts';
import { after, seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { openTarget } from '../issue/target.ts';

export interface Held {
  readonly declared: Declared;
  readonly provider: Provider;
  readonly target: OpenTarget;
  readonly subject: Subject;
}

/** Whether a piece of work is over; if not, why, and not before when. */
export type KillResult =
  | { readonly dead: true }
  | {
      readonly dead: false;
      readonly why: string;
      readonly until?: Lease['expiresAt'];
      /** Or whatever the backoff, but by then. */
      readonly noLater?: Lease['expiresAt'];
      /** Where a part of it is over: what is left to do. */
      readonly left?: WorkTask;
    };

/**
 * Does this to a lease at its provider. Where that does not answer, and its target's secret was changed since the mint,
 * once more with the one that opens the same place today: a password that was changed must keep no login alive.
 *
 * @throws {ProviderUnavailable}
 */
export async function atProvider<T>(deps: Deps, lease: Lease, act: (held: Held) => Promise<T>): Promise<T> {
  const { provider, version } = await providerOf(deps, lease);
  try {
    return await act(await hold(deps, lease, { provider, version }));
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    const newest = await deps.store.newestTarget(lease.tenant, lease.target);
    if (newest === null || !isReopened(version, newest)) throw fault;
    return act(await hold(deps, lease, { provider, version: newest }));
  }
}

/** Another place never gets the secret: what was minted where the target was before is ended there or not at all. */
const isReopened = (before: TargetVersion, now: TargetVersion): boolean =>
  now.version !== before.version &&
  now.secret !== null &&
  now.provider === before.provider &&
  canonicalText(now.config) === canonicalText(before.config);

async function hold(
  deps: Deps,
  lease: Lease,
  { provider, version }: { readonly provider: Provider; readonly version: TargetVersion },
): Promise<Held> {
  const purpose = { tenant: lease.tenant, use: 'lease-secret', subject: lease.id } as const;
  const secret = lease.secret === null ? null : await deps.keyring.open(purpose, lease.secret);
  const { id, mark, reference, expiresAt, specification } = lease;
  return {
    provider,
    declared: declaredFor(lease, provider, version),
    target: await openTarget(deps.keyring, version),
    subject: { lease: id, mark, reference, secret, expiresAt, specification },
  };
}

export async function declaredOf(deps: Deps, lease: Lease): Promise<Declared> {
  if (lease.declared !== null) return lease.declared;
  const { provider, version } = await providerOf(deps, lease);
  return declaredFor(lease, provider, version);
}

/** As it was said before the mint; of those from before that was kept, as it is said today. */
const declaredFor = (lease: Lease, provider: Provider, version: TargetVersion): Declared =>
  lease.declared ?? provider.declare(version, {});

async function providerOf(deps: Deps, lease: Lease): Promise<{ provider: Provider; version: TargetVersion }> {
  const provider = deps.providers.get(lease.provider);
  if (provider === undefined) throw new Error(`the provider ${lease.provider} is not built in`);
  const version = await deps.store.target(lease.tenant, lease.target, lease.targetVersion);
  if (version === null) throw new Error(`version ${lease.targetVersion} of ${lease.target} has gone from the store`);
  return { provider, version };
}

/** How far the clock that a credential's end is held to may lag, at the most. */
const CLOCKS_APART = seconds(90);

/** Its own end has ended it, whether anybody can reach its provider or not. */
export const isOverByItself = (
  now: Instant,
  { expiresAt }: Pick<Lease, 'expiresAt'>,
  { expiryEndsUse }: Pick<Declared, 'expiryEndsUse'>,
): boolean => expiryEndsUse && now >= after(expiresAt, CLOCKS_APART);

export function outcomeFacts(outcome: Outcome | null): JsonObject {
  if (outcome === null) return {};
  return {
    ...(outcome.summary === null ? {} : { summary: outcome.summary }),
    ...(outcome.evidence.length === 0 ? {} : { evidence: outcome.evidence }),
  };
}
