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
  return rejected(new ProviderUnavailable(`${subject.mark} holds on to its login`));
}

/** @returns the marks of those that were in the way of their own end. */
async function endOnce(site: Site, lane: Lane, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const { doomed, locked, prepares } = await disable(site, lane, subjects);
  const others = site.kept.filter((kept) => kept.node !== lane.node);
  const everywhere = async (call: (lane: Lane) => Promise<readonly string[]>): Promise<readonly string[]> => {
    // A standby that is down holds up nothing here: it was told of in the end, and is looked at before death is said.
    const [here, ...there] = await Promise.allSettled([lane, ...others].map(call));
    if (here?.status === 'rejected') throw here.reason;
    unreached.push(...there.flatMap((node) => (node.status === 'rejected' ? [node.reason as unknown] : [])));
    return [here, ...there].flatMap((node) => (node?.status === 'fulfilled' ? node.value : []));
  };
  const unreached: unknown[] = [];
  const disabled = doomed.filter(({ subject }) => !locked.has(subject.mark));
  const alive = await everywhere((node) => endSessions(site, node, disabled));
  // Those that are locked too: by one that is prepared, perhaps, and then the next try finds the role free.
  if (prepares) await rollBackPrepared(site, lane, doomed);
  const undropped = await drop(site, lane, disabled);
  await cleanUp(
    site,
    disabled.filter(({ found }) => found?.can_login === false && undropped.has(found.mark)),
  );
  if (unreached.length > 0) throw unreached[0];
  const missed = [...undropped].flatMap(([mark, why]) => (why === 'missed' ? [mark] : []));
  return new Set([...locked, ...alive, ...missed]);
}

/** Which have a role, which of them are locked, and whether the server lets anyone prepare a transaction. */
async function disable(site: Site, lane: Lane, subjects: readonly Subject[]) {
  const payload = {
    server: site.config.system_identifier,
    marks: subjects.map(({ mark }) => mark),
    alone: subjects.length === 1,
  };
  const { roles, locked, prepares } = await perform<{
    readonly roles: readonly Found[];
    readonly locked: readonly string[];
    readonly prepares: boolean;
  }>(lane, DISABLE, payload);
  const doomed = subjects.map((subject): Doomed => {
    const found = roles.find(({ mark, is_fence }) => mark === subject.mark && !is_fence) ?? null;
    const known = referenceOf(subject.reference)?.role_oid;
    return { subject, found, oids: [...new Set([found?.oid, known].filter((oid) => oid !== undefined))] };
  });
  return { doomed, locked: new Set(locked), prepares };
}

/**
 * Every session is told to end before the first lock is waited for. For one that goes alone their end is waited for
 * too, to be there ahead of the next one.
 */
const DISABLE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  found jsonb;
  item jsonb;
  locked jsonb := '[]';
BEGIN
  ${AT_THE_RIGHT_SERVER}
  SELECT coalesce(jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
      'is_fence', NOT rolcanlogin AND rolconnlimit = 0)), '[]')
    INTO found FROM pg_roles
    WHERE rolname = ANY (ARRAY(SELECT jsonb_array_elements_text(payload -> 'marks')));
  PERFORM pg_terminate_backend(pid, CASE WHEN (payload ->> 'alone')::boolean THEN ${SESSION_END_MS} ELSE 0 END)
    FROM pg_stat_activity WHERE usesysid IN (SELECT (f ->> 'oid')::oid FROM jsonb_array_elements(found) f);
  FOR item IN SELECT f FROM jsonb_array_elements(found) f WHERE (f ->> 'can_login')::boolean LOOP
    BEGIN
      EXECUTE format('ALTER ROLE %I NOLOGIN', item ->> 'mark');
    EXCEPTION
      WHEN undefined_object THEN NULL;
      WHEN OTHERS THEN locked := locked || (item -> 'mark');
    END;
  END LOOP;
  PERFORM set_config('brevet.outcome', jsonb_build_object('roles', found, 'locked', locked,
    'prepares', current_setting('max_prepared_transactions')::int > 0)::text, false);
END $brevet$`;

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
