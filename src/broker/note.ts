/** Facts of the gateway that change nothing but the ledger. */
import type { Entry } from '../core/entry.ts';
import type { TenantName } from '../core/ids.ts';
import type { Deps } from '../deps.ts';

/** @returns whether they are written: not where the tenant has gone. */
export async function note({ store, log }: Deps, tenant: TenantName, entries: readonly Entry[]): Promise<boolean> {
  const written = await store.commit({ kind: 'ledger.note', tenant }, entries);
  if (!written.ok) log.error('gateway.not_recorded', { tenant, entries: entries.map(({ id }) => id) });
  return written.ok;
}
