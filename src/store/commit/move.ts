/**
 * Changes of a lease that is there, a batch in one statement, each a compare-and-set on its state: activated, failed,
 * revoked, buried, or reported on.
 */
import type { LifeChange, Unmet } from '../../core/change.ts';
import type { LeaseState } from '../../core/lease.ts';
import type { Transaction } from '../database.ts';
import type { Beginning, Member } from './begin.ts';
import { entryRows, valueRows, workRows } from './rows.ts';

export type Move = Exclude<LifeChange, Beginning>;

interface Found {
  readonly n: number;
  readonly moved: boolean;
  readonly state: LeaseState | null;
  readonly epochs: boolean;
  readonly fence: boolean;
}

/** @returns for each member `null` where it happened, or why it did not. */
export async function move(tx: Transaction, members: readonly Member<Move>[]): Promise<readonly (Unmet | null)[]> {
  if (members.length === 0) return [];
  const now = Math.max(...members.flatMap(({ entries }) => entries.map(({ at }) => at)), 0);
  const work = members.flatMap(({ change }, n) => workRows(n, 'work' in change ? change.work : [], now));
  const found = await tx.unsafe<Found[]>(
    STATEMENT,
    [
      JSON.stringify(members.map(({ change }, n) => ({ n, ...moveOf(change) }))),
      JSON.stringify(work),
      JSON.stringify(members.flatMap(({ entries }, n) => entryRows(n, entries))),
      JSON.stringify(members.flatMap(({ entries }, n) => valueRows(n, entries))),
    ],
    { prepare: true },
  );
  const outcomes = new Map(found.map((row) => [row.n, row]));
  return members.map((_, n) => unmetOf(outcomes.get(n)));
}

function unmetOf(row: Found | undefined): Unmet | null {
  if (row === undefined) throw new Error('a batch answered without one of its members');
  if (row.moved) return null;
  if (row.state !== null && !row.epochs) return { unmet: 'moved' };
  return row.state !== null && !row.fence ? { unmet: 'fenced' } : { unmet: 'state', state: row.state };
}

/** What it moves from and to, and what it sets; `null` leaves a column as it is. */
function moveOf(change: Move) {
  const { tenant, lease } = change;
  const to = { tenant, lease, ...NOTHING };
  switch (change.kind) {
    case 'lease.activate': {
      const { epochs, at, reference, secret } = change;
      const held = { tenant_epoch: epochs.tenant, deployment_epoch: epochs.deployment };
      return { ...to, ...held, from: ['opening'], to: 'active', active_at: at, reference, secret };
    }
    case 'lease.fail':
      return { ...to, from: ['opening'], to: 'failed', ends_work: true, ...fenceOf(change) };
    case 'lease.revoke': {
      const { at, cause, outcome, reference, secret, death, exposure } = change;
      const from = death === null ? ['opening', 'active'] : ['active'];
      const state = death === null ? 'revoking' : 'revoked';
      return { ...to, from, to: state, revoking_at: at, cause, outcome, reference, secret, death, exposure };
    }
    case 'lease.bury': {
      const { death, exposure } = change;
      return { ...to, from: ['revoking'], to: 'revoked', death, exposure, ends_work: true, ...fenceOf(change) };
    }
    case 'lease.report':
      return { ...to, from: ['revoking', 'revoked'], outcome: change.outcome, only_unreported: true };
  }
}

const NOTHING = {
  tenant_epoch: null,
  deployment_epoch: null,
  to: null,
  active_at: null,
  revoking_at: null,
  reference: null,
  secret: null,
  cause: null,
  outcome: null,
  death: null,
  exposure: null,
  ends_work: false,
  only_unreported: false,
  fence_work: null,
  fence_attempt: null,
};

const fenceOf = ({ fence }: Extract<Move, { kind: 'lease.fail' | 'lease.bury' }>) =>
  fence === null ? {} : { fence_work: fence.work, fence_attempt: fence.attempt };

const insert = (name: string, table: string, parameter: number): string => `
${name} AS (
  INSERT INTO ${table} SELECT made.* FROM json_to_recordset($${parameter}::json) AS x(n int, "row" json)
  JOIN moved USING (n), LATERAL json_populate_record(NULL::${table}, x."row") AS made
)`;

/** A kept secret goes with the death that it was kept for. */
const STATEMENT = `
WITH batch AS MATERIALIZED (
  SELECT x.*, row_number() OVER (PARTITION BY tenant, lease ORDER BY n) AS place
  FROM json_to_recordset($1::json) AS x(n int, tenant text, lease text, tenant_epoch bigint, deployment_epoch bigint,
    "from" json, "to" text, active_at bigint, revoking_at bigint, reference json, secret text, cause text, outcome json,
    death json, exposure bigint, ends_work boolean, only_unreported boolean, fence_work text, fence_attempt int)
), judged AS MATERIALIZED (
  SELECT b.*, l.state,
    b.deployment_epoch IS NULL OR EXISTS (SELECT FROM tenants t, deployment d
      WHERE t.name = b.tenant AND t.epoch = b.tenant_epoch AND d.epoch = b.deployment_epoch AND d.stopped IS NULL) AS epochs,
    b.fence_work IS NULL OR EXISTS (SELECT FROM work w
      WHERE w.id = b.fence_work AND w.attempt = b.fence_attempt) AS fence
  FROM batch b LEFT JOIN leases l ON l.tenant = b.tenant AND l.id = b.lease
), moved AS (
  UPDATE leases l SET
    state = coalesce(j."to", l.state),
    active_at = coalesce(j.active_at, l.active_at),
    revoking_at = coalesce(j.revoking_at, l.revoking_at),
    reference = coalesce(j.reference, l.reference),
    secret = CASE WHEN j.death IS NOT NULL THEN NULL ELSE coalesce(j.secret, l.secret) END,
    cause = coalesce(j.cause, l.cause),
    outcome = coalesce(j.outcome, l.outcome),
    death = coalesce(j.death, l.death),
    exposure = coalesce(j.exposure, l.exposure)
  FROM judged j
  WHERE l.tenant = j.tenant AND l.id = j.lease AND j.place = 1 AND j.epochs AND j.fence
    AND l.state IN (SELECT json_array_elements_text(j."from")) AND NOT (j.only_unreported AND l.outcome IS NOT NULL)
  RETURNING j.n, j.tenant, j.lease, j.ends_work
), ended AS (
  DELETE FROM work w USING moved m
  WHERE m.ends_work AND w.tenant = m.tenant AND w.what ->> 'lease' = m.lease AND w.what ->> 'task' IN ('kill', 'reconcile')
),${[insert('made_work', 'work', 2), insert('made_entries', 'entries', 3), insert('made_values', 'entry_values', 4)].join(',')}
SELECT j.n, j.n IN (SELECT n FROM moved) AS moved, j.state, j.epochs, j.fence FROM judged j`;
