/** The targets of many tenants, as they are now. */
import type { TenantName } from '../core/ids.ts';
import type { TargetVersion } from '../core/registers.ts';
import type { Deps } from '../deps.ts';

/** Read at the same time. Whoever asks for a credential waits for the same connections, behind all that was begun before. */
const AT_ONCE = 4;

/** Not as they are kept: a node that issues nothing would not notice by itself that a target or its secret is another. */
export async function targetsNow({ store }: Deps, tenants: readonly TenantName[]): Promise<readonly TargetVersion[]> {
  const found: TargetVersion[] = [];
  for (let from = 0; from < tenants.length; from += AT_ONCE) {
    const snapshots = await Promise.all(
      tenants.slice(from, from + AT_ONCE).map((tenant) => {
        store.forget(tenant);
        return store.snapshot(tenant);
      }),
    );
    found.push(...snapshots.flatMap((snapshot) => [...(snapshot?.targets.values() ?? [])]));
  }
  return found;
}
