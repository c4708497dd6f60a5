/**
 * Whole targets inside a block that asks for it: whatever they gave before it was raised is ended there, also what no
 * lease knows of, since somebody else has made it.
 */
import type { BlockOf } from '../core/block.ts';
import type { TenantName } from '../core/ids.ts';
import type { RemoteProvider } from '../core/provider.ts';
import type { TargetVersion } from '../core/registers.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { openTarget } from '../issue/target.ts';

export interface WholeTarget {
  readonly version: TargetVersion;
  readonly endAll: NonNullable<RemoteProvider['endAll']>;
}

/** As they are now: those of which every credential is inside, and whose provider can end all of them at once. */
export async function wholeTargets(
  deps: Deps,
  of: BlockOf,
  tenants: readonly TenantName[],
): Promise<readonly WholeTarget[]> {
  const targets = await deps.store.targetsAt(tenants);
  return targets
    .filter((target) => isWhollyInside(of, target))
    .flatMap((version) => {
      const provider = deps.providers.get(version.provider);
      const endAll = provider?.where === 'remote' ? provider.endAll : null;
      return endAll === null ? [] : [{ version, endAll }];
    });
}

function isWhollyInside({ scope, name }: BlockOf, target: TargetVersion): boolean {
  switch (scope) {
    case 'target':
      return target.name === name;
    case 'provider':
      return target.provider === name;
    case 'tenant':
    case 'everything':
      return true;
    case 'lease':
    case 'agent':
    case 'owner':
    case 'vendor':
    case 'model':
    case 'role':
    case 'task':
    case 'agent_task':
      return false;
  }
}

/** @returns why one of them could not be, or `null`. */
export async function endAllBefore(
  deps: Deps,
  of: BlockOf,
  { tenants, before }: { readonly tenants: readonly TenantName[]; readonly before: Instant },
): Promise<string | null> {
  const targets = await wholeTargets(deps, of, tenants);
  const ended = await Promise.allSettled(
    targets.map(async ({ version, endAll }) => endAll(await openTarget(deps.keyring, version), before)),
  );
  const failed = ended.find((outcome) => outcome.status === 'rejected');
  return failed === undefined ? null : String(failed.reason);
}
