/**
 * Ends logins, in the order that was measured against hostile holders: sessions first, then no more logging in, then
 * sessions again until none is left, then what they prepared, then the role itself. A role without a session goes first
 * of all: with it goes the login, and whoever got in meanwhile is ended by the id.
 */
import { ProviderRefused } from '../../core/provider.ts';
import type { Sighting, Subject } from '../../core/provider.ts';
import { fulfilled } from '../gather.ts';
import type { Doomed, Found } from './doomed.ts';
import { answersTo, AT_THE_RIGHT_SERVER, AT_THE_SERVER_LOOKED_AT, perform } from './lane.ts';
import type { Lane } from './lane.ts';
import { sendLook, sightingsAt } from './look.ts';
import { rollBackPrepared } from './prepared.ts';
import type { Site } from './site.ts';
import { referenceOf } from './specification.ts';

/** A holder that fights for its login is beaten to it within a few tries; then the caller's backoff takes over. */
const TRIES_ALONE = 12;
/** Sessions that are told to end are gone in milliseconds; each pass waits for them. */
const PASSES = 3;
/**
 * How long the ends of sessions are waited for, of all of them together: one that computes without looking up, as the
 * server's XML library does for as long as its holder likes, ends when it is done.
 */
const SESSIONS_END_MS = 500;
/** Of the sessions that a statement tells to end, each gets its part. */
const EACH_SESSION_MS = `greatest(1, ${SESSIONS_END_MS} / count(*) OVER ())`;

/** What became of one in a batch. */
export interface Ended {
  /** Once it was ended; `null` where nobody has looked since. */
  readonly seen: Sighting | null;
  /** Something was in the way of its end: it has to go alone. */
  readonly missed: boolean;
  /** It was dead before, and what it owns keeps its role: that has to be cleaned up. */
  readonly left: boolean;
}

/** In as much time as its members need that go without further ado. */
export async function endTogether(
  site: Site,
  subjects: readonly Subject[],
): Promise<readonly PromiseSettledResult<Ended>[]> {
  const { missed, left, seen } = await site.atPrimary((lane) => endOnce(site, lane, subjects));
  return subjects.map((subject) =>
    fulfilled({ seen: seen.get(subject) ?? null, missed: missed.has(subject.mark), left: left.has(subject.mark) }),
  );
}

/**
 * One that missed leaves the batch: its locks hold up nobody else. Its role may stay: whoever can grant anything holds it
 * for as long as they like, by an open transaction that gives it something. It is dead all the same, and a look tells
 * that it is left.
 */
export async function endAlone(site: Site, subject: Subject): Promise<Ended> {
  for (let tries = TRIES_ALONE; tries > 0; tries--) {
    const { living, left } = await site.aside((lane) => endOnce(site, lane, [subject]));
    if (living.size === 0) return { seen: null, missed: false, left: left.has(subject.mark) };
  }
  throw new ProviderRefused(`${subject.mark} holds on to its login`);
}

interface EndedOnce {
  /** The marks of those that were in the way of their own end. */
  readonly missed: ReadonlySet<string>;
  /** Of these, the marks of those that may still log in, or have a session. */
  readonly living: ReadonlySet<string>;
  /** The marks of those that were disabled before, and whose roles are still there. */
  readonly left: ReadonlySet<string>;
  /** What was seen of those to whom nothing was done any more since. */
  readonly seen: ReadonlyMap<Subject, Sighting>;
}

async function endOnce(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<EndedOnce> {
  const { doomed, locked, dropped, awake, prepares, seen } = await disable(site, lane, subjects);
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
  const unreached = there.find((node) => node.status === 'rejected');
  if (unreached !== undefined) throw unreached.reason;
  const missed = [...undropped].flatMap(([mark, why]) => (why === 'missed' ? [mark] : []));
  const done = new Set(restless.map(({ subject }) => subject));
  return {
    missed: new Set([...locked, ...alive, ...missed]),
    living: new Set([...locked, ...alive]),
    left: new Set(
      disabled.flatMap(({ found }) => (found?.can_login === false && undropped.has(found.mark) ? [found.mark] : [])),
    ),
    seen: new Map([...seen].filter(([subject]) => !done.has(subject))),
  };
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
  /** Right after that, where there is no other node to look at. */
  readonly seen: ReadonlyMap<Subject, Sighting>;
}

/**
 * In one go: sessions are told to end, then no more logging in, then those that got in meanwhile; and then, as a
 * statement of its own, the first of the two looks.
 */
async function disable(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<Disabled> {
  const known = subjects.flatMap(({ reference }) => referenceOf(reference)?.role_oid ?? []);
  const payload = JSON.stringify({
    server: site.config.system_identifier,
    marks: subjects.map(({ mark }) => mark),
    known,
    alone: subjects.length === 1,
  });
  const isWhole = site.kept.length === 1;
  const [before, after, view] = await lane.run(async (sql) => {
    const [[told], , [again], looked] = await answersTo([
      sql.unsafe<{ before: string }[]>(FIND, [payload], { prepare: true }).execute(),
      sql.unsafe(DISABLE).execute(),
      sql.unsafe<{ after: string }[]>(AGAIN, [], { prepare: true }).execute(),
      isWhole ? sendLook(sql, subjects).execute() : Promise.resolve(null),
    ]);
    if (told === undefined || again === undefined) throw new Error('a program left no outcome');
    return [JSON.parse(told.before) as Before, JSON.parse(again.after) as After, looked] as const;
  });
  const found = new Map(before.found.map((role) => [role.mark, role]));
  const doomed = subjects.map((subject): Doomed => {
    const role = found.get(subject.mark) ?? null;
    const oids = [role?.is_fence ? undefined : role?.oid, referenceOf(subject.reference)?.role_oid];
    return {
      subject,
      found: role?.is_fence ? null : role,
      oids: [...new Set(oids.filter((oid) => oid !== undefined))],
    };
  });
  return {
    doomed,
    locked: new Set(after.locked),
    dropped: new Set(after.dropped),
    awake: new Set(after.awake),
    prepares: before.prepares,
    seen: view === null ? new Map() : sightingsAt(site, lane, subjects, view),
  };
}

interface Before {
  readonly found: readonly Found[];
  readonly prepares: boolean;
}

interface After {
  readonly locked: readonly string[];
  readonly dropped: readonly string[];
  readonly awake: readonly string[];
}

/**
 * Every session is told to end before the first lock is waited for. For one that goes alone their end is waited for
 * too, to be there ahead of the next one. All are told before any answer is put together: `busy` counts them.
 *
 * `quiet`: a login without a session is dropped at once, except where it may have prepared a transaction, which would
 * lose its owner.
 */
const FIND = `WITH payload AS MATERIALIZED (SELECT $1::text::jsonb AS p),
server AS MATERIALIZED (
  SELECT system_identifier::text = p ->> 'server' AS is_right,
    current_setting('max_prepared_transactions')::int > 0 AS prepares FROM payload, pg_control_system()),
found AS MATERIALIZED (
  SELECT rolname, oid, rolcanlogin, NOT rolcanlogin AND rolconnlimit = 0 AS is_fence FROM pg_roles
  WHERE rolname = ANY (ARRAY(SELECT jsonb_array_elements_text(p -> 'marks') FROM payload))
    AND (SELECT is_right FROM server)),
told AS MATERIALIZED (
  SELECT usesysid, pg_terminate_backend(pid,
    CASE WHEN (SELECT (p -> 'alone')::boolean FROM payload) THEN ${EACH_SESSION_MS} ELSE 0 END) FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY (ARRAY(SELECT oid FROM found))),
busy AS MATERIALIZED (SELECT coalesce(array_agg(usesysid), '{}') AS oids FROM told),
quiet AS MATERIALIZED (
  SELECT rolname FROM found, busy, server WHERE rolcanlogin AND NOT oid = ANY (oids) AND NOT prepares)
SELECT set_config('brevet.payload', CASE WHEN is_right THEN jsonb_build_object(
  'found', (SELECT coalesce(jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
    'is_fence', is_fence) ORDER BY rolname), '[]') FROM found),
  'logins', (SELECT count(*) FROM found WHERE rolcanlogin),
  'quiet', (SELECT coalesce(jsonb_agg(rolname), '[]') FROM quiet),
  'drop', (SELECT 'DROP ROLE ' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM quiet),
  'known', p -> 'known', 'prepares', prepares) ELSE '{}' END::text, false) AS before
FROM payload, server`;

/** Where one of the quiet owns something, or is held, all of them go the long way. */
const DISABLE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  dropped jsonb := payload -> 'quiet';
  locked jsonb := '[]';
  mark text;
BEGIN
  ${AT_THE_SERVER_LOOKED_AT}
  BEGIN
    IF dropped <> '[]' THEN
      EXECUTE payload ->> 'drop';
    END IF;
  EXCEPTION WHEN OTHERS THEN dropped := '[]';
  END;
  IF jsonb_array_length(dropped) < (payload -> 'logins')::int THEN
    FOR mark IN SELECT f ->> 'mark' FROM jsonb_array_elements(payload -> 'found') f
      WHERE (f -> 'can_login')::boolean AND NOT dropped ? (f ->> 'mark')
    LOOP
      BEGIN
        EXECUTE format('ALTER ROLE %I NOLOGIN', mark);
      EXCEPTION
        WHEN undefined_object THEN NULL;
        WHEN OTHERS THEN locked := locked || to_jsonb(mark);
      END;
    END LOOP;
  END IF;
  PERFORM set_config('brevet.outcome', jsonb_build_object('locked', locked, 'dropped', dropped)::text, false);
END $brevet$`;

/** Those of roles that are gone: their ids outlive them in the list of sessions. */
const AGAIN = `WITH over AS MATERIALIZED (
  SELECT current_setting('brevet.payload')::jsonb AS p, current_setting('brevet.outcome')::jsonb AS o),
told AS MATERIALIZED (
  SELECT usesysid, pg_terminate_backend(pid, ${EACH_SESSION_MS}) FROM pg_stat_get_activity(NULL)
  WHERE usesysid = ANY (ARRAY(
    SELECT (f ->> 'oid')::oid FROM over, jsonb_array_elements(p -> 'found') f WHERE o -> 'dropped' ? (f ->> 'mark')
    UNION ALL SELECT jsonb_array_elements_text(p -> 'known')::oid FROM over)))
SELECT (o || jsonb_build_object('awake', (SELECT coalesce(jsonb_agg(usesysid::text), '[]') FROM told)))::text AS after
FROM over`;

const oidsOf = (doomed: readonly Doomed[]): string => doomed.flatMap(({ oids }) => oids).join(',');

const AND_AGAIN = `SELECT usesysid::text AS oid, pg_terminate_backend(pid, ${EACH_SESSION_MS})
  FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY (string_to_array($1, ',')::oid[])
    AND (SELECT system_identifier::text FROM pg_control_system()) = $2`;

/** @returns the marks of those that still had sessions after some passes; whoever is disabled begins no other. */
async function endSessions({ config }: Site, lane: Lane, doomed: readonly Doomed[]): Promise<readonly string[]> {
  const oids = oidsOf(doomed);
  let alive: readonly string[] = [];
  for (let left = oids === '' ? 0 : PASSES; left > 0; left--) {
    const rows = await lane.run((sql) =>
      sql.unsafe<{ oid: string }[]>(AND_AGAIN, [oids, config.system_identifier], { prepare: true }),
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
