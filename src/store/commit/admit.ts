/**
 * Changes that begin something for a caller, and so rest on conditions: the epochs, an assertion used once, an
 * idempotency key. One statement for all of a batch; each member has its own outcome.
 */
import { beginning } from '../../core/approval.ts';
import type { LifeChange } from '../../core/change.ts';
import { firstLook } from '../../core/lease.ts';
import { BUDGETS, NO_BUDGETS, SPREADING, within } from './within.ts';
import { rowText, writeEntries, writeWork } from './written.ts';
import type { Rows } from './written.ts';

export type Admission = Extract<
  LifeChange,
  { readonly kind: 'session.open' | 'request.refuse' | 'request.ask' | 'lease.open' }
>;

/** What an admission writes, by table. */
export interface AdmissionRows {
  readonly conditions: Rows;
  readonly request: Rows;
  readonly approval: Rows;
  readonly lease: Rows;
  /** Whether it spends an approval. */
  readonly redeems: boolean;
  /** Whether it takes an order. */
  readonly takes: boolean;
}

export function admissionRows(n: number, change: Admission): AdmissionRows {
  return {
    conditions: conditionsRow(n, change),
    request: 'request' in change && !redeems(change) ? requestRow(n, change) : '',
    redeems: redeems(change),
    takes: change.when.takes !== undefined,
    approval: change.kind === 'request.ask' ? approvalRow(n, change) : '',
    lease: change.kind === 'lease.open' ? leaseRow(n, change) : '',
  };
}

const redeems = (change: Admission): boolean => change.kind === 'lease.open' && change.redeems !== null;

function conditionsRow(n: number, change: Admission): Rows {
  const { epochs, oneUse, idempotency } = change.when;
  return rowText({
    n,
    tenant: change.tenant,
    tenant_epoch: epochs.tenant,
    deployment_epoch: epochs.deployment,
    ends: change.kind === 'lease.open' ? change.lease.expiresAt : null,
    ...(change.kind === 'lease.open' && change.redeems !== null
      ? { approval: change.redeems.approval, version: change.redeems.version, opens: change.lease.id }
      : {}),
    ...(oneUse === null ? {} : { client: oneUse.client, jti: oneUse.jti, until: oneUse.until }),
    ...('request' in change && change.when.takes !== undefined
      ? { order: change.when.takes, asks: change.request.id }
      : {}),
    ...idempotency,
    ...(idempotency === null || !('request' in change) ? {} : { request: change.request.id }),
  });
}

function requestRow(n: number, change: Exclude<Admission, { kind: 'session.open' }>): Rows {
  const lease = change.kind === 'lease.open' ? change.lease.id : null;
  return rowText({ n, tenant: change.tenant, ...change.request, lease });
}

function approvalRow(n: number, { tenant, approval }: Extract<Admission, { kind: 'request.ask' }>): Rows {
  const { id, request, agent, expiresAt } = approval;
  const { step, stepEndsAt, asks } = beginning(approval);
  return rowText({
    n,
    tenant,
    id,
    request,
    agent,
    expires_at: expiresAt,
    terms: approval,
    step,
    step_ends_at: stepEndsAt,
    asks,
  });
}

function leaseRow(n: number, { lease, state, secret, when }: Extract<Admission, { kind: 'lease.open' }>): Rows {
  const { targetVersion, openedAt, mintDeadline, expiresAt, dataClasses, ...same } = lease;
  return rowText({
    n,
    ...same,
    target_version: targetVersion,
    opened_at: openedAt,
    mint_deadline: mintDeadline,
    expires_at: expiresAt,
    data_classes: dataClasses,
    state,
    secret,
    active_at: state === 'active' ? openedAt : null,
    look_at: state === 'active' ? firstLook(lease, openedAt) : null,
    tenant_epoch: when.epochs.tenant,
    deployment_epoch: when.epochs.deployment,
  });
}

/**
 * `stood`: the epochs held, and the lease is not over before it began. `once`: and the assertion was never used, as far as
 * one that is not over is remembered: it is spent from here on, whatever fails after. `done`: and the idempotency key is
 * new. Keys are taken in their order, so that two nodes' batches do not wait for each other in a circle. No two members
 * of a batch share a key: see group.ts.
 */
const admitting = (
  { within, from, spreading, why }: Limiting,
  redeeming: Spending,
  taking: Spending,
): string => `with input as materialized (
  select * from json_to_recordset($1::text::json) as x(n bigint, tenant text, tenant_epoch bigint,
    deployment_epoch bigint, ends bigint, client text, jti text, until bigint, principal text, route text, key text,
    digest text, request text, approval text, version int, opens text, "order" text, asks text)),
stood as materialized (
  select i.* from input i
  join tenants t on t.name = i.tenant and t.epoch = i.tenant_epoch and not t.retired
  join deployment d on d.epoch = i.deployment_epoch
  where i.ends is null or i.ends > brevet_now()),
spent as (
  insert into assertions (tenant, client, jti, until)
  select tenant, client, jti, until from stood where jti is not null and until > brevet_now() order by 1, 2, 3
  on conflict do nothing returning tenant, client, jti),
once as materialized (
  select i.* from stood i left join spent s on s.tenant = i.tenant and s.client = i.client and s.jti = i.jti
  where i.jti is null or s.jti is not null),${within}
claimed as (
  insert into idempotency (tenant, principal, route, key, digest, request)
  select tenant, principal, route, key, digest, request from ${from} where key is not null order by 1, 2, 3, 4
  on conflict do nothing returning tenant, principal, route, key),${redeeming.spend(from)}${taking.spend(from)}
done as materialized (
  select i.n from ${from} i left join claimed c
    on c.tenant = i.tenant and c.principal = i.principal and c.route = i.route and c.key = i.key
  where (i.key is null or c.key is not null)${redeeming.spent}${taking.spent}),${spreading}
asked as (
  insert into requests (tenant, id, agent, task, resource, hash, effect, decision, asked, at, policy, lease)
  select r.tenant, r.id, r.agent, r.task, r.resource, r.hash, r.effect, r.decision, r.asked, r.at, r.policy, r.lease
  from json_to_recordset($2::text::json) as r(n bigint, tenant text, id text, agent text, task text, resource text,
    hash text, effect text, decision json, asked json, at bigint, policy text, lease text)
  join done using (n)),
waiting as (
  insert into approvals (tenant, id, request, agent, expires_at, terms, step, step_ends_at)
  select a.tenant, a.id, a.request, a.agent, a.expires_at, a.terms, a.step, a.step_ends_at
  from json_to_recordset($3::text::json) as a(n bigint, tenant text, id text, request text, agent text,
    expires_at bigint, terms json, step int, step_ends_at bigint)
  join done using (n)),
reached as (
  insert into asks (person, tenant, approval, due)
  select p.person, a.tenant, a.id, a.expires_at
  from json_to_recordset($3::text::json) as a(n bigint, tenant text, id text, expires_at bigint, asks json)
  join done using (n), json_array_elements_text(a.asks) as p(person)),
opened as (
  insert into leases (tenant, id, request, approval, agent, owner, role, task, provider, target, target_version,
    resource, mark, opened_at, mint_deadline, expires_at, policy, tier, data_classes, uses, idle, declared,
    specification, state, secret, active_at, look_at, tenant_epoch, deployment_epoch)
  select l.tenant, l.id, l.request, l.approval, l.agent, l.owner, l.role, l.task, l.provider, l.target,
    l.target_version, l.resource, l.mark, l.opened_at, l.mint_deadline, l.expires_at, l.policy, l.tier, l.data_classes,
    l.uses, l.idle, l.declared, l.specification, l.state, l.secret, l.active_at, l.look_at, l.tenant_epoch,
    l.deployment_epoch
  from json_to_recordset($4::text::json) as l(n bigint, tenant text, id text, request text, approval text, agent text,
    owner text, role text, task text, provider text, target text, target_version int, resource text, mark text,
    opened_at bigint, mint_deadline bigint, expires_at bigint, policy text, tier int, data_classes json, uses int,
    idle json, declared json, specification json, state text, secret text, active_at bigint, look_at bigint, tenant_epoch bigint, deployment_epoch bigint)
  join done using (n)),
${writeWork('$5')},
${writeEntries('$6')}
select i.n, case when done.n is not null then 'done'${why}${redeeming.why}${taking.why} when once.n is not null then 'claimed'
  when stood.n is not null then 'replayed' else 'moved' end as outcome
from input i left join stood using (n) left join once using (n) left join done using (n)`;

/** The parts of the statement that look at limits. */
interface Limiting {
  readonly within: string;
  /** Those that may go on to claim their keys. */
  readonly from: 'once' | 'fits';
  readonly spreading: string;
  /** An outcome before the others. */
  readonly why: string;
}

const NOT_LIMITED: Limiting = { within: '', from: 'once', spreading: '', why: '' };

/** With what `within.ts` adds. */
const SPREAD: Limiting = {
  within: within(NO_BUDGETS),
  from: 'fits',
  spreading: SPREADING,
  why: `
  when exists (select from unfit where unfit.n = i.n) then (select min(unfit.why) from unfit where unfit.n = i.n)`,
};

/** What counts budgets is a fifth of the time that a batch of one takes, and it takes that where there is nothing to count. */
const BUDGETED: Limiting = { ...SPREAD, within: within(BUDGETS) };

const LIMITING = { nothing: NOT_LIMITED, spread: SPREAD, budgets: BUDGETED } as const;

/** The parts that spend an approval, or an order: a batch without one pays nothing for it. */
interface Spending {
  readonly spend: (from: Limiting['from']) => string;
  readonly spent: string;
  readonly why: string;
}

const NOT_SPENDING: Spending = { spend: () => '', spent: '', why: '' };

/** Two redemptions of one approval, on whatever nodes, wait for one row: the second finds another version. */
const REDEEMING: Spending = {
  spend: (from) => `
redeemed as (
  update approvals a set state = 'redeemed', version = a.version + 1, lease = i.opens
  from ${from} i
  where a.tenant = i.tenant and a.id = i.approval and a.id = any(array(select approval from input))
    and i.key is null and a.state = 'approved' and a.version = i.version and a.redeem_by > brevet_now()
  returning i.n, a.tenant, a.request, a.lease),
pointed as (
  update requests r set lease = d.lease from redeemed d
  where r.tenant = d.tenant and r.id = d.request and r.id = any(array(select request from redeemed))),`,
  spent: ' and (i.approval is null or i.n in (select n from redeemed))',
  why: `
  when once.n is not null and i.approval is not null and i.n not in (select n from redeemed) then 'approval'`,
};

/** The same of orders, which are rarer still. */
const TAKING: Spending = {
  spend: (from) => `
taken as (
  update orders o set request = i.asks
  from ${from} i
  where o.tenant = i.tenant and o.id = i."order" and o.id = any(array(select "order" from input))
    and i.key is null and o.request is null and o.until > brevet_now()
  returning i.n),`,
  spent: ' and (i."order" is null or i.n in (select n from taken))',
  why: `
  when once.n is not null and i."order" is not null and i.n not in (select n from taken) then 'order'`,
};

/** What a batch holds beside the plainest of its kind. */
interface Batch {
  /** `budgets` where one counts, beside whatever spread is looked at. */
  readonly limited: keyof typeof LIMITING;
  readonly redeeming: boolean;
  readonly taking: boolean;
}

export function admission(batch: Batch): string {
  const { limited, redeeming, taking } = batch;
  const kind = `${limited}-${redeeming}-${taking}`;
  const known = ADMISSIONS.get(kind) ?? textOf(batch);
  ADMISSIONS.set(kind, known);
  return known;
}

const textOf = ({ limited, redeeming, taking }: Batch): string =>
  admitting(LIMITING[limited], redeeming ? REDEEMING : NOT_SPENDING, taking ? TAKING : NOT_SPENDING);

/** Made once each. */
const ADMISSIONS = new Map<string, string>();
