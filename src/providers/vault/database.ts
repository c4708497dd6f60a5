/**
 * A Postgres database in which Vault makes logins, as Brevet looks into it: which roles bear a lease's mark, which
 * sessions they have, and which are of roles that are no more. Dropping a role, as Vault does, ends no session of it.
 */
import type { Mark } from '../../core/lease.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Secret } from '../../core/secret.ts';
import { toRfc3339 } from '../../core/time.ts';
import type { Milliseconds } from '../../core/time.ts';
import { nodeName } from '../postgres/config.ts';
import { FOLLOWERS } from '../postgres/followers.ts';
import { HOLDER_LOCK_MS, openLane } from '../postgres/lane.ts';
import type { Lane } from '../postgres/lane.ts';
import { placeOf } from './config.ts';
import type { LookedInto } from './config.ts';
import { earliestOf } from './names.ts';

/** Longer than the longest lease: open for as long as a login may live. */
const KEPT_SECONDS = 3_900;
/** Of all sessions together, each of which gets its part: the server bounds a statement, and Vault no login's sessions. */
const SESSIONS_END_MS = 500;
/** Marks whose roles are remembered, for when they have been dropped. */
const MOST_REMEMBERED = 10_000;

/** What one node says of one lease. */
export interface NodeView {
  readonly node: string;
  readonly server: string;
  readonly standby: boolean;
  /** Ids of the roles that bear the mark. */
  readonly roles: readonly string[];
  readonly sessions: number;
  /** Sessions begun since the lease was opened, of roles that are no more: this lease's, or of one as dead. */
  readonly strays: number;
  /** Nodes that follow this one; and whether it follows one itself. */
  readonly followers: number;
  readonly following: boolean;
  /** Transactions that they prepared. */
  readonly prepared: number;
}

export interface Database {
  readonly at: LookedInto;
  /** The view of every node; text where one could not be asked. */
  look(mark: Mark): Promise<readonly (NodeView | string)[]>;
  /** Ends every session of the mark's roles, and remembers these. @throws {ProviderUnavailable} */
  endSessions(mark: Mark): Promise<void>;
  /** What each node says of itself and of Brevet's login; text where one could not be asked. */
  report(): Promise<readonly (NodeReport | string)[]>;
  isOpen(): boolean;
  close(): Promise<void>;
}

/** Before first use. */
export interface NodeReport {
  readonly node: string;
  readonly server: string;
  readonly standby: boolean;
  readonly superuser: boolean;
  readonly reads_stats: boolean;
  readonly signals: boolean;
  readonly followers: number;
  readonly following: boolean;
}

export function openDatabase(at: LookedInto, password: Secret | null, patience: Milliseconds): Database {
  const config = { database: at.database, admin: at.login, tls: at.tls, ca: at.ca };
  const lanes = at.nodes.map((node) =>
    openLane({ config, password, node, idle: KEPT_SECONDS, lockMs: HOLDER_LOCK_MS, patience }),
  );
  const remembered = new Map<Mark, readonly string[]>();
  const remember = (mark: Mark, oids: readonly string[]): readonly string[] => {
    const all = [...new Set([...(remembered.get(mark) ?? []), ...oids])];
    if (all.length > 0) remembered.set(mark, all);
    const [oldest] = remembered.keys();
    if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return all;
  };
  const payloadOf = (mark: Mark) =>
    JSON.stringify({
      mark,
      server: at.system_identifier,
      known: remembered.get(mark) ?? [],
      since: toRfc3339(earliestOf(mark)),
    });
  const ask = async <View extends { node: string }>(lane: Lane, query: string, values: string[]) => {
    try {
      const [row] = await lane.run((sql) => sql.unsafe<{ view: string }[]>(query, values));
      if (row === undefined) throw new Error('a look without a view');
      return { ...(JSON.parse(row.view) as Omit<View, 'node'>), node: nodeName(lane.node) } as View;
    } catch (fault) {
      if (fault instanceof ProviderUnavailable) return `${placeOf(at)}: ${fault.message}`;
      throw fault;
    }
  };
  const viewAt = async (lane: Lane, mark: Mark): Promise<NodeView | string> => {
    const view = await ask<NodeView>(lane, LOOK, [payloadOf(mark)]);
    if (typeof view !== 'string') remember(mark, view.roles);
    return view;
  };
  const endAt = async (lane: Lane, mark: Mark): Promise<void> => {
    const [row] = await lane.run((sql) => sql.unsafe<{ outcome: string }[]>(END, [payloadOf(mark)]));
    const { here, oids } = JSON.parse(row?.outcome ?? '{"here":false,"oids":[]}') as {
      readonly here: boolean;
      readonly oids: readonly string[];
    };
    if (!here) throw new ProviderUnavailable(`${placeOf(at)}: another server answers`);
    remember(mark, oids);
  };
  return {
    at,
    look: (mark) => Promise.all(lanes.map((lane) => viewAt(lane, mark))),
    endSessions: async (mark) => {
      await Promise.all(lanes.map((lane) => endAt(lane, mark)));
    },
    report: () => Promise.all(lanes.map((lane) => ask<NodeReport>(lane, REPORT, []))),
    isOpen: () => lanes.some((lane) => lane.isOpen()),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** Vault writes the mark as a comment on each role that it makes for a lease. */
const MARKED = `SELECT d.objoid AS oid FROM pg_shdescription d, asked
  WHERE d.classoid = 'pg_authid'::regclass AND d.description = p ->> 'mark'`;

/** A start that may not be read is no start before the lease. */
const STRAY = `NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = usesysid)
  AND coalesce(backend_start >= (SELECT (p ->> 'since')::timestamptz FROM asked), true)`;

const ASKED = `WITH asked AS MATERIALIZED (SELECT $1::text::jsonb AS p),
ids AS MATERIALIZED (${MARKED} UNION SELECT jsonb_array_elements_text(p -> 'known')::oid FROM asked)`;

/** What a node is, and who follows it. */
const NODE = `'server', (SELECT system_identifier::text FROM pg_control_system()),
  'standby', pg_is_in_recovery(),
  'followers', ${FOLLOWERS},
  'following', EXISTS (SELECT FROM pg_stat_get_wal_receiver() WHERE pid IS NOT NULL)`;

const REPORT = `SELECT jsonb_build_object(${NODE},
  'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'reads_stats', pg_has_role('pg_read_all_stats', 'USAGE'),
  'signals', pg_has_role('pg_signal_backend', 'USAGE'))::text AS view`;

const LOOK = `${ASKED}, sessions AS MATERIALIZED (
  SELECT usesysid, backend_start FROM pg_stat_get_activity(NULL) WHERE usesysid <> 0)
SELECT jsonb_build_object(
  'roles', (SELECT coalesce(jsonb_agg(oid::text), '[]') FROM (${MARKED}) m),
  'sessions', (SELECT count(*) FROM sessions WHERE usesysid IN (SELECT oid FROM ids)),
  'strays', (SELECT count(*) FROM sessions WHERE usesysid NOT IN (SELECT oid FROM ids) AND ${STRAY}),
  ${NODE},
  'prepared', (SELECT count(*) FROM pg_prepared_xact() x, asked WHERE ownerid IN (SELECT oid FROM ids)
    OR (NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = ownerid) AND prepared >= (p ->> 'since')::timestamptz))
)::text AS view`;

/** Nobody is ended at another server than the one meant. */
const END = `${ASKED}, here AS MATERIALIZED (
  SELECT (SELECT system_identifier::text FROM pg_control_system()) = p ->> 'server' AS here FROM asked),
told AS MATERIALIZED (
  SELECT pg_terminate_backend(pid, greatest(1, ${SESSIONS_END_MS} / count(*) OVER ())) FROM pg_stat_get_activity(NULL)
  WHERE (SELECT here FROM here) AND usesysid <> 0 AND (usesysid IN (SELECT oid FROM ids) OR ${STRAY}))
SELECT jsonb_build_object('here', (SELECT here FROM here), 'ended', (SELECT count(*) FROM told),
  'oids', (SELECT coalesce(jsonb_agg(oid::text), '[]') FROM ids))::text AS outcome`;
