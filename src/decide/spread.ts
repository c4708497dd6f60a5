/** Names tenants where rows stand above them: the same name each time, which tells nobody whose it is. */
import { hmacSha256, toHex, utf8 } from '../core/digest.ts';
import type { TenantName } from '../core/ids.ts';
import type { Keyring } from '../core/seal.ts';

/** Enough that no two tenants share one. */
const PLACE_BYTES = 16;
const MOST_KEPT = 10_000;

export function createPlaces(keyring: Pick<Keyring, 'derive'>): (tenant: TenantName) => string {
  const key = keyring.derive('spread');
  const kept = new Map<TenantName, string>();
  return (tenant) => {
    const known = kept.get(tenant);
    if (known !== undefined) return known;
    const place = toHex(hmacSha256(key, utf8(tenant)).subarray(0, PLACE_BYTES));
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(tenant, place);
    return place;
  };
}
