/** The idempotency key of a change of registers: claimed under the lock, so that of two that come at once one is first. */
import { and, eq } from 'drizzle-orm';
import type { Idempotency } from '../../core/change.ts';
import { toHex } from '../../core/digest.ts';
import type { Entry, Receipt } from '../../core/entry.ts';
import type { EntryId, TenantName } from '../../core/ids.ts';
import type { Transaction } from '../link.ts';
import { DEPLOYMENT } from '../schema/columns.ts';
import { entries } from '../schema/ledger.ts';
import { idempotency } from '../schema/requests.ts';
import { refuse } from './refused.ts';

/** What is refused after this leaves no claim, and may come again. */
export async function claim(tx: Transaction, key: Idempotency, [entry]: readonly Entry[]): Promise<void> {
  if (entry === undefined) throw new TypeError('no change of a register without its entry');
  const tenant = entry.tenant ?? (DEPLOYMENT as TenantName);
  const claimed = await tx
    .insert(idempotency)
    .values({ tenant, ...key, entry: entry.id })
    .onConflictDoNothing()
    .returning({ key: idempotency.key });
  if (claimed.length > 0) return;
  const [before] = await tx
    .select({ digest: idempotency.digest, entry: idempotency.entry })
    .from(idempotency)
    .where(
      and(
        eq(idempotency.tenant, tenant),
        eq(idempotency.principal, key.principal),
        eq(idempotency.route, key.route),
        eq(idempotency.key, key.key),
      ),
    );
  const same = before?.digest === key.digest;
  const receipt = same ? await receiptOf(tx, tenant, before.entry) : null;
  refuse({ unmet: 'claimed', same, request: null, receipt });
}

async function receiptOf(tx: Transaction, tenant: TenantName, entry: EntryId | null): Promise<Receipt | null> {
  if (entry === null) return null;
  const where = and(eq(entries.tenant, tenant), eq(entries.id, entry));
  const [written] = await tx.select({ leaf: entries.leaf }).from(entries).where(where);
  return written === undefined ? null : { entry, leafHash: toHex(written.leaf) };
}
