/** Rows as JSON, for statements over whole batches: `json_populate_record` makes table rows of them. */
import type { NewWork, RequestRow } from '../../core/change.ts';
import type { JsonObject } from '../../core/canonical.ts';
import type { Entry } from '../../core/entry.ts';
import type { LeaseId, RequestId, TenantName } from '../../core/ids.ts';
import type { LeaseTerms } from '../../core/lease.ts';
import { DEPLOYMENT } from '../names.ts';

/** A row for a member of the batch: `n` is the member. */
export interface RowOf {
  readonly n: number;
  readonly row: object;
}

export const entryRows = (n: number, entries: readonly Entry[]): RowOf[] =>
  entries.map(({ tenant, id, kind, at, request, lease, text, leaf }) => ({
    n,
    row: { tenant: tenant ?? DEPLOYMENT, id, kind, at, request, lease, text, leaf: `\\x${leaf}` },
  }));

export const valueRows = (n: number, entries: readonly Entry[]): RowOf[] =>
  entries
    .filter(({ values }) => values.length > 0)
    .map(({ tenant, id, values }) => ({ n, row: { tenant: tenant ?? DEPLOYMENT, entry: id, values } }));

export const workRows = (n: number, work: readonly NewWork[], now: number): RowOf[] =>
  work.map(({ id, due, what }) => ({
    n,
    row: { id, tenant: what.tenant ?? DEPLOYMENT, what, due, attempt: 0, held_until: 0, enqueued_at: now },
  }));

export const requestRow = (tenant: TenantName, request: RequestRow, lease: LeaseId | null): JsonObject => ({
  tenant,
  id: request.id,
  agent: request.agent,
  task: request.task,
  resource: request.resource,
  hash: request.hash,
  effect: request.effect,
  decision: request.decision,
  asked: request.asked,
  at: request.at,
  policy: request.policy,
  lease,
});

export const leaseRow = (lease: LeaseTerms, state: 'opening' | 'active', secret: string | null): JsonObject => ({
  tenant: lease.tenant,
  id: lease.id,
  request: lease.request,
  approval: lease.approval,
  agent: lease.agent,
  owner: lease.owner,
  role: lease.role,
  task: lease.task,
  provider: lease.provider,
  target: lease.target,
  target_version: lease.targetVersion,
  resource: lease.resource,
  mark: lease.mark,
  opened_at: lease.openedAt,
  mint_deadline: lease.mintDeadline,
  expires_at: lease.expiresAt,
  policy: lease.policy,
  specification: lease.specification,
  state,
  reference: null,
  secret,
  active_at: state === 'active' ? lease.openedAt : null,
  revoking_at: null,
  cause: null,
  death: null,
  exposure: null,
  outcome: null,
});

export const approvalRow = (tenant: TenantName, id: string, request: RequestId, expiresAt: number): JsonObject => ({
  tenant,
  id,
  request,
  state: 'pending',
  expires_at: expiresAt,
});
