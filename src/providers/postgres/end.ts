/**
 * Ends logins, in the order that was measured against hostile holders: sessions first, then no more logging in, then
 * sessions again until none is left, then what they prepared, then the role itself. A role without a session goes first
 * of all: with it goes the login, and whoever got in meanwhile is ended by the id.
 */
import { ProviderRefused } from '../../core/provider.ts';
import type { Subject } from '../../core/provider.ts';
import { cleanUp } from './clean.ts';
import { fulfilled, rejected } from '../gather.ts';
import { answersTo, AT_THE_RIGHT_SERVER, perform } from './lane.ts';
import type { Lane } from './lane.ts';
import { rollBackPrepared } from './prepared.ts';
import type { Site } from './site.ts';
import { referenceOf } from './specification.ts';

/** A role as the catalog has it, before anything is done to it. */
interface Found {
  readonly mark: string;
  readonly oid: string;
  readonly can_login: boolean;
  readonly is_fence: boolean;
}

/** One login among those that are ended together. */
export interface Doomed {
  readonly subject: Subject;
  readonly found: Found | null;
  /** Every id that its sessions may bear. */
  readonly oids: readonly string[];
}

/** A holder that fights for its login is beaten to it within a few tries; then the caller's backoff takes over. */
const TRIES_ALONE = 12;
/** Sessions that are told to end are gone in milliseconds; each pass waits for them. */
const PASSES = 8;
/** How long one session's end is waited for. */
const SESSION_END_MS = 500;

export async function endTogether(
  site: Site,
  subjects: readonly Subject[],
): Promise<readonly PromiseSettledResult<void>[]> {
  const missed = await site.atPrimary((lane) => endOnce(site, lane, subjects));
  return Promise.all(
    subjects.map(async (subject) => (missed.has(subject.mark) ? endAlone(site, subject) : fulfilled(undefined))),
  );
}

/** One that missed leaves the batch: its locks hold up nobody else. */
async function endAlone(site: Site, subject: Subject): Promise<PromiseSettledResult<void>> {
  try {
    for (let left = TRIES_ALONE; left > 0; left--) {
      const missed = await site.aside((lane) => endOnce(site, lane, [subject]));
      if (missed.size === 0) return fulfilled(undefined);
    }
  } catch (fault) {
    return rejected(fault instanceof Error ? fault : new Error('ending a login failed'));
  }
  return rejected(new ProviderRefused(`${subject.mark} holds on to its login`));
}

/** @returns the marks of those that were in the way of their own end. */
async function endOnce(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const { doomed, locked, dropped, awake, prepares } = await disable(site, lane, subjects);
  const others = site.kept.filter((kept) => kept.node !== lane.node);
  const disabled = doomed.filter(({ subject }) => !locked.has(subject.mark));
  const standing = disabled.filter(({ found }) => found !== null && !dropped.has(found.mark));
  const restless = disabled.filter((one) => standing.includes(one) || one.oids.some((oid) => awake.has(oid)));
  // A standby that is down holds up nothing here: it was told of in the end, and is looked at before death is said.
  const [here, ...there] = await Promise.allSettled([
    endSessions(site, lane, restless),
    ...others.map((node) => endSessions(site, node, disabled)),
  ]);
  if (here.status === 'rejected') throw here.reason;
  const alive = [here, ...there].flatMap((node) => (node.status === 'fulfilled' ? node.value : []));
  // Those that are locked too: by one that is prepared, perhaps, and then the next try finds the role free.
  if (prepares) await rollBackPrepared(site, lane, doomed);
  const undropped = await drop(site, lane, standing);
  await cleanUp(
    site,
    disabled.filter(({ found }) => found?.can_login === false && undropped.has(found.mark)),
  );
  const unreached = there.find((node) => node.status === 'rejected');
  if (unreached !== undefined) throw unreached.reason;
  const missed = [...undropped].flatMap(([mark, why]) => (why === 'missed' ? [mark] : []));
  return new Set([...locked, ...alive, ...missed]);
}

/** What became of those that were to be disabled. */
interface Disabled {
  readonly doomed: readonly Doomed[];
  /** By mark: their roles could not be touched. */
  readonly locked: ReadonlySet<string>;
  /** By mark: gone already, since nothing stood in the way. */
  readonly dropped: ReadonlySet<string>;
  /** By role id: they had a session, begun before the role was dropped, that was told to end. */
  readonly awake: ReadonlySet<string>;
  /** Whether the server lets anyone prepare a transaction. */
  readonly prepares: boolean;
}

/** In one go: sessions are told to end, then no more logging in, then those that got in meanwhile. */
async function disable(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<Disabled> {
  const known = subjects.flatMap(({ reference }) => referenceOf(reference)?.role_oid ?? []);
  const payload = JSON.stringify({
    server: site.config.system_identifier,
    marks: subjects.map(({ mark }) => mark),
    known,
    alone: subjects.length === 1,
  });
  const [[told], awake] = await lane.run(async (sql) => {
    const [, , outcome, sessions] = await answersTo([
      sql.unsafe(FIND, [payload], { prepare: true }).execute(),
      sql.unsafe(DISABLE).execute(),
      sql
        .unsafe<{ outcome: string }[]>(`select current_setting('brevet.outcome') as outcome`, [], { prepare: true })
        .execute(),
      sql.unsafe<{ oid: string }[]>(AGAIN, [], { prepare: true }).execute(),
    ]);
    return [outcome, sessions] as const;
  });
  if (told === undefined) throw new Error('a program left no outcome');
  const { roles, locked, dropped, prepares } = JSON.parse(told.outcome) as {
    readonly roles: readonly Found[];
    readonly locked: readonly string[];
    readonly dropped: readonly string[];
    readonly prepares: boolean;
  };
  const doomed = subjects.map((subject): Doomed => {
    const found = roles.find(({ mark, is_fence }) => mark === subject.mark && !is_fence) ?? null;
    const before = referenceOf(subject.reference)?.role_oid;
    return { subject, found, oids: [...new Set([found?.oid, before].filter((oid) => oid !== undefined))] };
  });
  return {
    doomed,
    locked: new Set(locked),
    dropped: new Set(dropped),
    awake: new Set(awake.map(({ oid }) => oid)),
    prepares,
  };
}

/**
 * Every session is told to end before the first lock is waited for. For one that goes alone their end is waited for
 * too, to be there ahead of the next one. All are told before any answer is put together: `busy` counts them.
 */
const FIND = `WITH payload AS MATERIALIZED (SELECT $1::text::jsonb AS p),
found AS MATERIALIZED (
  SELECT rolname, oid, rolcanlogin, NOT rolcanlogin AND rolconnlimit = 0 AS is_fence FROM pg_roles
  WHERE rolname = ANY (ARRAY(SELECT jsonb_array_elements_text(p -> 'marks') FROM payload))
    AND (SELECT system_identifier::text FROM pg_control_system()) = (SELECT p ->> 'server' FROM payload)),
told AS MATERIALIZED (
  SELECT usesysid, pg_terminate_backend(pid, (SELECT CASE WHEN (p -> 'alone')::boolean THEN ${SESSION_END_MS} ELSE 0 END
    FROM payload)) FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY (ARRAY(SELECT oid FROM found))),
busy AS MATERIALIZED (SELECT coalesce(array_agg(usesysid), '{}') AS oids FROM told)
SELECT set_config('brevet.payload', (p || jsonb_build_object('found', (
  SELECT coalesce(jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
    'is_fence', is_fence, 'quiet', rolcanlogin AND NOT oid = ANY (oids)) ORDER BY rolname), '[]')
  FROM found, busy)))::text, false) FROM payload`;

/**
 * A login without a session is dropped at once, which disables it too; except where it may have prepared a transaction,
 * which would lose its owner. Where one of them owns something, or is held, all of them go the long way.
 */
const DISABLE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  prepares boolean := current_setting('max_prepared_transactions')::int > 0;
  quiet text;
  dropped jsonb := '[]';
  locked jsonb := '[]';
  item jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  SELECT string_agg(quote_ident(f ->> 'mark'), ', '), jsonb_agg(f -> 'mark') INTO quiet, dropped
    FROM jsonb_array_elements(payload -> 'found') f WHERE (f -> 'quiet')::boolean AND NOT prepares;
  BEGIN
    IF quiet IS NOT NULL THEN
      EXECUTE 'DROP ROLE ' || quiet;
    END IF;
  EXCEPTION WHEN OTHERS THEN dropped := NULL;
  END;
  dropped := coalesce(dropped, '[]');
  FOR item IN SELECT f FROM jsonb_array_elements(payload -> 'found') f
    WHERE (f -> 'can_login')::boolean AND NOT dropped ? (f ->> 'mark')
  LOOP
    BEGIN
      EXECUTE format('ALTER ROLE %I NOLOGIN', item ->> 'mark');
    EXCEPTION
      WHEN undefined_object THEN NULL;
      WHEN OTHERS THEN locked := locked || (item -> 'mark');
    END;
  END LOOP;
  PERFORM set_config('brevet.outcome', jsonb_build_object('roles', payload -> 'found', 'locked', locked,
    'dropped', dropped, 'prepares', prepares)::text, false);
END $brevet$`;

/** Those of roles that are gone: their ids outlive them in the list of sessions. */
const AGAIN = `WITH over AS MATERIALIZED (
  SELECT current_setting('brevet.payload')::jsonb AS p, current_setting('brevet.outcome')::jsonb -> 'dropped' AS dropped)
SELECT usesysid::text AS oid, pg_terminate_backend(pid, ${SESSION_END_MS}) FROM pg_stat_get_activity(NULL)
WHERE (SELECT system_identifier::text FROM pg_control_system()) = (SELECT p ->> 'server' FROM over)
  AND usesysid = ANY (ARRAY(
    SELECT (f ->> 'oid')::oid FROM over, jsonb_array_elements(p -> 'found') f WHERE dropped ? (f ->> 'mark')
    UNION ALL SELECT jsonb_array_elements_text(p -> 'known')::oid FROM over))`;

const oidsOf = (doomed: readonly Doomed[]): string => doomed.flatMap(({ oids }) => oids).join(',');

/** @returns the marks of those that still had sessions after some passes; whoever is disabled begins no other. */
async function endSessions({ config }: Site, lane: Lane, doomed: readonly Doomed[]): Promise<readonly string[]> {
  const oids = oidsOf(doomed);
  let alive: readonly string[] = [];
  for (let left = oids === '' ? 0 : PASSES; left > 0; left--) {
    const rows = await lane.run(
      (sql) => sql<{ oid: string }[]>`
        select usesysid::text as oid, pg_terminate_backend(pid, ${String(SESSION_END_MS)}::text::bigint)
        from pg_stat_activity where usesysid = any (string_to_array(${oids}, ',')::oid[])
          and (select system_identifier::text from pg_control_system()) = ${config.system_identifier}`,
    );
    alive = rows.map(({ oid }) => oid);
    if (alive.length === 0) return [];
  }
  return doomed.filter(({ oids: own }) => own.some((oid) => alive.includes(oid))).map(({ subject }) => subject.mark);
}

/** @returns those that are still there: `left` owns something, `missed` was locked or changed meanwhile. */
async function drop(
  site: Site,
  lane: Lane,
  doomed: readonly Doomed[],
): Promise<ReadonlyMap<string, 'left' | 'missed'>> {
  const marks = doomed.flatMap(({ found }) => (found === null ? [] : [found.mark]));
  if (marks.length === 0) return new Map();
  const payload = { server: site.config.system_identifier, marks };
  return new Map(Object.entries(await perform<Record<string, 'left' | 'missed'>>(lane, DROP, payload)));
}

/** One that cannot be dropped loses its memberships, so that what it left can use them no more. */
const DROP = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  mark text;
  granted text;
  kept jsonb := '{}';
BEGIN
  ${AT_THE_RIGHT_SERVER}
  FOR mark IN SELECT * FROM jsonb_array_elements_text(payload -> 'marks') LOOP
    BEGIN
      EXECUTE format('DROP ROLE %I', mark);
    EXCEPTION
      WHEN undefined_object THEN NULL;
      WHEN dependent_objects_still_exist THEN
        kept := kept || jsonb_build_object(mark, 'left');
        FOR granted IN
          SELECT held.rolname FROM pg_auth_members m JOIN pg_roles held ON held.oid = m.roleid
          JOIN pg_roles holder ON holder.oid = m.member WHERE holder.rolname = mark
        LOOP
          BEGIN
            EXECUTE format('REVOKE %I FROM %I', granted, mark);
          EXCEPTION WHEN OTHERS THEN
            kept := kept || jsonb_build_object(mark, 'missed');
          END;
        END LOOP;
      WHEN OTHERS THEN
        kept := kept || jsonb_build_object(mark, 'missed');
    END;
  END LOOP;
  PERFORM set_config('brevet.outcome', kept::text, false);
END $brevet$`;
