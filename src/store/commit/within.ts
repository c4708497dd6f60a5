/**
 * What an admission must stay within: how much an agent may hold at once, and at how many tenants the same may be done
 * before it asks. Counted in the statement that adds to it, behind locks of its own, so that it is exact whatever
 * other nodes do. A batch in which nothing is limited pays nothing for it, and one without a budget nothing for budgets.
 */
import { sha256, utf8 } from '../../core/digest.ts';
import type { LiveBudget, Spread } from '../../core/change.ts';
import type { Statement } from '../link.ts';
import { WITHIN_LOCKS } from '../roles.ts';
import type { Admission } from './admit.ts';
import { rowText } from './written.ts';
import type { Rows } from './written.ts';

export interface WithinRows {
  readonly budgets: Rows;
  readonly spread: Rows;
  /** What is locked while it is counted. */
  readonly locks: readonly number[];
}

/** @param isFresh whether this process has written the very same a moment ago: then it adds nothing to what is counted. */
export function withinRows(n: number, change: Admission, isFresh: (spread: Spread) => boolean): WithinRows {
  const { within } = change.when;
  if (within === undefined) return UNLIMITED;
  const { budgets, spread } = within;
  const agent = agentOf(change);
  const limited = (Object.entries(budgets) as [LiveBudget, number][]).map(([budget, most]) =>
    rowText({ n, tenant: change.tenant, agent, budget, most }),
  );
  const fresh = spread !== null && isFresh(spread);
  return {
    budgets: limited.join(','),
    spread: spread === null ? '' : rowText({ n, ...spread, lookback: spread.lookback * 1000, fresh }),
    locks: [
      ...(limited.length === 0 ? [] : [lockOf('budgets', change.tenant, agent)]),
      // What asks is not refused for it, and what is fresh makes it no more: neither has to see the other's.
      ...(spread === null || spread.asks || fresh ? [] : [lockOf('spread', spread.owner, spread.task)]),
    ],
  };
}

const UNLIMITED: WithinRows = { budgets: '', spread: '', locks: [] };

function agentOf(change: Admission): string {
  if (change.kind === 'lease.open') return change.lease.agent;
  return 'request' in change ? change.request.agent : '';
}

/** Two that share a number wait for each other, and no more comes of it. */
const lockOf = (...of: readonly string[]): number => new DataView(sha256(utf8(JSON.stringify(of))).buffer).getInt32(0);

/**
 * In a statement of its own, since the one that counts must see all that was committed before the lock was had; and in
 * one order, so that two batches do not wait for each other in a circle.
 */
export function locking(locks: readonly number[]): Statement[] {
  if (locks.length === 0) return [];
  const inOrder = [...new Set(locks)].toSorted((a, b) => a - b);
  return [{ text: LOCK, parameters: [WITHIN_LOCKS, inOrder.join(' ')] }];
}

const LOCK = `select pg_advisory_xact_lock($1::int, l::int) from unnest(string_to_array($2::text, ' ')) l`;

/** A stream of the same is written no more often. With what a process remembers, no row is older than two of these
 * while it matters, and the shortest look back is longer: see `limits.ts` of the bundle. */
export const WRITTEN_EVERY_MS = 60_000;

const LIVE = `state in ('opening', 'active', 'revoking')`;

/**
 * Between `once` and the claiming of keys. `fits`: those that stay within their limits, or whose key was claimed
 * before, which get what it was claimed for. Logins are looked at before leases, of which they are a part: a login
 * that is one too many takes no other lease's place. Nothing is counted further than its limit.
 */
export const within = (budgets: Budgets): string => `
moment as materialized (select brevet_now() as now),
earlier as materialized (
  select o.n from once o join idempotency k
    on k.tenant = o.tenant and k.principal = o.principal and k.route = o.route and k.key = o.key),
places as materialized (
  select w.* from json_to_recordset($7::text::json) as w(n bigint, owner text, agent text, task text, place text,
    most bigint, lookback bigint, asks boolean, fresh boolean)
  where w.n in (select n from once) and w.n not in (select n from earlier)),
ways as materialized (
  select owner, agent, task, place, most, lookback, min(n) as first from places where not asks
  group by owner, agent, task, place, most, lookback),
known as materialized (
  select g.owner, g.agent, g.task, s.place
  from (select distinct owner, agent, task, most, now - lookback as since from ways, moment) g cross join lateral (
    (select distinct p.place from spread p
      where p.owner = g.owner and p.task = g.task and p.at > g.since limit g.most + 1)
    union
    (select distinct p.place from spread p
      where p.agent = g.agent and p.task = g.task and p.at > g.since limit g.most + 1)) s),
wide as materialized (
  select w.owner, w.agent, w.task, w.place from ways w where w.most < (
    select count(*) from (
      select k.place from known k where k.owner = w.owner and k.agent = w.agent and k.task = w.task
      union
      select o.place from ways o where o.owner = w.owner and o.task = w.task and o.first <= w.first
        and not exists (select from known k
          where k.owner = w.owner and k.agent = w.agent and k.task = w.task and k.place = w.place)) together)),
spreads as materialized (select p.n from places p join wide using (owner, agent, task, place) where not p.asks),${budgets.count}
unfit as materialized (
  select n, 'spread' as why from spreads${budgets.beyond}),
fits as materialized (select o.* from once o where o.n not in (select n from unfit)),`;

/** The parts of it that count budgets. */
interface Budgets {
  readonly count: string;
  readonly beyond: string;
}

export const NO_BUDGETS: Budgets = { count: '', beyond: '' };

export const BUDGETS: Budgets = {
  count: `
limits as materialized (
  select w.* from json_to_recordset($8::text::json) as w(n bigint, tenant text, agent text, budget text, most bigint)
  where w.n in (select n from once) and w.n not in (select n from earlier)),
held as materialized (
  select l.tenant, l.agent, l.budget, case l.budget
    when 'open_approvals' then (select count(*) from (
      select from approvals a where a.tenant = l.tenant and a.agent = l.agent and a.state = 'pending'
        and a.expires_at > (select now from moment) limit l.most) live)
    when 'live_logins' then (select count(*) from (
      select from leases a where a.tenant = l.tenant and a.agent = l.agent and a.provider = 'postgres'
        and a.${LIVE} limit l.most) live)
    else (select count(*) from (
      select from leases a where a.tenant = l.tenant and a.agent = l.agent and a.${LIVE} limit l.most) live) end as count
  from (select tenant, agent, budget, max(most) as most from limits group by tenant, agent, budget) l),
beyond as materialized (
  select n, budget from (
    select l.*, h.count + row_number() over (partition by l.tenant, l.agent, l.budget order by l.n) as total
    from limits l join held h using (tenant, agent, budget)
    where l.budget <> 'live_leases' and l.n not in (select n from spreads)) ranked
  where total > most),`,
  beyond: `
  union all select n, budget from beyond
  union all select n, budget from (
    select l.*, h.count + row_number() over (partition by l.tenant, l.agent order by l.n) as total
    from limits l join held h using (tenant, agent, budget)
    where l.budget = 'live_leases' and l.n not in (select n from spreads) and l.n not in (select n from beyond)) ranked
  where total > most`,
};

/** After `done`: that it was done there, unless the last minute's row says so. */
export const SPREADING = `
spreading as (
  insert into spread (owner, agent, task, place, at)
  select distinct p.owner, p.agent, p.task, p.place, moment.now
  from places p join done using (n), moment where not p.fresh and not exists (
    select from spread s where s.owner = p.owner and s.task = p.task and s.place = p.place and s.agent = p.agent
      and s.at > moment.now - ${WRITTEN_EVERY_MS})
  on conflict (owner, task, place, agent) do update set at = greatest(spread.at, excluded.at)),`;

/** Most recent writes of a process that are worth remembering. */
const MOST_KEPT = 10_000;
/** Sooner than the row is written anew by another, so that the lock is had when it is. */
const FRESH_MS = 50_000;

/** What this process has written, so that a stream of the same neither writes nor locks. */
export interface Freshness {
  isFresh(spread: Spread): boolean;
  wrote(spread: Spread): void;
}

export function createFreshness(clock: () => number): Freshness {
  const kept = new Map<string, number>();
  const keyOf = ({ owner, agent, task, place }: Spread): string => `${owner} ${agent} ${task} ${place}`;
  return {
    isFresh: (spread) => clock() - (kept.get(keyOf(spread)) ?? Number.NEGATIVE_INFINITY) < FRESH_MS,
    wrote(spread) {
      const key = keyOf(spread);
      kept.delete(key);
      kept.set(key, clock());
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    },
  };
}
