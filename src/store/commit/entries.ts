/** The ledger entries of a change that is committed alone, written in its transaction. */
import { fromHex } from '../../core/digest.ts';
import type { Entry } from '../../core/entry.ts';
import type { TenantName } from '../../core/ids.ts';
import type { Transaction } from '../link.ts';
import { DEPLOYMENT } from '../schema/columns.ts';
import { entries, entryValues } from '../schema/ledger.ts';

/** @throws {TypeError} for a change without its fact. */
export async function insertEntries(tx: Transaction, written: readonly Entry[]): Promise<void> {
  if (written.length === 0) throw new TypeError('no change without its entry');
  const rows = written.map(({ id, tenant, kind, at, request, lease, text, leaf }) => ({
    id,
    kind,
    at,
    request,
    lease,
    text,
    tenant: ledgerOf(tenant),
    leaf: fromHex(leaf),
  }));
  await tx.insert(entries).values(rows);
  const beside = written.filter(({ values }) => values.length > 0);
  if (beside.length === 0) return;
  await tx
    .insert(entryValues)
    .values(beside.map(({ id, tenant, values }) => ({ tenant: ledgerOf(tenant), entry: id, values })));
}

/** The same for a change at one tenant. @throws {TypeError} for a fact in another's ledger, too. */
export async function insertEntriesOf(tx: Transaction, tenant: TenantName, written: readonly Entry[]): Promise<void> {
  if (written.some((entry) => entry.tenant !== tenant)) throw new TypeError('an entry of another ledger');
  await insertEntries(tx, written);
}

const ledgerOf = (tenant: Entry['tenant']): TenantName => tenant ?? (DEPLOYMENT as TenantName);
