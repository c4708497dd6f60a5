/**
 * Changes of a lease that is there: compare-and-set on its state. One statement for all of a batch.
 */
import type { LifeChange, WorkFence } from '../../core/change.ts';
import type { WorkId } from '../../core/ids.ts';
import type { LeaseState } from '../../core/lease.ts';
import type { Admission } from './admit.ts';
import type { Note } from './note.ts';
import type { Use } from './use.ts';
import { rowText, writeEntries, writeWork } from './written.ts';
import type { Rows } from './written.ts';

export type Move = Exclude<LifeChange, Admission | Use | Note>;

/** What an UPDATE sets; absent members stay as they are. */
interface MoveRow {
  readonly from: readonly LeaseState[];
  readonly to: LeaseState | null;
  readonly tenant_epoch?: number;
  readonly deployment_epoch?: number;
  readonly fence?: WorkFence | null;
  readonly over?: WorkId | null;
  readonly active_at?: number;
  readonly revoking_at?: number;
  readonly cause?: string;
  readonly reference?: object | null;
  readonly secret?: string | null;
  readonly death?: object | null;
  readonly exposure?: number | null;
  readonly outcome?: object | null;
  readonly block?: string | null;
  readonly look_at?: number | null;
  readonly reopens?: string | null;
}

export function moveRow(n: number, change: Move): Rows {
  const { from, fence, ...sets } = settingOf(change);
  return rowText({
    n,
    tenant: change.tenant,
    lease: change.lease,
    from: from.join(' '),
    ...sets,
    ...(fence ? { work: fence.work, attempt: fence.attempt } : {}),
  });
}

function settingOf(change: Move): MoveRow {
  switch (change.kind) {
    case 'lease.activate':
      return {
        from: ['opening'],
        to: 'active',
        tenant_epoch: change.epochs.tenant,
        deployment_epoch: change.epochs.deployment,
        active_at: change.at,
        look_at: change.lookAt,
        reference: change.reference,
        secret: change.secret,
        over: change.over,
      };
    case 'lease.fail':
      return { from: ['opening'], to: 'failed', fence: change.fence, reopens: change.reopens };
    case 'lease.revoke': {
      const { at, cause, outcome, reference, secret, death, exposure, block } = change;
      const to = death === null ? 'revoking' : 'revoked';
      return {
        from: ['opening', 'active'],
        to,
        revoking_at: at,
        cause,
        outcome,
        reference,
        secret,
        death,
        exposure,
        block: block ?? null,
      };
    }
    case 'lease.land':
      return { from: ['revoking'], to: null, reference: change.reference, secret: change.secret };
    case 'lease.bury':
      return {
        from: ['revoking'],
        to: 'revoked',
        death: change.death,
        exposure: change.exposure,
        fence: change.fence,
        over: change.over,
      };
    case 'lease.report':
      return { from: ['revoking', 'revoked'], to: null, outcome: change.outcome };
  }
}

/**
 * `stood`: the epochs held, where it rests on them. `held`: the attempt that does it still holds its work, which goes
 * with it, as does work that is `over`, whoever holds it. A secret is forgotten with the death of its lease.
 *
 * The ids stand there twice, since a plan that was made while the table was small joins by walking it, for good: so it
 * has nothing to walk but what was asked for.
 */
export const MOVE = `with input as materialized (
  select * from json_to_recordset($1::text::json) as x(n bigint, tenant text, lease text, "from" text, "to" text,
    tenant_epoch bigint, deployment_epoch bigint, work text, attempt int, over text, active_at bigint, revoking_at bigint,
    cause text, reference json, secret text, death json, exposure bigint, outcome json, block text, look_at bigint,
    reopens text)),
stood as materialized (
  select i.n from input i where i.tenant_epoch is null or exists (
    select from tenants t, deployment d where t.name = i.tenant and not t.retired and t.epoch = i.tenant_epoch
      and d.epoch = i.deployment_epoch)),
held as materialized (
  select i.n from input i join work w on w.id = i.work and w.tenant = i.tenant and w.attempt = i.attempt
  where w.id = any(array(select work from input)) order by w.id for update of w),
done as materialized (
  update leases l set
    state = coalesce(i."to", l.state),
    active_at = coalesce(i.active_at, l.active_at),
    revoking_at = coalesce(i.revoking_at, l.revoking_at),
    cause = coalesce(i.cause, l.cause),
    reference = coalesce(i.reference, l.reference),
    secret = case when i."to" in ('revoked', 'failed') then null else coalesce(i.secret, l.secret) end,
    death = coalesce(i.death, l.death),
    exposure = coalesce(i.exposure, l.exposure),
    outcome = coalesce(i.outcome, l.outcome),
    block = coalesce(i.block, l.block),
    look_at = coalesce(i.look_at, l.look_at),
    tenant_epoch = coalesce(i.tenant_epoch, l.tenant_epoch),
    deployment_epoch = coalesce(i.deployment_epoch, l.deployment_epoch)
  from input i
  where l.tenant = i.tenant and l.id = i.lease and l.id = any(array(select lease from input)) and l.state = any(string_to_array(i."from", ' '))
    and (i."to" is not null or i.outcome is null or l.outcome is null)
    and (i."to" is not null or i.reference is null or l.reference is null)
    and (i."to" is distinct from 'active' or l.expires_at > brevet_now())
    and i.n in (select n from stood) and (i.work is null or i.n in (select n from held))
  returning i.n),
reopened as (
  update approvals a set state = 'approved', version = a.version + 1, lease = null
  from input i
  where a.tenant = i.tenant and a.id = i.reopens and a.id = any(array(select reopens from input)) and a.state = 'redeemed'
    and a.lease = i.lease and a.redeem_by > brevet_now() and i.n in (select n from done)),
finished as (
  delete from work w using input i where w.id = any(array[i.work, i.over]) and w.tenant = i.tenant and i.n in (select n from done)),
${writeWork('$2')},
${writeEntries('$3')}
select i.n, case when done.n is not null then 'done' when stood.n is null then 'moved'
  when i.work is not null and held.n is null then 'fenced' else 'state' end as outcome
from input i left join stood using (n) left join held using (n) left join done using (n)`;
