/**
 * What comes of a mint: its outcome is committed, and only then does the credential leave. One that may not leave any
 * more is kept as far as it takes to end it.
 */
import { blockableOf, blockOver } from '../core/block.ts';
import type { Json } from '../core/canonical.ts';
import type { Conditions, NewWork, RequestRow, Unmet } from '../core/change.ts';
import type { Entry, Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { ApprovalId, BlockId, WorkId } from '../core/ids.ts';
import { firstLook, placeOf } from '../core/lease.ts';
import type { LeaseTerms } from '../core/lease.ts';
import type { Minted } from '../core/provider.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { SealedSecret } from '../core/seal.ts';
import type { Secret } from '../core/secret.ts';
import type { Epochs } from '../core/snapshot.ts';
import { seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';

export interface Issued {
  readonly lease: LeaseTerms;
  readonly credential: Readonly<Record<string, Json | Secret>>;
  readonly receipt: Receipt;
}

/** What the caller of `issue` has decided about how it is written down. */
export interface IssueRecord {
  readonly row: RequestRow;
  readonly when: Conditions;
  /** The approval that it spends, as it was read. */
  readonly redeems: { readonly approval: ApprovalId; readonly version: number } | null;
  /** The entries of the permit and of the lease's opening (or of its whole issue, where the mint is local). */
  entries(lease: LeaseTerms, state: 'opening' | 'active'): readonly Entry[];
  /** The entry of a mint that has landed. */
  landed(lease: LeaseTerms, minted: Minted): Entry;
  /** The entry of a revocation because nothing may be issued any more; by a block, where that is why. */
  overtaken(lease: LeaseTerms, block: BlockId | null): Entry;
  /** The entry of a mint that has landed when its end was committed already. */
  late(lease: LeaseTerms, minted: Minted): Entry;
  /** The entry of one that its provider refused as too large. */
  tooLarge(lease: LeaseTerms): Entry;
  /** Told where it is not known whether the lease is active, and nobody gets its credential. */
  undelivered(lease: LeaseTerms): void;
  /** A tier 2 notice, if one is owed. */
  notices(lease: LeaseTerms): readonly NewWork[];
  /** Decides again after an epoch moved: the new epochs where the very same is still permitted, else `null`. */
  stillPermitted(): Promise<Epochs | null>;
}

export type NotIssued = { readonly unmet: Unmet } | { readonly refused: Failure };

export const refuse = (refused: Failure): Result<never, NotIssued> => err({ refused });

export async function activate(
  deps: Deps,
  lease: LeaseTerms,
  minted: Minted,
  record: IssueRecord & { readonly reconciling: WorkId },
): Promise<Result<Issued, NotIssued>> {
  const secret = await keptSecret(deps, lease, minted.keep);
  for (let epochs: Epochs | null = record.when.epochs; epochs !== null; epochs = await record.stillPermitted()) {
    const at = deps.clock();
    const activating = deps.store.commit(
      {
        kind: 'lease.activate',
        tenant: lease.tenant,
        lease: lease.id,
        epochs,
        at,
        reference: minted.reference,
        secret,
        lookAt: firstLook(lease, at),
        work: record.notices(lease),
        over: record.reconciling,
      },
      [record.landed(lease, minted)],
    );
    const done = await knownOrUndelivered(record, lease, activating);
    if (done.ok) return ok({ lease, credential: minted.credential, receipt: lastOf(done.value.receipts) });
    if (done.error.unmet !== 'moved') {
      await withhold(deps, lease, { ...minted, secret }, record);
      return (await wasGivenUp(deps, lease)) ? refuse(TOO_LATE) : err({ unmet: done.error });
    }
  }
  await withhold(deps, lease, { ...minted, secret }, record);
  return err({ unmet: { unmet: 'moved' } });
}

/** The reconciler came first: past its deadline nobody knew whether it would land, and what was found was ended. */
const wasGivenUp = async (deps: Deps, { tenant, id }: LeaseTerms): Promise<boolean> =>
  (await deps.store.lease(tenant, id))?.cause === 'mint_failed';

const TOO_LATE = failure('provider_unavailable', 'the provider took so long that its credential has been ended', {
  hint: 'Nothing of it left the broker: ask anew.',
  retryAfter: seconds(1),
});

interface Landed extends Minted {
  /** What of it is kept until death. */
  readonly secret: SealedSecret | null;
}

/** What was permitted is not any more: the credential exists and never leaves. */
async function withhold(deps: Deps, lease: LeaseTerms, minted: Landed, record: IssueRecord): Promise<void> {
  const now = deps.clock();
  const { reference, secret } = minted;
  const work = [{ id: newId('wrk', now, deps.random), due: now, what: { task: 'kill', ...placeOf(lease) } as const }];
  const block = await blockInTheWay(deps, lease, now);
  const revoked = await deps.store.commit(
    {
      kind: 'lease.revoke',
      tenant: lease.tenant,
      lease: lease.id,
      at: now,
      cause: block === null ? 'overtaken' : 'blocked',
      block,
      outcome: null,
      reference,
      secret,
      death: null,
      exposure: null,
      work,
    },
    [record.overtaken(lease, block)],
  );
  if (revoked.ok) return;
  // Others have ended it while it was being minted: their kill knows it by its mark alone.
  const change = { kind: 'lease.land', tenant: lease.tenant, lease: lease.id, reference, secret, work } as const;
  const landed = await deps.store.commit(change, [record.late(lease, minted)]);
  if (!landed.ok) deps.log.warn('lease.over_before_landed', { lease: lease.id, unmet: landed.error.unmet });
}

/** The kill switch that counts it among what it has ended, whoever of the two comes to it first. */
async function blockInTheWay(deps: Deps, lease: LeaseTerms, now: Instant): Promise<BlockId | null> {
  const snapshot = await deps.store.snapshot(lease.tenant);
  const held = snapshot?.agents.get(lease.agent);
  if (snapshot === null || held === undefined) return null;
  return blockOver(snapshot.blocks, blockableOf(lease, held.agent), now)?.id ?? null;
}

/** Its provider has answered that it makes no such thing, so that no mint of it can still land. */
export async function neverMinted(
  deps: Deps,
  { tenant, id, approval }: LeaseTerms,
  entry: Entry,
): Promise<Result<never, NotIssued>> {
  const at = deps.clock();
  const change = { kind: 'lease.fail', tenant, lease: id, reopens: approval, at, fence: null, work: [] } as const;
  const failed = await deps.store.commit(change, [entry]);
  if (!failed.ok) deps.log.warn('lease.already_ending', { lease: id, unmet: failed.error.unmet });
  return refuse(TOO_LARGE);
}

const TOO_LARGE = failure('invalid_parameters', 'the provider takes no credential as large as this one would be', {
  hint: 'Shorter parameters may fit; or the class asks too much.',
});

export async function keptSecret(deps: Deps, lease: LeaseTerms, keep: Secret | null): Promise<SealedSecret | null> {
  const purpose = { tenant: lease.tenant, use: 'lease-secret', subject: lease.id } as const;
  return keep === null ? null : deps.keyring.seal(purpose, keep);
}

/** A commit whose answer was lost may have landed: then the lease lives, and nobody has its credential. */
export async function knownOrUndelivered<T>(
  record: IssueRecord,
  lease: LeaseTerms,
  committing: Promise<T>,
): Promise<T> {
  try {
    return await committing;
  } catch (fault) {
    record.undelivered(lease);
    throw fault;
  }
}

export function lastOf(receipts: readonly Receipt[]): Receipt {
  const last = receipts.at(-1);
  if (last === undefined) throw new Error('a commit answered without the receipt of its entry');
  return last;
}
