/**
 * Changes that begin something (a session, a refusal, an ask, a lease), a batch in one statement: each happens if the
 * epochs held, its one-use assertion was fresh, and its idempotency key unclaimed, in that order.
 */
import type { LifeChange, Unmet } from '../../core/change.ts';
import type { Entry } from '../../core/entry.ts';
import type { RequestId } from '../../core/ids.ts';
import type { Transaction } from '../database.ts';
import { approvalRow, entryRows, leaseRow, requestRow, valueRows, workRows } from './rows.ts';
import type { RowOf } from './rows.ts';

export type Beginning = Extract<LifeChange, { kind: 'session.open' | 'request.refuse' | 'request.ask' | 'lease.open' }>;

export interface Member<Change> {
  readonly change: Change;
  readonly entries: readonly Entry[];
}

type Outcome = 'done' | 'moved' | 'replayed' | 'claimed';

/** @returns for each member `null` where it happened, or why it did not. */
export async function begin(
  tx: Transaction,
  members: readonly Member<Beginning>[],
): Promise<readonly (Unmet | null)[]> {
  if (members.length === 0) return [];
  const now = Math.max(...members.flatMap(({ entries }) => entries.map(({ at }) => at)), 0);
  const conditions = members.map(({ change }, n) => conditionsOf(change, n));
  const rows = members.map(({ change, entries }, n) => rowsOf(change, entries, n, now));
  const of = (table: keyof Rows): string => JSON.stringify(rows.flatMap((each) => each[table]));
  const found = await tx.unsafe<{ n: number; outcome: Outcome; same: boolean | null; request: string | null }[]>(
    STATEMENT,
    [
      JSON.stringify(conditions),
      of('requests'),
      of('approvals'),
      of('leases'),
      of('work'),
      of('entries'),
      of('values'),
    ],
    { prepare: true },
  );
  const outcomes = new Map(found.map((row) => [row.n, row]));
  return members.map((_, n) => unmetOf(outcomes.get(n)));
}

function unmetOf(row: { outcome: Outcome; same: boolean | null; request: string | null } | undefined): Unmet | null {
  if (row === undefined) throw new Error('a batch answered without one of its members');
  switch (row.outcome) {
    case 'done':
      return null;
    case 'moved':
    case 'replayed':
      return { unmet: row.outcome };
    case 'claimed':
      return { unmet: 'claimed', same: row.same === true, request: row.request as RequestId | null };
  }
}

function conditionsOf(change: Beginning, n: number) {
  const { epochs, oneUse, idempotency } = change.when;
  return {
    n,
    tenant: change.tenant,
    tenant_epoch: epochs.tenant,
    deployment_epoch: epochs.deployment,
    client: oneUse?.client ?? null,
    jti: oneUse?.jti ?? null,
    until: oneUse?.until ?? null,
    principal: idempotency?.principal ?? null,
    route: idempotency?.route ?? null,
    key: idempotency?.key ?? null,
    digest: idempotency?.digest ?? null,
    request: change.kind === 'session.open' ? null : change.request.id,
  };
}

interface Rows {
  readonly requests: readonly RowOf[];
  readonly approvals: readonly RowOf[];
  readonly leases: readonly RowOf[];
  readonly work: readonly RowOf[];
  readonly entries: readonly RowOf[];
  readonly values: readonly RowOf[];
}

function rowsOf(change: Beginning, entries: readonly Entry[], n: number, now: number): Rows {
  const none = { requests: [], approvals: [], leases: [], work: [] };
  const ledger = { entries: entryRows(n, entries), values: valueRows(n, entries) };
  const { tenant } = change;
  switch (change.kind) {
    case 'session.open':
      return { ...none, ...ledger };
    case 'request.refuse':
      return { ...none, ...ledger, requests: [{ n, row: requestRow(tenant, change.request, null) }] };
    case 'request.ask': {
      const { id, request, expiresAt } = change.approval;
      const requests = [{ n, row: requestRow(tenant, change.request, null) }];
      return { ...none, ...ledger, requests, approvals: [{ n, row: approvalRow(tenant, id, request, expiresAt) }] };
    }
    case 'lease.open': {
      const { request, lease, state, secret, work } = change;
      const requests = [{ n, row: requestRow(tenant, request, lease.id) }];
      const leases = [{ n, row: leaseRow(lease, state, secret) }];
      return { ...none, ...ledger, requests, leases, work: workRows(n, work, now) };
    }
  }
}

const insert = (name: string, table: string, parameter: number): string => `
${name} AS (
  INSERT INTO ${table} SELECT made.* FROM json_to_recordset($${parameter}::json) AS x(n int, "row" json)
  JOIN won USING (n), LATERAL json_populate_record(NULL::${table}, x."row") AS made
)`;

/** Of two members of one batch that want the same, the first has it; rows are inserted in order, so none deadlocks. */
const STATEMENT = `
WITH batch AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS x(n int, tenant text, tenant_epoch bigint, deployment_epoch bigint,
    client text, jti text, until bigint, principal text, route text, key text, digest text, request text)
), held AS MATERIALIZED (
  SELECT b.* FROM batch b
  JOIN tenants t ON t.name = b.tenant AND NOT t.retired AND t.epoch = b.tenant_epoch
  JOIN deployment d ON d.epoch = b.deployment_epoch AND d.stopped IS NULL
), wanted AS MATERIALIZED (
  SELECT DISTINCT ON (tenant, client, jti) n, tenant, client, jti, until FROM held WHERE jti IS NOT NULL
  ORDER BY tenant, client, jti, n
), spent AS (
  INSERT INTO assertions (tenant, client, jti, until)
  SELECT tenant, client, jti, until FROM wanted ON CONFLICT DO NOTHING RETURNING tenant, client, jti
), fresh AS MATERIALIZED (
  SELECT h.* FROM held h WHERE h.jti IS NULL
    OR h.n IN (SELECT w.n FROM wanted w JOIN spent USING (tenant, client, jti))
), claims AS MATERIALIZED (
  SELECT DISTINCT ON (tenant, principal, route, key) n, tenant, principal, route, key, digest, request
  FROM fresh WHERE key IS NOT NULL ORDER BY tenant, principal, route, key, n
), claimed AS (
  INSERT INTO idempotency (tenant, principal, route, key, digest, request)
  SELECT tenant, principal, route, key, digest, request FROM claims
  ON CONFLICT DO NOTHING RETURNING tenant, principal, route, key
), won AS MATERIALIZED (
  SELECT f.n FROM fresh f WHERE f.key IS NULL
    OR f.n IN (SELECT c.n FROM claims c JOIN claimed USING (tenant, principal, route, key))
),${[
  insert('made_requests', 'requests', 2),
  insert('made_approvals', 'approvals', 3),
  insert('made_leases', 'leases', 4),
  insert('made_work', 'work', 5),
  insert('made_entries', 'entries', 6),
  insert('made_values', 'entry_values', 7),
].join(',')}
SELECT b.n,
  CASE WHEN b.n IN (SELECT n FROM won) THEN 'done'
    WHEN b.n NOT IN (SELECT n FROM held) THEN 'moved'
    WHEN b.n NOT IN (SELECT n FROM fresh) THEN 'replayed'
    ELSE 'claimed' END AS outcome,
  i.digest = b.digest AS same, i.request
FROM batch b
LEFT JOIN idempotency i ON b.key IS NOT NULL AND i.tenant = b.tenant AND i.principal = b.principal
  AND i.route = b.route AND i.key = b.key`;
