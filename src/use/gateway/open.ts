/**
 * Calls under way. Each ends with its lease: at once where the lease is ended on this node, soon where on another, at
 * its expiry, and when nothing can be said of it any more.
 */
import { cutCalls } from '../../core/gateway/kept.ts';
import type { CallSpan, CutFor, Gateway } from '../../core/gateway/kept.ts';
import type { LeaseId, TenantName } from '../../core/ids.ts';
import type { Lease } from '../../core/lease.ts';
import { StoreUnavailable } from '../../core/store.ts';
import { after, between } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import type { Seconds } from '../../core/time.ts';
import type { Deps } from '../../deps.ts';
import { standsNow } from '../alive.ts';

/**
 * Leases whose calls were under way at the look before are looked at together: so often that none lives on for a second,
 * and a call that is soon over costs no look.
 */
const LOOK_EVERY_MS = 400;
/** A database that has not answered by then is not waited for. */
const PATIENCE_MS = 500;
/** Every so many looks the store is told that a call goes on: its lease is not idle. */
const TELL_EVERY = 2;

export interface OpenCall {
  readonly signal: AbortSignal;
  /** Ends it because its caller has gone. */
  leave(): void;
  close(): void;
}

export function openCall(deps: Deps, lease: Lease, longest: Seconds): OpenCall {
  const { open } = deps.gateway;
  const call = new AbortController();
  const known = open.get(lease.id) ?? { tenant: lease.tenant, calls: new Map() };
  const span = spanOf(deps, lease, longest);
  known.calls.set(call, span);
  open.set(lease.id, known);
  watchOpen(deps, span);
  return {
    signal: call.signal,
    leave: () => call.abort('caller_gone' satisfies CutFor),
    close() {
      known.calls.delete(call);
      if (known.calls.size === 0 && open.get(lease.id) === known) open.delete(lease.id);
    },
  };
}

function spanOf({ clock }: Deps, { expiresAt }: Lease, longest: Seconds): CallSpan {
  const since = clock();
  const until = after(since, longest);
  return until < expiresAt ? { since, until, why: 'too_slow' } : { since, until: expiresAt, why: 'lease_over' };
}

/** Nodes whose open calls are being looked at. */
const watched = new WeakSet<Gateway>();

/** A call that ends before the next look is due has one of its own. */
function watchOpen(deps: Deps, { until }: CallSpan): void {
  const left = between(deps.clock(), until);
  if (left < LOOK_EVERY_MS) deps.background(deps.pause(Math.max(0, left)).then(() => endOverdue(deps)));
  if (watched.has(deps.gateway)) return;
  watched.add(deps.gateway);
  deps.background(keepLooking(deps));
}

/** As long as any call is open here. Given up at the very moment that none is: one that opens right then has it begun anew. */
async function keepLooking(deps: Deps): Promise<void> {
  const { open } = deps.gateway;
  let before = deps.clock();
  try {
    for (let look = 1; ; look++) {
      await deps.pause(untilNext(deps));
      if (open.size === 0) return;
      endOverdue(deps);
      const lasting = lastingSince(deps, before);
      before = deps.clock();
      await Promise.all(lasting.map((lease) => lookAt(deps, lease, look % TELL_EVERY === 0)));
    }
  } finally {
    watched.delete(deps.gateway);
  }
}

const lastingSince = ({ gateway }: Deps, at: Instant): readonly LeaseId[] =>
  [...gateway.open].filter(([, { calls }]) => [...calls.values()].some(({ since }) => since <= at)).map(([id]) => id);

function untilNext({ gateway, clock }: Deps): number {
  const ends = [...gateway.open.values()].flatMap(({ calls }) => [...calls.values()].map(({ until }) => until));
  return Math.max(1, Math.min(LOOK_EVERY_MS, ...ends.map((at) => between(clock(), at))));
}

function endOverdue({ gateway, clock }: Deps): void {
  const now = clock();
  for (const [lease, { calls }] of gateway.open) {
    for (const [call, { until, why }] of calls) {
      if (until > now) continue;
      call.abort(why);
      // Whatever becomes of it, nothing is looked at for it any more.
      calls.delete(call);
    }
    if (calls.size === 0) gateway.open.delete(lease);
  }
}

/** Its last use may be the one that is under way: that it has none left does not end it. */
const isStanding = async (deps: Deps, tenant: TenantName, id: LeaseId): Promise<boolean> =>
  (await standsNow(deps, tenant, id)) !== null;

/** Of a lease of which nothing can be said in time, nothing goes on. */
async function lookAt(deps: Deps, id: LeaseId, tell: boolean): Promise<void> {
  const tenant = deps.gateway.open.get(id)?.tenant;
  if (tenant === undefined) return;
  try {
    const late = deps.pause(PATIENCE_MS).then(() => 'late' as const);
    const standing = await Promise.race([isStanding(deps, tenant, id), late]);
    if (standing === 'late') cutCalls(deps.gateway, id, 'lease_unseen');
    else if (!standing) cutCalls(deps.gateway, id, 'lease_over');
    else if (tell) deps.background(deps.store.sawUse(tenant, id, deps.clock()));
  } catch (fault) {
    cutCalls(deps.gateway, id, 'lease_unseen');
    if (!(fault instanceof StoreUnavailable)) deps.log.error('gateway.not_looked', { lease: id, fault: String(fault) });
  }
}
