/**
 * Facts alone. One statement for all of a batch, and a short one: to open the tables that an admission might write takes
 * Postgres longer than the entries do.
 */
import type { LifeChange } from '../../core/change.ts';
import { rowText, writeEntries } from './written.ts';
import type { Rows } from './written.ts';

export type Note = Extract<LifeChange, { readonly kind: 'ledger.note' }>;

export const noteRow = (n: number, { tenant }: Note): Rows => rowText({ n, tenant });

export const NOTE = `with input as materialized (
  select * from json_to_recordset($1::text::json) as x(n bigint, tenant text)),
done as materialized (select i.n from input i join tenants t on t.name = i.tenant and not t.retired),
${writeEntries('$2')}
select i.n, case when done.n is null then 'state' else 'done' end as outcome from input i left join done using (n)`;
