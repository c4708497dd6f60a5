/**
 * Looks whether logins are dead: from the role catalog and the session list of every named node, and from what is
 * prepared. A refused password would prove nothing, since its holder can change it.
 */
import type { PendingQuery, Sql } from 'postgres';
import type { JsonObject } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Activity, Sighting, Subject } from '../../core/provider.ts';
import { nodeName } from './config.ts';
import { codeOfGroups } from './code.ts';
import { FOLLOWERS } from './followers.ts';
import { fulfilled } from '../gather.ts';
import type { Lane } from './lane.ts';
import { preparedBy, preparerOf } from './prepared.ts';
import type { Site } from './site.ts';
import { loginOf, referenceOf } from './specification.ts';

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
  /** Nodes that follow this one; and whether it follows one itself. */
  readonly followers: number;
  readonly following: boolean;
  /** Commits wait for a node that follows, there or not. */
  readonly awaits: boolean;
  /** For each that is asked about, in order; on the node that takes writes. Empty where nothing can be prepared. */
  readonly prepared: readonly number[];
  /** By group. */
  readonly code: Readonly<Record<string, string>>;
}

interface Role {
  readonly mark: string;
  readonly oid: string;
  readonly can_login: boolean;
  readonly is_fence: boolean;
}

/** The evidence of a sighting names each node with what is open there. */
interface Living {
  readonly nodes: readonly { readonly sessions: number }[];
}

/** A node's view, or why there is none. */
interface NodeView {
  readonly node: string;
  readonly view: View | string;
}

/**
 * @param look one look, which may go together with others'.
 * @param before one that was taken since its end; `null` where none was.
 */
export async function lookTwice(
  look: (subject: Subject) => Promise<Sighting>,
  subject: Subject,
  before: Sighting | null,
): Promise<Sighting> {
  const first = before ?? (await look(subject));
  if (first.seen !== 'gone') return first;
  await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  return look(subject);
}

/** Sessions that are open now; the server does not keep when the last one closed. */
export function activityOf(sighting: Sighting): Activity {
  if (sighting.seen === 'unseen') return { use: 'unknown', why: sighting.why };
  const { nodes } = sighting.evidence;
  const inUse = (nodes as Living['nodes']).some(({ sessions }) => sessions > 0);
  return inUse ? { use: 'now' } : { use: 'over', last: null };
}

export async function lookTogether(
  site: Site,
  subjects: readonly Subject[],
): Promise<readonly PromiseSettledResult<Sighting>[]> {
  const views = await Promise.all(
    site.kept.map(async (lane): Promise<NodeView> => ({
      node: nodeName(lane.node),
      view: await viewOf(lane, subjects),
    })),
  );
  return subjects.map((subject, place) => fulfilled(judge(site, subject, place, views)));
}

async function viewOf(lane: Lane, subjects: readonly Subject[]): Promise<View | string> {
  try {
    return readView(await lane.run((sql) => sendLook(sql, subjects)));
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return fault.message;
    throw fault;
  }
}

/** What is sent for a look: a statement of its own, which may follow others in one go. */
export function sendLook(sql: Sql, subjects: readonly Subject[]): PendingQuery<ViewRow[]> {
  const asked = JSON.stringify(subjects.map((subject) => preparerOf(subject, oidsOf(subject))));
  return sql.unsafe<ViewRow[]>(LOOK, [asked], { prepare: true });
}

interface ViewRow {
  readonly view: string;
}

function readView([row]: readonly ViewRow[]): View {
  if (row === undefined) throw new Error('a look without a view');
  return JSON.parse(row.view) as View;
}

/** What was seen at the only node of a site. @param rows the answer to {@link sendLook} of the same subjects. */
export function sightingsAt(
  site: Site,
  lane: Lane,
  subjects: readonly Subject[],
  rows: readonly ViewRow[],
): ReadonlyMap<Subject, Sighting> {
  const views = [{ node: nodeName(lane.node), view: readView(rows) }];
  return new Map(subjects.map((subject, place) => [subject, judge(site, subject, place, views)]));
}

const oidsOf = (subject: Subject): readonly string[] => {
  const known = referenceOf(subject.reference)?.role_oid;
  return known === undefined ? [] : [known];
};

/**
 * One statement, prepared once, since its views are dear to plan. The roles are those of its snapshot, and the session
 * list is read after that: nobody who was not in the one gets into the other.
 */
const LOOK = `
WITH asked AS MATERIALIZED (
  SELECT q, place FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS a(q, place)
), found AS MATERIALIZED (
  SELECT rolname, oid, rolcanlogin, NOT rolcanlogin AND rolconnlimit = 0 AS is_fence
  FROM pg_roles WHERE rolname = ANY (ARRAY(SELECT q ->> 'mark' FROM asked))
), ids AS MATERIALIZED (
  SELECT oid FROM found UNION SELECT jsonb_array_elements_text(q -> 'oids')::oid FROM asked
), sessions AS MATERIALIZED (
  SELECT usesysid AS oid, count(*) AS n FROM pg_stat_get_activity(NULL) WHERE usesysid <> 0 GROUP BY 1
)
SELECT jsonb_build_object(
  'server', (SELECT system_identifier::text FROM pg_control_system()),
  'standby', pg_is_in_recovery(),
  'roles', (SELECT coalesce(jsonb_agg(jsonb_build_object('mark', rolname, 'oid', oid::text, 'can_login', rolcanlogin,
    'is_fence', is_fence)), '[]') FROM found),
  'sessions', (SELECT coalesce(jsonb_object_agg(oid::text, n), '{}') FROM sessions WHERE oid IN (SELECT oid FROM ids)),
  'orphans', (SELECT count(*) FROM sessions s WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = s.oid)),
  'followers', ${FOLLOWERS},
  'following', EXISTS (SELECT FROM pg_stat_get_wal_receiver() WHERE pid IS NOT NULL),
  'awaits', current_setting('synchronous_standby_names') <> '',
  'prepared', CASE WHEN current_setting('max_prepared_transactions')::int = 0 THEN '[]' ELSE (
    SELECT coalesce(jsonb_agg((SELECT count(*) FROM pg_prepared_xact() p WHERE ${preparedBy('q')}) ORDER BY place), '[]')
    FROM asked) END,
  'code', ${codeOfGroups("(SELECT DISTINCT q ->> 'group' FROM asked WHERE q ->> 'group' IS NOT NULL)")}
)::text AS view`;

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
    : hiddenOrGone(subject, seen);
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
function hiddenOrGone(subject: Subject, seen: readonly Seen[]): Sighting {
  const followers = seen.reduce((sum, view) => sum + view.followers, 0);
  const named = seen.filter(({ following }) => following).length;
  if (followers > named) {
    // One that is named, and has lost its way to the one that takes writes, is not told from one that is not.
    const isForGood = seen.every(({ standby, following }) => !standby || following);
    return unseen(`${followers - named} of the nodes that follow are not named`, isForGood);
  }
  // Brevet's own commits do not wait for it: it may not have heard of this death, and be promoted.
  if (named === 0 && seen.some(({ standby, awaits }) => !standby && awaits)) {
    return unseen('commits wait for a node that is not named');
  }
  const before = referenceOf(subject.reference)?.code_before;
  const group = subject.specification === null ? '' : loginOf(subject.specification).group;
  const code = seen.find(({ standby }) => !standby)?.code[group];
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
        (role.is_fence
          ? { fenced: true }
          : { left: 'a role that cannot log in, and that something or somebody keeps from being dropped' })),
    },
  };
}
