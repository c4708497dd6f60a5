/**
 * What is wrong with a target before first use.
 */
import type { Finding, OpenTarget } from '../../core/provider.ts';
import type { Clock } from '../../core/time.ts';

export async function checkSite(target: OpenTarget, clock: Clock): Promise<readonly Finding[]> {
  await Promise.resolve([target, clock]);
  return [];
}
