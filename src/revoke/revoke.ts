/**
 * A revocation is committed first, then done at the provider, then proven. This file commits it; `kill.ts` does the
 * rest, here and now if it can, and by the queue's word otherwise.
 */
import type { NewWork } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { Actor, Receipt } from '../core/entry.ts';
import { newId } from '../core/ids.ts';
import type { BlockId, LeaseId, TenantName, WorkId } from '../core/ids.ts';
import { exposureOf, placeOf } from '../core/lease.ts';
import type { Death, Declared, Lease, Outcome, RevocationCause } from '../core/lease.ts';
import { instant, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { declaredOf, outcomeFacts } from './lease.ts';

export interface Ending {
  readonly cause: RevocationCause;
  readonly actor: Actor;
  /** What the one who ends it said. */
  readonly reason: string | null;
  readonly outcome: Outcome | null;
  /** The kill switch that ends it. */
  readonly block?: BlockId | null;
  /** When that was committed, where it is enforced after it: the lease is exposed from then on. */
  readonly since?: Instant | null;
  /** Who goes on to kill it: the caller, at once, or whoever claims the work next. */
  readonly killer: 'caller' | 'queue';
}

export interface Ended {
  readonly lease: Lease;
  /** `null` where it had ended before and nothing more was said of it. */
  readonly receipt: Receipt | null;
  /** What the queue will do about it, if nobody kills it before; `null` where nothing, or where it was said before. */
  readonly work: WorkId | null;
}

/**
 * A caller's attempt, which follows at once, has this long before the queue's comes in: a kill whose node died is taken up
 * soon, and one that is under way is not done twice.
 */
const FIRST_ATTEMPT_MS = 5_000;

/** Commits the end of a live lease. One that is ending or over stays as it is; what the agent reports is still kept. */
export async function endLease(deps: Deps, lease: Lease, ending: Ending): Promise<Ended> {
  const declared = await declaredOf(deps, lease);
  const at = deps.clock();
  const death = deathInCommit(declared, lease, at, deps.node);
  const work = death === null ? [killLater(deps, lease, at, { declared, killer: ending.killer })] : [];
  const entry = makeEntry(
    revocationEntry(lease, ending, at, death, (await deps.store.deployment()).inSetup),
    deps.random,
  );
  const exposure = death === null ? null : exposureOf(lease.expiresAt, at, death);
  const revokingAt = death === null ? exposedFrom(lease, ending.since ?? at, at) : at;
  const { tenant, id } = lease;
  const committed = await deps.store.commit(
    {
      kind: 'lease.revoke',
      tenant,
      lease: id,
      at: revokingAt,
      cause: ending.cause,
      outcome: ending.outcome,
      block: ending.block ?? null,
      reference: lease.reference,
      secret: lease.secret,
      death,
      exposure,
      work,
    },
    [entry],
  );
  const receipt = committed.ok ? (committed.value.receipts.at(-1) ?? null) : await report(deps, lease, ending);
  // What was active is known whole; of one that was opening, the mint may have landed since it was read.
  const queued = committed.ok ? (work[0]?.id ?? null) : null;
  if (!committed.ok || lease.state !== 'active') {
    return { lease: await reread(deps, tenant, id), receipt, work: queued };
  }
  const { cause, outcome } = ending;
  const ended = { ...lease, revokingAt, cause, outcome, exposure, death };
  return {
    lease: death === null ? { ...ended, state: 'revoking' } : { ...ended, state: 'revoked', secret: null },
    receipt,
    work: queued,
  };
}

/**
 * One that dies with a commit was refused from the block's own on; any other lives until it is seen dead. What was opened
 * while the block waited for its turn has not been there for longer.
 */
const exposedFrom = ({ openedAt }: Lease, since: Instant, at: Instant): Instant =>
  instant(Math.min(at, Math.max(since, openedAt)));

/** A lease that was ending already: what the agent says of its work is kept all the same. */
async function report(deps: Deps, lease: Lease, ending: Ending): Promise<Receipt | null> {
  if (ending.outcome === null || lease.outcome !== null) return null;
  const entry = makeEntry(
    {
      tenant: lease.tenant,
      kind: 'lease.reported',
      at: deps.clock(),
      actor: ending.actor,
      accountable: lease.owner,
      request: lease.request,
      lease: lease.id,
      inSetup: (await deps.store.deployment()).inSetup,
      facts: { outcome: ending.outcome.outcome },
      said: outcomeFacts(ending.outcome),
    },
    deps.random,
  );
  const change = { kind: 'lease.report', tenant: lease.tenant, lease: lease.id, outcome: ending.outcome } as const;
  const committed = await deps.store.commit(change, [entry]);
  return committed.ok ? (committed.value.receipts[0] ?? null) : null;
}

export async function reread(deps: Deps, tenant: TenantName, id: LeaseId): Promise<Lease> {
  const lease = await deps.store.lease(tenant, id);
  if (lease === null) throw new Error(`the lease ${id} has gone from the store`);
  return lease;
}

/** Where the commit itself is the death (introspection refuses from then on), or expiry has already ended all use. */
function deathInCommit(declared: Declared, lease: Lease, at: Instant, node: string): Death | null {
  if (lease.state === 'opening') return null;
  if (declared.revokes === 'commit' && declared.evidence === null) {
    return { how: 'unverifiable', at, evidence: { why: 'what was done with it may go on' }, node };
  }
  if (declared.revokes === 'commit') return { how: 'verified', at, evidence: { seen: declared.evidence }, node };
  if (declared.expiryEndsUse && declared.revokes === 'never' && at >= lease.expiresAt) {
    return { how: 'expired', at, evidence: { expired_at: toRfc3339(lease.expiresAt) }, node };
  }
  return null;
}

function killLater(
  deps: Deps,
  lease: Lease,
  at: Instant,
  { declared, killer }: { readonly declared: Declared; readonly killer: Ending['killer'] },
): NewWork {
  const soon = killer === 'queue' ? at : instant(at + FIRST_ATTEMPT_MS);
  const due = declared.revokes === 'never' ? lease.expiresAt : soon;
  const what = { task: 'kill', ...placeOf(lease) } as const;
  return { id: newId('wrk', at, deps.random), due, what };
}

function revocationEntry(
  lease: Lease,
  ending: Ending,
  at: Instant,
  death: Death | null,
  inSetup: boolean,
): Parameters<typeof makeEntry>[0] {
  return {
    tenant: lease.tenant,
    kind: death === null ? 'lease.revoking' : 'lease.revoked',
    at,
    actor: ending.actor,
    accountable: lease.owner,
    request: lease.request,
    lease: lease.id,
    inSetup,
    facts: {
      cause: ending.cause,
      ...(ending.block ? { block: ending.block } : {}),
      expires_at: toRfc3339(lease.expiresAt),
      ...(ending.outcome === null ? {} : { outcome: ending.outcome.outcome }),
      ...(death === null
        ? {}
        : { death: death.how, node: death.node, exposure_ms: exposureOf(lease.expiresAt, at, death) }),
    },
    said: { ...(ending.reason === null ? {} : { reason: ending.reason }), ...outcomeFacts(ending.outcome) },
    ...(death === null ? {} : { seen: death.evidence }),
  };
}
