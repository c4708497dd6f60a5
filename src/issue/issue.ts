/**
 * A grant becomes a lease and a credential: intent is committed, the provider mints, the outcome is committed, and
 * only then does the credential leave. No provider is called inside a transaction.
 */
import type { Conditions, NewWork, RequestRow, Unmet } from '../core/change.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { Entry, Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { ApprovalId, LeaseId, WorkId } from '../core/ids.ts';
import { firstLook, markOf, placeOf } from '../core/lease.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { LocalProvider, Minted, MintOrder, MintTerms, OpenTarget, RemoteProvider } from '../core/provider.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import type { Epochs } from '../core/snapshot.ts';
import { after, seconds } from '../core/time.ts';
import type { Seconds } from '../core/time.ts';
import { mintTermsOf } from '../decide/mint-terms.ts';
import type { Deps } from '../deps.ts';
import { openTarget } from './target.ts';
import type { Grant } from './grant.ts';

/**
 * A mint that has not landed by then is given up, and the reconciler may fence its name. Postgres answers in
 * milliseconds, AWS in seconds; ten leaves room for a provider under load.
 */
export const MINT_DEADLINE = seconds(10);

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
  /** The entry of a revocation because nothing may be issued any more. */
  overtaken(lease: LeaseTerms): Entry;
  /** Told where it is not known whether the lease is active, and nobody gets its credential. */
  undelivered(lease: LeaseTerms): void;
  /** A tier 2 notice, if one is owed. */
  notices(lease: LeaseTerms): readonly NewWork[];
  /** Decides again after an epoch moved: the new epochs where the very same is still permitted, else `null`. */
  stillPermitted(): Promise<Epochs | null>;
}

export type NotIssued = { readonly unmet: Unmet } | { readonly refused: Failure };

export async function issue(deps: Deps, grant: Grant, record: IssueRecord): Promise<Result<Issued, NotIssued>> {
  const { execution } = grant.terms;
  const provider = deps.providers.get(execution.target.provider);
  if (provider === undefined) return refuse(failure('internal', 'the provider of this target is not built in'));
  const specification = provider.specify(mintTerms(grant), execution.target);
  if (!specification.ok) return refuse(specification.error);
  const lease = leaseTerms(deps, grant, specification.value);
  const target = await openTarget(deps.keyring, execution.target);
  return provider.where === 'local'
    ? issueLocally(deps, provider, lease, target, record)
    : issueRemotely(deps, provider, lease, target, record);
}

const refuse = (refused: Failure): Result<never, NotIssued> => err({ refused });

const mintTerms = ({ terms: { execution, principal, id } }: Grant): MintTerms =>
  mintTermsOf({ tenant: principal.tenant, agent: principal.agent.name, request: id }, execution);

function leaseTerms(deps: Deps, { terms }: Grant, specification: JsonObject): LeaseTerms {
  const { execution, request, principal } = terms;
  const now = deps.clock();
  const id: LeaseId = newId('lse', now, deps.random);
  return {
    id,
    tenant: principal.tenant,
    request: terms.id,
    approval: terms.approval,
    agent: principal.agent.name,
    owner: principal.agent.owner,
    role: execution.role,
    task: request.task,
    provider: execution.target.provider,
    target: execution.target.name,
    targetVersion: execution.target.version,
    resource: request.resource,
    mark: markOf(id),
    openedAt: terms.at,
    mintDeadline: after(now, MINT_DEADLINE),
    // From the decision on: a lifetime that ends with what it rests on does not start later than it was measured.
    expiresAt: after(terms.at, execution.ttl),
    policy: terms.policy,
    tier: execution.tier,
    dataClasses: execution.dataClasses,
    uses: execution.usesCounted ? execution.uses : null,
    idle: execution.declared.seesUse ? execution.idle : null,
    declared: execution.declared,
    specification,
  };
}

const orderOf = (lease: LeaseTerms): MintOrder => ({
  lease: lease.id,
  mark: lease.mark,
  specification: lease.specification,
  issuedAt: lease.openedAt,
  expiresAt: lease.expiresAt,
  deadline: lease.mintDeadline,
});

/** A signature is worth nothing before the commit and nobody has it, so it is made beside it. */
async function issueLocally(
  deps: Deps,
  provider: LocalProvider,
  lease: LeaseTerms,
  target: OpenTarget,
  record: IssueRecord,
): Promise<Result<Issued, NotIssued>> {
  const minting = provider.mint(orderOf(lease), target);
  const issuing = Promise.all([
    minting,
    deps.store.commit(
      {
        kind: 'lease.open',
        tenant: lease.tenant,
        when: record.when,
        request: record.row,
        redeems: record.redeems,
        lease,
        state: 'active',
        secret: lease.declared?.keepsSecret === true ? await keptSecret(deps, lease, (await minting).keep) : null,
        work: record.notices(lease),
      },
      record.entries(lease, 'active'),
    ),
  ]);
  const [minted, committed] = await knownOrUndelivered(record, lease, issuing);
  if (!committed.ok) return err({ unmet: committed.error });
  return ok({ lease, credential: minted.credential, receipt: lastOf(committed.value.receipts) });
}

/** A commit whose answer was lost may have landed: then the lease lives, and nobody has its credential. */
async function knownOrUndelivered<T>(record: IssueRecord, lease: LeaseTerms, committing: Promise<T>): Promise<T> {
  try {
    return await committing;
  } catch (fault) {
    record.undelivered(lease);
    throw fault;
  }
}

async function issueRemotely(
  deps: Deps,
  provider: RemoteProvider,
  lease: LeaseTerms,
  target: OpenTarget,
  record: IssueRecord,
): Promise<Result<Issued, NotIssued>> {
  const rests = deps.breakers.rests(lease);
  if (rests !== null) return refuse(notAnswering(rests));
  const reconciling = reconciliation(deps, lease);
  const opened = await deps.store.commit(
    {
      kind: 'lease.open',
      tenant: lease.tenant,
      when: record.when,
      request: record.row,
      redeems: record.redeems,
      lease,
      state: 'opening',
      secret: null,
      work: [reconciling],
    },
    record.entries(lease, 'opening'),
  );
  if (!opened.ok) return err({ unmet: opened.error });
  const minted = await mintOrGiveUp(deps, provider, lease, target);
  return minted.ok ? activate(deps, lease, minted.value, { ...record, reconciling: reconciling.id }) : minted;
}

/** Nothing is opened for what would not be minted. */
const notAnswering = (retryAfter: Seconds): Failure =>
  failure('provider_unavailable', 'the target has not answered of late, and is left alone for a moment', {
    retryAfter,
  });

const reconciliation = (deps: Deps, lease: LeaseTerms): NewWork => ({
  id: newId('wrk', lease.openedAt, deps.random),
  due: lease.mintDeadline,
  what: { task: 'reconcile', ...placeOf(lease) },
});

/** Whether a mint that failed has landed is not known here: the lease stays `opening` for the reconciler to find out. */
async function mintOrGiveUp(
  deps: Deps,
  provider: RemoteProvider,
  lease: LeaseTerms,
  target: OpenTarget,
): Promise<Result<Minted, NotIssued>> {
  try {
    const minted = await provider.mint(orderOf(lease), target);
    deps.breakers.answered(lease);
    return ok(minted);
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    deps.log.warn('mint.failed', { tenant: lease.tenant, lease: lease.id, why: fault.message });
    deps.breakers[fault.answered ? 'answered' : 'failed'](lease);
    const retryAfter = MINT_DEADLINE;
    return refuse(failure('provider_unavailable', 'the provider did not mint this credential', { retryAfter }));
  }
}

async function activate(
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
    if (done.error.unmet !== 'moved') return err({ unmet: done.error });
  }
  await withhold(deps, lease, minted, secret, record);
  return err({ unmet: { unmet: 'moved' } });
}

/** What was permitted is not any more: the credential exists and never leaves. */
async function withhold(
  deps: Deps,
  lease: LeaseTerms,
  minted: Minted,
  secret: Awaited<ReturnType<typeof keptSecret>>,
  record: IssueRecord,
): Promise<void> {
  const now = deps.clock();
  const revoked = await deps.store.commit(
    {
      kind: 'lease.revoke',
      tenant: lease.tenant,
      lease: lease.id,
      at: now,
      cause: 'overtaken',
      outcome: null,
      reference: minted.reference,
      secret,
      death: null,
      exposure: null,
      work: [{ id: newId('wrk', now, deps.random), due: now, what: { task: 'kill', ...placeOf(lease) } }],
    },
    [record.overtaken(lease)],
  );
  if (!revoked.ok) deps.log.warn('lease.already_ending', { lease: lease.id, unmet: revoked.error.unmet });
}

async function keptSecret(deps: Deps, lease: LeaseTerms, keep: Secret | null) {
  const purpose = { tenant: lease.tenant, use: 'lease-secret', subject: lease.id } as const;
  return keep === null ? null : deps.keyring.seal(purpose, keep);
}

function lastOf(receipts: readonly Receipt[]): Receipt {
  const last = receipts.at(-1);
  if (last === undefined) throw new Error('a commit answered without the receipt of its entry');
  return last;
}
