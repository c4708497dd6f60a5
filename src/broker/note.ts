/** Facts of the gateway that change nothing but the ledger. */
import type { Entry } from '../core/entry.ts';
import type { TenantName } from '../core/ids.ts';
import type { Deps } from '../deps.ts';

/** More would only mean that the deployment is being rewritten all the time. */
const TRIES = 5;

/** They hold whatever has moved since. @returns whether they are written. */
export async function note(deps: Deps, tenant: TenantName, entries: readonly Entry[]): Promise<boolean> {
  let epochs = (await deps.store.snapshot(tenant))?.epochs ?? null;
  for (let tries = 0; tries < TRIES && epochs !== null; tries++) {
    const when = { epochs, oneUse: null, idempotency: null };
    const written = await deps.store.commit({ kind: 'session.open', tenant, when }, entries);
    if (written.ok) return true;
    epochs = await deps.store.epochs(tenant);
  }
  deps.log.error('gateway.not_recorded', { tenant, entries: entries.map(({ id }) => id) });
  return false;
}
