/**
 * The only database write of facts: a change with its ledger entries, whole or not at all.
 */
import { and, eq, gt, inArray, min, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Change, Committed, LifeChange, LiveBudget, NoticeTold, RepeatedRefusal, Unmet } from '../core/change.ts';
import { receiptOf } from '../core/entry.ts';
import type { Entry } from '../core/entry.ts';
import type { AgentName, TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { claimed } from './claims.ts';
import { commitApproval } from './commit/approvals.ts';
import { insertEntriesOf } from './commit/entries.ts';
import type { Group, Outcome } from './commit/group.ts';
import { commitRegister } from './commit/register.ts';
import type { Link, Transaction } from './link.ts';
import { ROLES } from './roles.ts';
import { approvals, leases, refusalCounts } from './schema/requests.ts';
import { work } from './schema/work.ts';

export type Commit = (change: Change, entries: readonly Entry[]) => Promise<Result<Committed, Unmet>>;

export function createCommit(link: Link, group: Group): Commit {
  return async (change, entries) => {
    const receipts = entries.map(receiptOf);
    switch (change.kind) {
      case 'register': {
        const done = await commitRegister(link, change, entries);
        if (!done.ok) return done;
        return ok(done.value === null ? { receipts } : { receipts, version: done.value });
      }
      case 'approval.move': {
        const done = await commitApproval(link, change, entries);
        return done.ok ? ok({ receipts }) : done;
      }
      case 'refusal.count':
        await countRefusal(link, change, entries);
        return ok({ receipts });
      case 'notice.told':
        return (await finishTold(link, change, entries)) ? ok({ receipts }) : err({ unmet: 'fenced' });
      case 'session.open':
      case 'request.refuse':
      case 'request.ask':
      case 'lease.open':
      case 'lease.activate':
      case 'lease.use':
      case 'lease.fail':
      case 'lease.revoke':
      case 'lease.land':
      case 'lease.bury':
      case 'lease.report':
      case 'ledger.note': {
        checkEntries(change, entries);
        const outcome = await group.commit(change, entries);
        return outcome === 'done' ? ok({ receipts }) : err(await unmetOf(link, change, outcome));
      }
    }
  };
}

/** A fault of the caller: it would leave a change without its fact, or a fact in another's ledger. */
function checkEntries(change: LifeChange, entries: readonly Entry[]): void {
  // That a client asked to see a token is no fact of the ledger; that it can't ask so again is all there is to keep.
  if (entries.length === 0 && change.kind !== 'session.open')
    throw new TypeError(`no ${change.kind} without its entry`);
  if (entries.some(({ tenant }) => tenant !== change.tenant)) throw new TypeError('an entry of another ledger');
}

async function unmetOf(link: Link, change: LifeChange, outcome: Exclude<Outcome, 'done'>): Promise<Unmet> {
  switch (outcome) {
    case 'moved':
    case 'replayed':
    case 'fenced':
      return { unmet: outcome };
    case 'approval':
    case 'order':
      return { unmet: outcome };
    case 'claimed':
      return claimOf(link, change);
    case 'spread':
      return { unmet: 'spread' };
    case 'live_leases':
    case 'live_logins':
    case 'open_approvals':
      return { unmet: 'budget', budget: outcome, until: await firstEnd(link, change, outcome) };
    case 'state':
      return { unmet: 'state', state: 'lease' in change ? await stateOf(link, change) : null };
  }
}

/** When the first of what filled a budget ends by itself: after the commit, since it is only told. */
async function firstEnd(link: Link, change: LifeChange, budget: LiveBudget): Promise<Instant | null> {
  if (!('request' in change)) throw new Error(`a ${change.kind} without a request was told of a budget`);
  const { tenant, request } = change;
  const held = { live_leases: liveLeases, live_logins: liveLogins, open_approvals: openApprovals }[budget];
  const entering = { role: ROLES.serve, tenants: [tenant] };
  const [first] = await link.transaction(entering, (tx) => held(tx, tenant, request.agent));
  return first?.until ?? null;
}

const LIVE = ['opening', 'active', 'revoking'] as const;

const liveLeases = (tx: Transaction, tenant: TenantName, agent: AgentName, which?: SQL) =>
  tx
    .select({ until: min(leases.expiresAt) })
    .from(leases)
    .where(and(eq(leases.tenant, tenant), eq(leases.agent, agent), inArray(leases.state, LIVE), which));

const liveLogins = (tx: Transaction, tenant: TenantName, agent: AgentName) =>
  liveLeases(tx, tenant, agent, eq(leases.provider, 'postgres'));

const openApprovals = (tx: Transaction, tenant: TenantName, agent: AgentName) =>
  tx
    .select({ until: min(approvals.expiresAt) })
    .from(approvals)
    .where(
      and(
        eq(approvals.tenant, tenant),
        eq(approvals.agent, agent),
        eq(approvals.state, 'pending'),
        gt(approvals.expiresAt, sql`(select brevet_now())`),
      ),
    );

/** Read after the commit, which may have waited for the one that was first. */
async function claimOf(link: Link, change: LifeChange): Promise<Unmet> {
  const key = 'when' in change ? change.when.idempotency : null;
  if (key === null) throw new Error('a change without an idempotency key was told that its key is claimed');
  const entering = { role: ROLES.serve, tenants: [change.tenant] };
  const before = await link.transaction(entering, (tx) => claimed(tx, change.tenant, key));
  return before ?? { unmet: 'claimed', same: false, request: null, done: null };
}

async function stateOf(link: Link, change: Extract<LifeChange, { readonly lease: unknown }>) {
  const id = typeof change.lease === 'string' ? change.lease : change.lease.id;
  const entering = { role: ROLES.serve, tenants: [change.tenant] };
  const [lease] = await link.transaction(entering, (tx) =>
    tx
      .select({ state: leases.state })
      .from(leases)
      .where(and(eq(leases.tenant, change.tenant), inArray(leases.id, [id]))),
  );
  return lease?.state ?? null;
}

async function countRefusal(link: Link, refusal: RepeatedRefusal, entries: readonly Entry[]): Promise<void> {
  const { tenant, agent, task, resource, code, count } = refusal;
  await link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
    await tx
      .insert(refusalCounts)
      .values({ tenant, agent, task, resource, code, count, lastAt: sql`brevet_now()` })
      .onConflictDoUpdate({
        target: [
          refusalCounts.tenant,
          refusalCounts.agent,
          refusalCounts.task,
          refusalCounts.resource,
          refusalCounts.code,
        ],
        set: { count: sql`${refusalCounts.count} + ${count}`, lastAt: sql`brevet_now()` },
      });
    await insertEntriesOf(tx, tenant, entries);
  });
}

/** @returns whether this attempt still held the work. */
function finishTold(link: Link, { tenant, fence }: NoticeTold, entries: readonly Entry[]): Promise<boolean> {
  return link.transaction({ role: ROLES.serve, tenants: [tenant] }, async (tx) => {
    const finished = await tx
      .delete(work)
      .where(and(eq(work.tenant, tenant), eq(work.id, fence.work), eq(work.attempt, fence.attempt)))
      .returning({ id: work.id });
    if (finished.length > 0) await insertEntriesOf(tx, tenant, entries);
    return finished.length > 0;
  });
}
