/** How far a block has come: what it ended, how dead that is, and what is still alive and why. */
import type { TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { KeptBlock, Toll } from '../core/store/blocks.ts';
import type { Instant, Milliseconds, Seconds } from '../core/time.ts';
import { between, milliseconds } from '../core/time.ts';
import { reachOf, tollFacts } from '../revoke/enforce.ts';
import type { Deps } from '../deps.ts';

/** Survivors that are told of one by one, the longest due first. */
const SHOWN = 20;
const FIRST_LOOK_MS = 100;
const SLOWEST_LOOK_MS = 1_000;

export interface Survivor {
  readonly lease: Lease;
  readonly why: string | null;
  readonly attempts: number;
  /** Since its revocation was committed, or since it should have ended. */
  readonly exposure: Milliseconds;
}

/** What is left at one target, and what was ended there. */
export interface AtTarget {
  readonly tenant: TenantName;
  readonly target: string;
  readonly provider: string;
  readonly ended: number;
  readonly alive: number;
  readonly worstExposure: Milliseconds;
}

export interface Progress {
  readonly counts: ReturnType<typeof tollFacts>;
  /** Inside it and not ended yet, or ending from before it was raised. */
  readonly untouched: number;
  /** Those with most left first, then the slowest. */
  readonly targets: readonly AtTarget[];
  readonly survivors: readonly Survivor[];
  /** From its commit until the last death that was seen. */
  readonly took: Milliseconds | null;
  readonly over: boolean;
}

export async function progressOf(deps: Deps, block: KeptBlock): Promise<Progress> {
  const within = block.places.map(({ tenant }) => tenant);
  const [tolls, unended] = await Promise.all([
    deps.store.toll(block.id, within),
    deps.store.unendedWithin({ ...(await reachOf(deps, block, standing(block))), openedBy: block.from }),
  ]);
  const counts = tollFacts(tolls);
  const left = unended.reduce((sum, { n }) => sum + n, 0);
  const survivors = counts.alive === 0 ? [] : await survivorsOf(deps, block, within);
  const last = Math.max(0, ...tolls.map(({ lastDeathAt }) => lastDeathAt ?? 0));
  // What lives on is exposed already, and is mostly the worst of it.
  const worst = Math.max(counts.worst_exposure_ms, ...survivors.map(({ exposure }) => exposure));
  return {
    counts: { ...counts, worst_exposure_ms: worst },
    untouched: Math.max(0, left - counts.alive),
    targets: byTarget(tolls),
    survivors,
    took: last === 0 ? null : milliseconds(Math.max(0, last - block.from)),
    // What was opened in the moment before its commit is known to whoever ends it alone.
    over: left === 0 && counts.alive === 0 && block.reportedAt !== null,
  };
}

/** Where it was lifted, what lives there is none of its business any more. */
const standing = ({ places }: KeptBlock): readonly TenantName[] =>
  places.filter(({ liftedAt }) => liftedAt === null).map(({ tenant }) => tenant);

function byTarget(tolls: readonly Toll[]): readonly AtTarget[] {
  const found = new Map<string, AtTarget>();
  for (const { tenant, target, provider, state, n, worstExposure } of tolls) {
    const key = `${tenant}/${target}`;
    const before = found.get(key);
    found.set(key, {
      tenant,
      target,
      provider,
      ended: (before?.ended ?? 0) + n,
      alive: (before?.alive ?? 0) + (state === 'revoking' ? n : 0),
      worstExposure: milliseconds(Math.max(before?.worstExposure ?? 0, worstExposure)),
    });
  }
  return [...found.values()].toSorted((a, b) => b.alive - a.alive || b.worstExposure - a.worstExposure);
}

async function survivorsOf(deps: Deps, block: KeptBlock, within: readonly TenantName[]): Promise<readonly Survivor[]> {
  const alive = await deps.store.survivors(block.id, within, SHOWN);
  const why = await deps.store.whyAlive(alive.map(({ id }) => id));
  const now = deps.clock();
  return alive.map((lease) => {
    const tried = why.get(lease.id);
    return { lease, why: tried?.why ?? null, attempts: tried?.attempts ?? 0, exposure: exposureSoFar(lease, now) };
  });
}

/** Of one that is not dead. */
export function exposureSoFar({ expiresAt, revokingAt }: Lease, now: Instant): Milliseconds {
  const from = revokingAt !== null && revokingAt < expiresAt ? revokingAt : expiresAt;
  return milliseconds(Math.max(0, between(from, now)));
}

/** Until all of it is over, or so long. */
export async function waitForProgress(deps: Deps, block: KeptBlock, wait: Seconds): Promise<Progress> {
  const until = deps.clock() + wait * 1000;
  let seen = block;
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(2 * pause, SLOWEST_LOOK_MS)) {
    const progress = await progressOf(deps, seen);
    const left = until - deps.clock();
    if (progress.over || left <= 0) return progress;
    await deps.pause(Math.min(pause, left));
    seen =
      (await deps.store.block(
        block.id,
        block.places.map(({ tenant }) => tenant),
      )) ?? seen;
  }
}
