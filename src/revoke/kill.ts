/**
 * Ends a revoked lease at its provider and looks until it is gone. The same code runs right after the commit, from the
 * queue, and after a crash. It never gives up: what fails is deferred, without a limit.
 */
import type { NewWork, WorkFence } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft } from '../core/entry.ts';
import type { WorkId } from '../core/ids.ts';
import { exposureOf } from '../core/lease.ts';
import type { Death, Declared, Lease } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { Sighting } from '../core/provider.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { atProvider, isOverByItself } from './lease.ts';
import type { Held, KillResult } from './lease.ts';
import { cleaning } from './clean.ts';

/** Who kills: the attempt that holds the work, or whoever revoked it, right after the commit and before the queue's turn. */
export type Killer =
  { readonly by: 'queue'; readonly fence: WorkFence } | { readonly by: 'caller'; readonly work: WorkId | null };

/** `buried`: as it was written here; `null` where another hand was first. */
export type Killed =
  { readonly dead: true; readonly buried: Lease | null } | Extract<KillResult, { readonly dead: false }>;

export async function killLease(deps: Deps, lease: Lease, killer: Killer): Promise<Killed> {
  if (lease.state !== 'revoking') return { dead: true, buried: null };
  try {
    return await atProvider(deps, lease, (held) => endAndLook(deps, lease, held, killer));
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    deps.breakers[fault.answered ? 'answered' : 'failed'](lease);
    return { dead: false, why: fault.message };
  }
}

async function endAndLook(deps: Deps, lease: Lease, held: Held, killer: Killer): Promise<Killed> {
  const { declared } = held;
  if (held.provider.where === 'local' && declared.revokes === 'never' && deps.clock() < lease.expiresAt) {
    return { dead: false, why: 'only its expiry ends it', until: lease.expiresAt };
  }
  const undone = await endAtProvider(held, lease);
  // What is over by itself may have no provider left to end it at, such as a role at AWS that the client has deleted.
  if (undone !== null && !isOverByItself(deps.clock(), lease, declared)) throw undone;
  const seen = await held.provider.look(held.subject, held.target);
  const sighting = undone === null ? seen : unfenced(lease, seen, undone);
  const death = deathOf(deps, lease, sighting, declared);
  if (undone !== null && death === null) throw undone;
  if (held.provider.where === 'remote' && undone === null) deps.breakers.answered(lease);
  if (death === null) return notSeenDead(lease, sighting);
  return bury(deps, lease, { death, work: cleaning(deps, lease, sighting), killer });
}

/** What can never be seen dead is over, or unverifiable, at its own end: that is said then, and not a backoff later. */
function notSeenDead({ expiresAt }: Lease, sighting: Sighting): Killed {
  if (sighting.seen !== 'unseen') return { dead: false, why: 'it is still there' };
  return { dead: false, why: sighting.why, ...(sighting.forGood ? { noLater: expiresAt } : {}) };
}

/**
 * One that was never activated may still be landing: its name is fenced before anything is said of it.
 *
 * @returns why it could not be ended; `null` where it was.
 */
async function endAtProvider({ provider, subject, target }: Held, lease: Lease): Promise<ProviderUnavailable | null> {
  if (provider.where === 'local') return null;
  try {
    await provider.revoke(subject, target);
    if (lease.activeAt !== null) return null;
    await provider.fence(subject, target);
    await provider.revoke(subject, target);
    return null;
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return fault;
    throw fault;
  }
}

/** That what may still be landing is not there proves nothing, where its name is not fenced. */
const unfenced = ({ activeAt }: Lease, sighting: Sighting, { message: why }: ProviderUnavailable): Sighting =>
  activeAt === null && sighting.seen === 'gone' ? { seen: 'unseen', why, forGood: false } : sighting;

async function bury(
  deps: Deps,
  lease: Lease,
  { death, work, killer }: { readonly death: Death; readonly work: readonly NewWork[]; readonly killer: Killer },
): Promise<Killed> {
  const exposure = exposureOf(lease.expiresAt, lease.revokingAt ?? lease.expiresAt, death);
  const entry = makeEntry(
    { ...deathEntry(lease, death, exposure), inSetup: (await deps.store.deployment()).inSetup },
    deps.random,
  );
  const change = {
    kind: 'lease.bury',
    tenant: lease.tenant,
    lease: lease.id,
    death,
    exposure,
    fence: killer.by === 'queue' ? killer.fence : null,
    over: killer.by === 'caller' ? killer.work : null,
    work,
  } as const;
  const buried = await deps.store.commit(change, [entry]);
  if (buried.ok) return { dead: true, buried: { ...lease, state: 'revoked', death, exposure, secret: null } };
  if (buried.error.unmet === 'fenced') return { dead: false, why: 'another attempt holds this work' };
  return { dead: true, buried: null };
}

/**
 * Past its end, what cannot be looked at is over where expiry ends live use, also where it could be looked at some other
 * day; elsewhere it stays unseen for good, and where that was said beforehand there is nothing to wait for.
 */
function deathOf(
  { clock, node }: Pick<Deps, 'clock' | 'node'>,
  lease: Lease,
  sighting: Sighting,
  declared: Declared,
): Death | null {
  const at = clock();
  const { expiresAt } = lease;
  const { expiryEndsUse, evidence } = declared;
  const mayBeSeen = sighting.seen === 'unseen' && !sighting.forGood && !isOverByItself(at, lease, declared);
  switch (sighting.seen) {
    case 'gone':
      return { how: 'verified', at, evidence: sighting.evidence, node };
    case 'present':
      return null;
    case 'unseen':
      if (mayBeSeen || (at < expiresAt && !(evidence === null && !expiryEndsUse))) return null;
      return expiryEndsUse
        ? { how: 'expired', at, evidence: { expired_at: toRfc3339(expiresAt), why: sighting.why }, node }
        : { how: 'unverifiable', at, evidence: { why: sighting.why }, node };
  }
}

function deathEntry(lease: Lease, death: Death, exposure: number): Omit<EntryDraft, 'inSetup'> {
  return {
    tenant: lease.tenant,
    kind: 'lease.revoked',
    at: death.at,
    actor: { kind: 'broker', name: death.node },
    accountable: lease.owner,
    request: lease.request,
    lease: lease.id,
    facts: { death: death.how, exposure_ms: exposure, node: death.node, cause: lease.cause },
    seen: death.evidence,
  };
}
