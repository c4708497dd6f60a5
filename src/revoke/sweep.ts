/**
 * The sweeper: what is due, is done. On Node a loop, on Workers a cron pass. Its heartbeat says that expiry is being
 * watched; while it is late nothing is issued.
 */
import { FIRST_SHARE } from '../core/breakers.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { WorkTask } from '../core/change.ts';
import type { ClaimedWork } from '../core/store/queue.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import { earliest, instant, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { tellDigest } from '../approve/digest.ts';
import { tellNotice } from '../approve/tell.ts';
import type { Deps } from '../deps.ts';
import { passTime } from '../approve/pass-time.ts';
import { cascade } from './cascade.ts';
import { clean } from './clean.ts';
import { endIdle } from './idle.ts';
import { enforce } from './enforce.ts';
import { killLease } from './kill.ts';
import type { KillResult } from './lease.ts';
import { narrow } from './narrow.ts';
import { reassess } from './reassess.ts';
import { reconcile } from './reconcile.ts';
import { endLease } from './revoke.ts';

/** As many at once as keep one pass short; each takes the database's pool for moments alone. */
const BATCH = 256;
/** Longer than any provider's call may take, so that work in hand is not claimed by another. */
const HOLD: Seconds = seconds(60);
/** A pass waits this long for what it has begun: most kills are over by then. */
const PATIENCE_MS = 1_000;
/** Backoff between attempts at one piece of work: doubling, with jitter, up to a minute, for ever. */
const BACKOFF_START_MS = 250;
const BACKOFF_LIMIT_MS = 60_000;
/** After so many a person should know; the attempts go on. */
const ALERT_AFTER = 5;

export interface Swept {
  readonly expired: number;
  readonly done: number;
  readonly deferred: number;
}

/** One pass. A fault in one piece of work harms no other. */
export async function sweep(deps: Deps): Promise<Swept> {
  const expired = await expire(deps);
  // It asks targets, of which some may hang: it goes on beside the next passes.
  deps.background(endIdle(deps));
  const work = await deps.store.claim(BATCH, FIRST_SHARE, HOLD, deps.breakers.shares());
  // Only now: a pass that cannot see what has expired, or cannot take up what is to be killed, watches nothing.
  const beating = deps.store.beat(deps.node);
  const all = Promise.all(work.map((piece) => attempt(deps, piece)));
  deps.background(all);
  const [outcomes] = await Promise.all([Promise.race([all, patience(deps)]), beating]);
  const done = outcomes.filter(Boolean).length;
  return { expired, done, deferred: work.length - done };
}

/** What takes longer goes on beside the next pass, held and fenced: a dead target delays neither expiry nor another. */
async function patience(deps: Deps): Promise<readonly boolean[]> {
  await deps.pause(PATIENCE_MS);
  return [];
}

/** Commits their ends; the queue, which comes next, kills them. */
async function expire(deps: Deps): Promise<number> {
  const overdue = await deps.store.overdue(deps.clock(), BATCH);
  const outcomes = await Promise.allSettled(overdue.map(({ tenant, lease }) => expireOne(deps, tenant, lease)));
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') deps.log.error('expiry.failed', { fault: String(outcome.reason) });
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

async function expireOne(deps: Deps, tenant: TenantName, id: LeaseId): Promise<void> {
  const lease = await deps.store.lease(tenant, id);
  // An opening one is the reconciler's: its mint may still land.
  if (lease?.state !== 'active') return;
  const actor = { kind: 'broker', name: deps.node } as const;
  await endLease(deps, lease, { cause: 'expired', actor, reason: null, outcome: null, killer: 'queue' });
}

/** @returns whether the work is over. */
async function attempt(deps: Deps, work: ClaimedWork): Promise<boolean> {
  try {
    const result = await perform(deps, work);
    if (result.dead) await deps.store.finish(work);
    else await defer(deps, work, result);
    return result.dead;
  } catch (fault) {
    await defer(deps, work, { why: fault instanceof Error ? fault.message : String(fault) });
    return false;
  }
}

async function perform(deps: Deps, work: ClaimedWork): Promise<KillResult> {
  const { what } = work;
  switch (what.task) {
    case 'kill':
      return withLease(deps, what, (lease) => killLease(deps, lease, { by: 'queue', fence: work }));
    case 'reconcile':
      return withLease(deps, what, (lease) => reconcile(deps, lease, work));
    case 'clean':
      return withLease(deps, what, (lease) => clean(deps, lease));
    case 'notice':
      return tellNotice(deps, what, work);
    case 'digest':
      return tellDigest(deps, what, work);
    case 'cascade':
      return cascade(deps, what);
    case 'reassess':
      return reassess(deps, what);
    case 'narrow':
      return narrow(deps, what);
    case 'approval':
      return passTime(deps, what, work);
    case 'enforce':
      return enforce(deps, what);
  }
}

async function withLease(
  deps: Deps,
  of: { readonly tenant: TenantName; readonly lease: LeaseId },
  act: (lease: Lease) => Promise<KillResult>,
): Promise<KillResult> {
  const lease = await deps.store.lease(of.tenant, of.lease);
  if (lease === null) throw new Error(`work names the lease ${of.lease}, which is not in the store`);
  return act(lease);
}

async function defer(
  deps: Deps,
  work: ClaimedWork,
  { why, until, noLater, left }: Omit<Extract<KillResult, { readonly dead: false }>, 'dead'>,
): Promise<void> {
  const level = work.attempt > ALERT_AFTER ? 'error' : 'info';
  const { task, tenant } = work.what;
  deps.log[level]('work.deferred', {
    work: work.work,
    task,
    tenant,
    ...aboutOf(work.what),
    attempt: work.attempt,
    why,
  });
  const due = until ?? earliest(backoff(deps, work.attempt), noLater ?? null);
  await deps.store.defer(work, due, why, left);
}

/** Names and ids alone. What else work holds, as a notice somebody's words and an address, no log keeps. */
function aboutOf(what: WorkTask): JsonObject {
  switch (what.task) {
    case 'kill':
    case 'reconcile':
    case 'clean':
      return { lease: what.lease, target: what.target };
    case 'notice':
      return { notice: what.notice.kind };
    case 'approval':
      return { approval: what.approval };
    case 'enforce':
      return { block: what.block };
    case 'narrow':
      return { policy: what.policy };
    case 'digest':
    case 'cascade':
    case 'reassess':
      return {};
  }
}

function backoff(deps: Deps, attempts: number): Instant {
  const whole = Math.min(BACKOFF_LIMIT_MS, BACKOFF_START_MS * 2 ** Math.min(attempts, 10));
  const [chance = 0] = deps.random(1);
  return instant(Math.round(deps.clock() + whole * (0.5 + chance / 510)));
}
