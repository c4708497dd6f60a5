/**
 * Ends logins, in the order that was measured against hostile holders: sessions first, then no more logging in, then
 * sessions again until none is left, then what they prepared, then the role itself.
 */
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Subject } from '../../core/provider.ts';
import { cleanUp } from './clean.ts';
import { fulfilled, rejected } from './gather.ts';
import { AT_THE_RIGHT_SERVER, perform } from './lane.ts';
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
  return rejected(new ProviderUnavailable(`${subject.mark} holds on to its login`));
}

/** @returns the marks of those that were in the way of their own end. */
async function endOnce(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const { doomed, prepares } = await findRoles(site, lane, subjects);
  const others = site.kept.filter((kept) => kept.node !== lane.node);
  const everywhere = async (call: (lane: Lane) => Promise<readonly string[]>): Promise<readonly string[]> => {
    // A standby that is down holds up nothing here: it was told of in the end, and is looked at before death is said.
    const [here, ...there] = await Promise.allSettled([lane, ...others].map(call));
    if (here?.status === 'rejected') throw here.reason;
    unreached.push(...there.flatMap((node) => (node.status === 'rejected' ? [node.reason as unknown] : [])));
    return [here, ...there].flatMap((node) => (node?.status === 'fulfilled' ? node.value : []));
  };
  const unreached: unknown[] = [];
  await everywhere((node) => endSessions(site, node, doomed));
  // Before, since one may hold a lock on the role; and after, since until then there may be another.
  if (prepares) await rollBackPrepared(site, lane, doomed);
  const locked = new Set(await disable(site, lane, doomed));
  const disabled = doomed.filter(({ subject }) => !locked.has(subject.mark));
  const alive = await everywhere((node) => endAllSessions(site, node, disabled));
  if (prepares) await rollBackPrepared(site, lane, disabled);
  const undropped = await drop(site, lane, disabled);
  await cleanUp(
    site,
    disabled.filter(({ found }) => found?.can_login === false && undropped.has(found.mark)),
  );
  if (unreached.length > 0) throw unreached[0];
  const missed = [...undropped].flatMap(([mark, why]) => (why === 'missed' ? [mark] : []));
  return new Set([...locked, ...alive, ...missed]);
}

/** With whether the server lets anyone prepare a transaction. */
async function findRoles(site: Site, lane: Lane, subjects: readonly Subject[]) {
  const { roles, prepares } = await perform<{ roles: readonly Found[]; prepares: boolean }>(lane, FIND, {
    server: site.config.system_identifier,
    marks: subjects.map(({ mark }) => mark),
  });
  const doomed = subjects.map((subject): Doomed => {
    const found = roles.find(({ mark, is_fence }) => mark === subject.mark && !is_fence) ?? null;
    const known = referenceOf(subject.reference)?.role_oid;
    return { subject, found, oids: [...new Set([found?.oid, known].filter((oid) => oid !== undefined))] };
  });
  return { doomed, prepares };
}

const FIND = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  PERFORM set_config('brevet.outcome', (
    SELECT jsonb_build_object('prepares', current_setting('max_prepared_transactions')::int > 0, 'roles',
      coalesce(jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
      'is_fence', NOT rolcanlogin AND rolconnlimit = 0)), '[]'))::text
    FROM pg_roles WHERE rolname = ANY (ARRAY(SELECT jsonb_array_elements_text(payload -> 'marks')))), false);
END $brevet$`;

const oidsOf = (doomed: readonly Doomed[]): string => doomed.flatMap(({ oids }) => oids).join(',');

/** Tells every session to end, and waits for each as long as told. @returns the roles that had any. */
async function endSessions(
  { config }: Site,
  lane: Lane,
  doomed: readonly Doomed[],
  waitMs = 0,
): Promise<readonly string[]> {
  const oids = oidsOf(doomed);
  if (oids === '') return [];
  const rows = await lane.run(
    (sql) => sql<{ oid: string }[]>`
      select usesysid::text as oid, pg_terminate_backend(pid, ${String(waitMs)}::text::bigint) from pg_stat_activity
      where usesysid = any (string_to_array(${oids}, ',')::oid[])
        and (select system_identifier::text from pg_control_system()) = ${config.system_identifier}`,
  );
  return rows.map(({ oid }) => oid);
}

/** How long one session's end is waited for. */
const SESSION_END_MS = 500;

/** @returns the marks of those that still had sessions at the end. */
async function endAllSessions(site: Site, lane: Lane, doomed: readonly Doomed[]): Promise<readonly string[]> {
  let alive: readonly string[] = [];
  for (let left = PASSES; left > 0; left--) {
    alive = await endSessions(site, lane, doomed, SESSION_END_MS);
    if (alive.length === 0) return [];
  }
  return doomed.filter(({ oids }) => oids.some((oid) => alive.includes(oid))).map(({ subject }) => subject.mark);
}

/** @returns the marks of those whose role is locked. */
async function disable(site: Site, lane: Lane, doomed: readonly Doomed[]): Promise<readonly string[]> {
  const live = doomed.flatMap(({ found }) => (found?.can_login ? [{ mark: found.mark, oid: found.oid }] : []));
  if (live.length === 0) return [];
  return perform(lane, DISABLE, { server: site.config.system_identifier, roles: live, alone: doomed.length === 1 });
}

/** One that goes alone has its sessions ended once more in the moment before, to be there ahead of the next one. */
const DISABLE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  item jsonb;
  locked jsonb := '[]';
BEGIN
  ${AT_THE_RIGHT_SERVER}
  FOR item IN SELECT * FROM jsonb_array_elements(payload -> 'roles') LOOP
    BEGIN
      IF (payload ->> 'alone')::boolean THEN
        PERFORM pg_terminate_backend(pid, ${SESSION_END_MS}) FROM pg_stat_activity WHERE usesysid = (item ->> 'oid')::oid;
      END IF;
      EXECUTE format('ALTER ROLE %I NOLOGIN', item ->> 'mark');
    EXCEPTION
      WHEN undefined_object THEN NULL;
      WHEN OTHERS THEN locked := locked || (item -> 'mark');
    END;
  END LOOP;
  PERFORM set_config('brevet.outcome', locked::text, false);
END $brevet$`;

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
