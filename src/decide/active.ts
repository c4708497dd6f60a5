/** What decides now, put together from what is active: its bundle, and the one that is known to follow. */
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { Policy } from './decide.ts';

/** `null`: none is active, and nothing is decided. */
export async function activePolicy(
  { bundles, rulebook, providers, channels }: Pick<Deps, 'bundles' | 'rulebook' | 'providers' | 'channels'>,
  { policy, widening }: Pick<DeploymentSnapshot, 'policy' | 'widening'>,
): Promise<Policy | null> {
  if (policy === null) return null;
  const isLasting = widening !== null && widening.next !== policy;
  const next = isLasting ? { bundle: await bundles.at(widening.next), at: widening.until } : null;
  return { bundle: await bundles.at(policy), rulebook, providers, channels: channels.length > 0, next };
}
