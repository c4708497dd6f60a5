/**
 * Uses of leases that are there, counted. One statement for all of a batch, apart from the other changes of a lease: it
 * is by far the most frequent, and writes the fewest tables.
 */
import type { LifeChange } from '../../core/change.ts';
import { rowText, writeEntries } from './written.ts';
import type { Rows } from './written.ts';

export type Use = Extract<LifeChange, { readonly kind: 'lease.use' }>;

export const useRow = (n: number, { tenant, lease, epochs, at }: Use): Rows =>
  rowText({ n, tenant, lease, from: 'active', tenant_epoch: epochs.tenant, deployment_epoch: epochs.deployment, at });

/**
 * `stood`: the epochs held. The ids stand there twice, as in `move.ts`; and were the state to be in the text, a plan that
 * was made while the table was small would walk all leases in that state.
 */
export const USE = `with input as materialized (
  select * from json_to_recordset($1::text::json) as x(n bigint, tenant text, lease text, "from" text,
    tenant_epoch bigint, deployment_epoch bigint, at bigint)),
stood as materialized (
  select i.n from input i
  join tenants t on t.name = i.tenant and t.epoch = i.tenant_epoch and not t.retired
  join deployment d on d.epoch = i.deployment_epoch),
done as materialized (
  update leases l set used = l.used + 1, used_at = i.at
  from input i
  where l.tenant = i.tenant and l.id = i.lease and l.id = any(array(select lease from input)) and l.state = i."from"
    and l.expires_at > brevet_now() and (l.uses is null or l.used < l.uses) and i.n in (select n from stood)
  returning i.n),
${writeEntries('$2')}
select i.n, case when done.n is not null then 'done' when stood.n is null then 'moved' else 'state' end as outcome
from input i left join stood using (n) left join done using (n)`;
