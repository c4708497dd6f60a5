/**
 * What every change leaves behind beside itself: its ledger entries and its work, as rows of JSON that a statement
 * takes in as arrays, and the parts of a statement that write them for those members of a batch that came through.
 */
import type { NewWork } from '../../core/change.ts';
import type { Entry } from '../../core/entry.ts';

/** Rows of one kind for a whole batch: JSON objects, joined by commas. */
export type Rows = string;

/**
 * JSON of one row. What Postgres cannot keep in a text is refused here, before it could fail a whole batch.
 * @throws {TypeError} for a NUL, which is parsed away at the edge.
 */
export const rowText = (row: object): Rows => kept(JSON.stringify(row));

function kept(text: string): string {
  if (text.includes('\\u0000') && /(?<!\\)(?:\\\\)*\\u0000/.test(text)) throw new TypeError('a NUL cannot be kept');
  return text;
}

/** An entry is JSON already and stands there as it is: Postgres gives a value of type json back byte for byte. */
export const entryRows = (n: number, entries: readonly Entry[]): Rows =>
  entries
    .map(({ id, tenant, kind, at, request, lease, text, leaf, values }) => {
      const beside = values.length > 0 ? values : null;
      const row = rowText({ n, id, tenant: tenant ?? '', kind, at, request, lease, leaf, values: beside });
      return `${row.slice(0, -1)},"text":${kept(text)}}`;
    })
    .join(',');

export const workRows = (n: number, tenant: string, work: readonly NewWork[]): Rows =>
  work.map(({ id, due, what }) => rowText({ n, id, tenant, due, what })).join(',');

/** Reads `done`, the members that came through, by `n`. Work that is one for many, such as a digest, is there once. */
export const writeWork = (parameter: string): string => `queued as (
  insert into work (id, tenant, what, due)
  select w.id, w.tenant, w.what, w.due
  from json_to_recordset(${parameter}::text::json) as w(n bigint, id text, tenant text, what json, due bigint)
  join done using (n)
  on conflict do nothing)`;

export const writeEntries = (parameter: string): string => `drafts as materialized (
  select e.* from json_to_recordset(${parameter}::text::json) as e(n bigint, id text, tenant text, kind text, at bigint,
    request text, lease text, text json, leaf text, "values" json)
  join done using (n)),
written as (
  insert into entries (tenant, id, kind, at, request, lease, text, leaf)
  select tenant, id, kind, at, request, lease, text::text, decode(leaf, 'hex') from drafts),
beside as (
  insert into entry_values (tenant, entry, "values")
  select tenant, id, "values" from drafts where "values" is not null)`;
