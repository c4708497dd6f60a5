/** The idempotency key of a change of registers: claimed under the lock, so that of two that come at once one is first. */
import type { RegisterClaim } from '../../core/change.ts';
import { receiptOf } from '../../core/entry.ts';
import type { Entry } from '../../core/entry.ts';
import { claimed, tenantOfClaim } from '../claims.ts';
import type { Transaction } from '../link.ts';
import { idempotency } from '../schema/requests.ts';
import { refuse } from './refused.ts';

/** What is refused after this leaves no claim, and may come again. */
export async function claim(
  tx: Transaction,
  { place, made, ...key }: RegisterClaim,
  written: readonly Entry[],
): Promise<void> {
  const tenant = tenantOfClaim({ place });
  const done = { receipts: written.map(receiptOf), made };
  const taken = await tx
    .insert(idempotency)
    .values({ tenant, ...key, done })
    .onConflictDoNothing()
    .returning({ key: idempotency.key });
  if (taken.length > 0) return;
  const before = await claimed(tx, tenant, key);
  if (before === null) throw new Error('an idempotency key was claimed before, and is not there');
  refuse(before);
}
