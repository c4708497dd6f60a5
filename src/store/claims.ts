/** What was claimed under an idempotency key, and what was done for it. */
import { and, eq } from 'drizzle-orm';
import type { DoneBefore, RegisterClaim, Unmet } from '../core/change.ts';
import type { Idempotency } from '../core/change/once.ts';
import type { TenantName } from '../core/ids.ts';
import type { Store } from '../core/store.ts';
import type { Link, Transaction } from './link.ts';
import { ROLES } from './roles.ts';
import { DEPLOYMENT } from './schema/columns.ts';
import { idempotency } from './schema/requests.ts';

type Claimed = Extract<Unmet, { readonly unmet: 'claimed' }>;

export const tenantOfClaim = ({ place }: Pick<RegisterClaim, 'place'>): TenantName =>
  place ?? (DEPLOYMENT as TenantName);

/** @param key whose digest says whether what it was claimed for is the same. */
export async function claimed(tx: Transaction, tenant: TenantName, key: Idempotency): Promise<Claimed | null> {
  const [before] = await tx
    .select({ digest: idempotency.digest, request: idempotency.request, done: idempotency.done })
    .from(idempotency)
    .where(
      and(
        eq(idempotency.tenant, tenant),
        eq(idempotency.principal, key.principal),
        eq(idempotency.route, key.route),
        eq(idempotency.key, key.key),
      ),
    );
  if (before === undefined) return null;
  const same = before.digest === key.digest;
  return { unmet: 'claimed', same, request: before.request, done: same ? before.done : null };
}

export const createClaimReads = (link: Link): Pick<Store, 'doneBefore'> => ({
  doneBefore: async (key): Promise<DoneBefore | null> => {
    const tenant = tenantOfClaim(key);
    const entering = { role: ROLES.serve, tenants: [tenant] };
    return (await link.transaction(entering, (tx) => claimed(tx, tenant, key)))?.done ?? null;
  },
});
