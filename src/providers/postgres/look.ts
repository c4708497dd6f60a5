/**
 * Looks whether logins are dead: from the role catalog and the session list of every named node, and from what is
 * prepared. A refused password would prove nothing, since its holder can change it.
 */
import type { JsonObject } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Sighting, Subject } from '../../core/provider.ts';
import { nodeName } from './config.ts';
import { codeOf } from './code.ts';
import { fulfilled } from './gather.ts';
import { perform } from './lane.ts';
import type { Lane } from './lane.ts';
import { preparedBy, preparerOf } from './prepared.ts';
import type { Site } from './site.ts';
import { referenceOf } from './specification.ts';

/**
 * A backend that has checked its role but is not yet in the session list would be overlooked by one look; it gets there
 * in well under a millisecond.
 */
const LOOK_AGAIN_MS = 10;

/** What one node says of all that are asked about. */
interface View {
  readonly server: string;
  readonly standby: boolean;
  readonly roles: readonly Role[];
  /** By role id. */
  readonly sessions: Readonly<Record<string, number>>;
  /** Sessions of roles that are no more. */
  readonly orphans: number;
  /** Nodes that follow this one, logical subscribers left out; and whether it follows one itself. */
  readonly followers: number;
  readonly following: boolean;
  /** For each that is asked about, in order; on the node that takes writes. */
  readonly prepared: readonly number[];
  readonly code: readonly string[];
}

interface Role {
  readonly mark: string;
  readonly oid: string;
  readonly can_login: boolean;
  readonly is_fence: boolean;
}

/** A node's view, or why there is none. */
interface NodeView {
  readonly node: string;
  readonly view: View | string;
}

export async function lookTogether(
  site: Site,
  subjects: readonly Subject[],
): Promise<readonly PromiseSettledResult<Sighting>[]> {
  const first = await lookOnce(site, subjects);
  const gone = subjects.filter((_, place) => first[place]?.seen === 'gone');
  if (gone.length > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  const second = gone.length > 0 ? await lookOnce(site, gone) : [];
  return subjects.map((subject, place) => {
    const again = second[gone.indexOf(subject)] ?? first[place];
    if (again === undefined) throw new Error('a look that saw nothing');
    return fulfilled(again);
  });
}

async function lookOnce(site: Site, subjects: readonly Subject[]): Promise<readonly Sighting[]> {
  const views = await Promise.all(
    site.kept.map(async (lane): Promise<NodeView> => ({
      node: nodeName(lane.node),
      view: await viewOf(lane, subjects),
    })),
  );
  return subjects.map((subject, place) => judge(site, subject, place, views));
}

async function viewOf(lane: Lane, subjects: readonly Subject[]): Promise<View | string> {
  try {
    return await perform<View>(lane, LOOK, {
      subjects: subjects.map((subject) => ({ ...preparerOf(subject, oidsOf(subject)) })),
    });
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return fault.message;
    throw fault;
  }
}

const oidsOf = (subject: Subject): readonly string[] => {
  const known = referenceOf(subject.reference)?.role_oid;
  return known === undefined ? [] : [known];
};

/** The catalog before the session list: nobody who was not in the one gets into the other. */
const LOOK = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  found jsonb;
  asked oid[];
BEGIN
  SELECT jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
      'is_fence', NOT rolcanlogin AND rolconnlimit = 0)), array_agg(oid)
    INTO found, asked FROM pg_roles
    WHERE rolname = ANY (ARRAY(SELECT q ->> 'mark' FROM jsonb_array_elements(payload -> 'subjects') q));
  asked := asked || ARRAY(
    SELECT jsonb_array_elements_text(q -> 'oids')::oid FROM jsonb_array_elements(payload -> 'subjects') q);
  PERFORM set_config('brevet.outcome', jsonb_build_object(
    'server', (SELECT system_identifier::text FROM pg_control_system()),
    'standby', pg_is_in_recovery(),
    'roles', coalesce(found, '[]'),
    'sessions', (SELECT coalesce(jsonb_object_agg(oid, n), '{}') FROM (
      SELECT usesysid::text AS oid, count(*) AS n FROM pg_stat_activity WHERE usesysid = ANY (asked) GROUP BY 1) s),
    'orphans', (SELECT count(*) FROM pg_stat_activity a
      WHERE a.usesysid <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.usesysid)),
    'followers', (SELECT count(*) FROM pg_stat_replication f WHERE NOT EXISTS (
      SELECT FROM pg_replication_slots l WHERE l.active_pid = f.pid AND l.slot_type = 'logical')),
    'following', EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL),
    'prepared', (SELECT coalesce(jsonb_agg((SELECT count(*) FROM pg_prepared_xact() p WHERE ${preparedBy('q')})
        ORDER BY place), '[]')
      FROM jsonb_array_elements(payload -> 'subjects') WITH ORDINALITY AS a(q, place)),
    'code', (SELECT coalesce(jsonb_agg(${codeOf("q ->> 'group'")} ORDER BY place), '[]')
      FROM jsonb_array_elements(payload -> 'subjects') WITH ORDINALITY AS a(q, place))
  )::text, false);
END $brevet$`;

const unseen = (why: string, forGood = false): Sighting => ({ seen: 'unseen', why, forGood });

function judge(site: Site, subject: Subject, place: number, views: readonly NodeView[]): Sighting {
  const reference = referenceOf(subject.reference);
  const server = reference?.system_identifier ?? site.config.system_identifier;
  const seen = views.flatMap(({ node, view }) => (typeof view === 'string' ? [] : [{ node, ...view }]));
  const strangers = seen.filter((view) => view.server !== server);
  if (strangers.length > 0) return unseen(`another server answers at ${strangers.map(({ node }) => node).join(', ')}`);
  const alive = seen.map((view) => aliveAt(subject, place, view)).filter((found) => found !== null);
  if (alive.length > 0) return { seen: 'present', evidence: { server, nodes: alive } };
  const blind = views.flatMap(({ view }) => (typeof view === 'string' ? [view] : []));
  if (blind.length > 0) return unseen(`not every node could be looked at: ${blind.join('; ')}`);
  if (seen.filter(({ standby }) => !standby).length !== 1) return unseen('not exactly one node takes writes');
  return reference === null && seen.some(({ orphans }) => orphans > 0)
    ? unseen('a session of a role that is no more may be of this login')
    : hiddenOrGone(subject, place, seen);
}

type Seen = View & { readonly node: string };

/** What lives at a node, or `null`. */
function aliveAt(subject: Subject, place: number, view: Seen): JsonObject | null {
  const role = view.roles.find(({ mark }) => mark === subject.mark);
  const oids = [...new Set([...oidsOf(subject), ...(role === undefined || role.is_fence ? [] : [role.oid])])];
  const sessions = oids.reduce((sum, oid) => sum + (view.sessions[oid] ?? 0), 0);
  const prepared = view.standby ? 0 : (view.prepared[place] ?? 0);
  const canLogin = role?.can_login ?? false;
  if (!canLogin && sessions === 0 && prepared === 0) return null;
  return { node: view.node, role: canLogin ? 'can log in' : 'cannot log in', sessions, prepared };
}

/** Nothing lives where we look: is there a place where we don't? */
function hiddenOrGone(subject: Subject, place: number, seen: readonly Seen[]): Sighting {
  const followers = seen.reduce((sum, view) => sum + view.followers, 0);
  const named = seen.filter(({ following }) => following).length;
  if (followers > named) return unseen(`${followers - named} of the nodes that follow are not named`, true);
  const before = referenceOf(subject.reference)?.code_before;
  const code = seen.find(({ standby }) => !standby)?.code[place];
  if (before !== undefined && code !== before) {
    return unseen('the login is gone, and code that its group came to own while it lived remains', true);
  }
  const role = seen.flatMap(({ roles }) => roles).find(({ mark }) => mark === subject.mark);
  return {
    seen: 'gone',
    evidence: {
      by: 'role catalog and session list of every named node, twice',
      system_identifier: seen[0]?.server,
      nodes: seen.map(({ node, standby }) => ({
        node,
        standby,
        sessions: 0,
        role: role === undefined ? 'none' : 'cannot log in',
      })),
      prepared: 0,
      ...(role !== undefined &&
        (role.is_fence ? { fenced: true } : { left: 'a role that owns something and cannot log in' })),
    },
  };
}
