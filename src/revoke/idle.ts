/**
 * Credentials whose use has visibly ended, or never began, are ended before their time: death follows the action, not
 * the agent's manners. Each is looked at now and then, by one node at a time.
 */
import type { LeaseId, TenantName } from '../core/ids.ts';
import { LOOK_EVERY } from '../core/lease.ts';
import type { Idleness, Lease, RevocationCause } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { Activity } from '../core/provider.ts';
import { after } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { atProvider } from './lease.ts';
import { endLease } from './revoke.ts';

/** In one pass; those of one target are asked about together, as its provider does. */
const AT_ONCE = 256;

/** Nodes that are looking: what is slow to tell must not pile up before what is to be killed. */
const looking = new WeakSet<Deps['breakers']>();

/** @returns once all that were due have been looked at, or at once where those of before still are. */
export async function endIdle(deps: Deps): Promise<void> {
  if (looking.has(deps.breakers)) return;
  looking.add(deps.breakers);
  await lookAtAll(deps).finally(() => looking.delete(deps.breakers));
}

async function lookAtAll(deps: Deps): Promise<void> {
  const due = await deps.store.watched(AT_ONCE, LOOK_EVERY);
  const looks = await Promise.allSettled(due.map(({ tenant, lease }) => lookAt(deps, tenant, lease)));
  for (const look of looks) {
    if (look.status === 'rejected') deps.log.error('idle.not_looked', { fault: String(look.reason) });
  }
}

async function lookAt(deps: Deps, tenant: TenantName, id: LeaseId): Promise<void> {
  const lease = await deps.store.lease(tenant, id);
  if (lease?.state !== 'active' || lease.idle === null || deps.breakers.rests(lease) !== null) return;
  const activity = await activityOf(deps, lease);
  const now = deps.clock();
  if (activity.use === 'now') await deps.store.sawUse(tenant, id, now);
  if (activity.use !== 'over') return;
  const cause = causeToEnd(lease, lease.idle, { last: latest(lease.usedAt, activity.last), now });
  if (cause === null || (await wasUsedSince(deps, lease))) return;
  const actor = { kind: 'broker', name: deps.node } as const;
  await endLease(deps, lease, { cause, actor, reason: null, outcome: null, killer: 'queue' });
}

/** Meanwhile, while its provider was asked. */
async function wasUsedSince({ store }: Deps, { tenant, id, used, usedAt }: Lease): Promise<boolean> {
  const now = await store.lease(tenant, id);
  return now === null || now.used !== used || now.usedAt !== usedAt;
}

/** What a local provider's uses are counted by is in the lease itself. */
async function activityOf(deps: Deps, lease: Lease): Promise<Activity> {
  try {
    return await atProvider(deps, lease, async ({ provider, subject, target }) =>
      provider.where === 'local' ? { use: 'over', last: null } : provider.activity(subject, target),
    );
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    return { use: 'unknown', why: fault.message };
  }
}

const latest = (a: Instant | null, b: Instant | null): Instant | null => (a === null || (b !== null && b > a) ? b : a);

/** @returns why it is ended now, or `null`: it may still be used. */
export function causeToEnd(
  { uses, used, openedAt, activeAt }: Pick<Lease, 'uses' | 'used' | 'openedAt' | 'activeAt'>,
  idle: Idleness,
  { last, now }: { readonly last: Instant | null; readonly now: Instant },
): RevocationCause | null {
  const until = last === null ? after(activeAt ?? openedAt, idle.unused) : after(last, idle.after);
  if (now < until) return null;
  return uses !== null && used >= uses ? 'spent' : 'idle';
}
