/** The lease that a page is about, for whoever oversees where it is. */
import type { Context } from 'hono';
import { NOTHING_HERE } from '../../core/failure.ts';
import { parseId } from '../../core/ids.ts';
import type { Lease } from '../../core/lease.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Scope } from '../../http/scope.ts';
import { tenantFor } from '../standing.ts';
import type { SignedInVisit } from '../visit.ts';

export interface LeaseHere {
  readonly at: Snapshot;
  readonly lease: Lease;
}

export async function leaseHere(c: Context<Scope>, { deps, caller }: SignedInVisit): Promise<Result<LeaseHere>> {
  const id = parseId('lse', c.req.param('id'));
  const at = await tenantFor(c, caller, ['oversight']);
  if (!at.ok) return at;
  const lease = id.ok ? await deps.store.lease(at.value.tenant.name, id.value) : null;
  return lease === null ? err(NOTHING_HERE) : ok({ at: at.value, lease });
}
