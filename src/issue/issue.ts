/**
 * A grant becomes a lease and a credential: intent is committed, the provider mints, the outcome is committed, and
 * only then does the credential leave. No provider is called inside a transaction.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { NewWork } from '../core/change.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { LeaseId } from '../core/ids.ts';
import { markOf, placeOf } from '../core/lease.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { MintTooLarge, ProviderUnavailable } from '../core/provider.ts';
import type { LocalProvider, Minted, MintOrder, MintTerms, OpenTarget, RemoteProvider } from '../core/provider.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { after, seconds } from '../core/time.ts';
import type { Seconds } from '../core/time.ts';
import { mintTermsOf } from '../decide/mint-terms.ts';
import type { Deps } from '../deps.ts';
import type { Grant } from './grant.ts';
import { activate, keptSecret, knownOrUndelivered, lastOf, neverMinted, refuse } from './outcome.ts';
import type { Issued, IssueRecord, NotIssued } from './outcome.ts';
import { openTarget } from './target.ts';

/**
 * A mint that has not landed by then is given up, and the reconciler may fence its name. Postgres answers in
 * milliseconds, AWS in seconds; ten leaves room for a provider under load.
 */
export const MINT_DEADLINE = seconds(10);

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
  const minted = await mintOrGiveUp(deps, provider, lease, target, record);
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
  record: IssueRecord,
): Promise<Result<Minted, NotIssued>> {
  try {
    const minted = await provider.mint(orderOf(lease), target);
    deps.breakers.answered(lease);
    return ok(minted);
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    deps.log.warn('mint.failed', { tenant: lease.tenant, lease: lease.id, why: fault.message });
    deps.breakers[fault.answered ? 'answered' : 'failed'](lease);
    if (fault instanceof MintTooLarge) return neverMinted(deps, lease, record.tooLarge(lease));
    const retryAfter = MINT_DEADLINE;
    return refuse(failure('provider_unavailable', 'the provider did not mint this credential', { retryAfter }));
  }
}
