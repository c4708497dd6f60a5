/**
 * Transactions that a login prepared. They hold its locks after its end, and whoever takes the group's role next could
 * commit them.
 */
import type { Sql } from 'postgres';
import type { Doomed } from './doomed.ts';
import { AT_THE_RIGHT_SERVER, perform, ServerRefusal } from './lane.ts';
import type { Lane } from './lane.ts';
import type { Site } from './site.ts';
import { loginOf, referenceOf } from './specification.ts';
import type { Subject } from '../../core/provider.ts';

/** Whose prepared transactions count: the login's own, and its group's since the login was made. */
export interface Preparer {
  readonly mark: string;
  readonly oids: readonly string[];
  /** A login acts as its group, which then owns what it prepares; which of the group's logins did it is not kept. */
  readonly group: string | null;
  readonly since: string;
}

export const preparerOf = (subject: Subject, oids: readonly string[]): Preparer => ({
  mark: subject.mark,
  oids,
  group: subject.specification === null ? null : loginOf(subject.specification).group,
  since: referenceOf(subject.reference)?.minted_at ?? '-infinity',
});

/** As a condition in SQL over `pg_prepared_xact() p`. @param preparer an expression for one {@link Preparer}, as jsonb. */
export const preparedBy = (preparer: string): string => `(
  p.ownerid = ANY (ARRAY(SELECT jsonb_array_elements_text(${preparer} -> 'oids')::oid))
  OR p.ownerid = (SELECT oid FROM pg_roles WHERE rolname = ${preparer} ->> 'mark')
  OR p.ownerid = (SELECT oid FROM pg_roles WHERE rolname = ${preparer} ->> 'group')
    AND p.prepared >= (${preparer} ->> 'since')::timestamptz)`;

interface Found {
  readonly database: string;
  readonly owner: string;
  /** Quoted by the server: the names of transactions are their makers'. */
  readonly enter: string;
  readonly undo: string;
}

export async function rollBackPrepared(site: Site, lane: Lane, doomed: readonly Doomed[]): Promise<void> {
  if (doomed.length === 0) return;
  const found = await perform<readonly Found[]>(lane, FIND, {
    server: site.config.system_identifier,
    preparers: doomed.map(({ subject, oids }) => ({ ...preparerOf(subject, oids) })),
  });
  for (const transaction of found) {
    await site.inDatabase(transaction.database, (own) => rollBack(site, own, transaction));
  }
}

const FIND = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  PERFORM set_config('brevet.outcome', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('database', d.datname, 'owner', r.rolname,
      'enter', format('SET ROLE %I', r.rolname), 'undo', format('ROLLBACK PREPARED %L', p.gid))), '[]')::text
    FROM pg_prepared_xact() p JOIN pg_database d ON d.oid = p.dbid JOIN pg_roles r ON r.oid = p.ownerid
    WHERE EXISTS (SELECT FROM jsonb_array_elements(payload -> 'preparers') q WHERE ${preparedBy('q')})), false);
END $brevet$`;

/** Gone already, or being finished by another. */
const ALREADY = new Set(['42704', '55000']);

/** Only its owner may roll it back, so the admin takes that role for a moment, which its ADMIN OPTION lets it. */
async function rollBack(site: Site, lane: Lane, { owner, enter, undo }: Found): Promise<void> {
  const payload = { server: site.config.system_identifier, role: owner };
  await perform(lane, BORROW, payload);
  try {
    await lane.run((sql) => undoAs(sql, enter, undo));
  } catch (fault) {
    if (!(fault instanceof ServerRefusal) || !ALREADY.has(fault.sqlstate)) throw fault;
  } finally {
    await perform(lane, GIVE_BACK, payload);
  }
}

/** In one turn of the lane: nothing else may run under the role that is taken. */
async function undoAs(sql: Sql, enter: string, undo: string): Promise<void> {
  await sql.unsafe(enter);
  try {
    await sql.unsafe(undo);
  } finally {
    await sql`reset role`;
  }
}

const BORROW = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  EXECUTE format('GRANT %I TO %I WITH SET TRUE, INHERIT FALSE GRANTED BY %I',
    payload ->> 'role', current_user, current_user);
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;

const GIVE_BACK = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  EXECUTE format('REVOKE %I FROM %I GRANTED BY %I', payload ->> 'role', current_user, current_user);
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;
