/** What breakers count, over all tenants: each kind of sign by an index of its own, so that a look costs what it finds. */
import { and, eq, gte, isNull, max, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { newId } from '../core/ids.ts';
import { BAD_VERDICTS, BROKER, COUNTED_REFUSALS } from '../core/oversight.ts';
import type { Signal } from '../core/oversight.ts';
import type { BreakerReads } from '../core/store/breakers.ts';
import type { Tally } from '../core/store/breakers.ts';
import type { Instant } from '../core/time.ts';
import type { Entering, Link } from './link.ts';
import { ROLES } from './roles.ts';
import { EVERYWHERE } from './schema/columns.ts';
import { pauses, trips } from './schema/oversight.ts';
import { blocks, tenants } from './schema/tenants.ts';

const listing = { role: ROLES.list, tenants: [] } as const;

export const createTallies = (link: Link): BreakerReads => ({
  tallies: async (signal, since, least) =>
    link.transaction(await seeing(link, signal), async (tx) => {
      // What was before a person ended the last one is counted no more.
      const rows = await tx.execute<Tally & Record<string, unknown>>(sql`
        with begun as (
          select t.tenant, t.agent, t.task, max(coalesce(t.ended_at, b.lifted_at)) as at
          from trips t left join blocks b on b.tenant = t.tenant and b.id = t.block
          where coalesce(t.ended_at, b.lifted_at) >= ${since}
          group by t.tenant, t.agent, t.task),
        happened as (${happened(signal, since)})
        select h.tenant, h.agent, h.task, sum(h.n)::int as n
        from happened h left join begun b using (tenant, agent, task)
        where h.at > coalesce(b.at, 0)
        group by h.tenant, h.agent, h.task having sum(h.n) >= ${least}
        order by h.tenant, h.agent, h.task`);
      return [...rows].map(({ tenant, agent, task, n }) => ({ tenant, agent, task, n }));
    }),
  tripsStanding: () =>
    link.transaction(listing, (tx) =>
      tx
        .select({ tenant: trips.tenant, agent: trips.agent, task: trips.task, to: trips.to })
        .from(trips)
        .leftJoin(blocks, and(eq(blocks.tenant, trips.tenant), eq(blocks.id, trips.block)))
        .where(and(isNull(trips.endedAt), isNull(blocks.liftedAt))),
    ),
  tripsBegun: (since) =>
    link.transaction(listing, (tx) =>
      tx
        .select({ tenant: trips.tenant, agent: trips.agent, task: trips.task, from: trips.from })
        .from(trips)
        .where(gte(trips.from, since)),
    ),
  spikeEnded: () =>
    link.transaction(listing, async (tx) => {
      const [row] = await tx
        .select({ at: max(pauses.endedAt) })
        .from(pauses)
        .where(and(eq(pauses.tenant, EVERYWHERE), eq(pauses.author, BROKER)));
      return row?.at ?? null;
    }),
});

/** The ledger is seen by nobody who does not name whose it is: refusals that were counted together are in it alone. */
async function seeing(link: Link, signal: Signal): Promise<Entering> {
  if (signal !== 'refused' && signal !== 'rate') return listing;
  const names = await link.transaction(listing, (tx) =>
    tx.select({ name: tenants.name }).from(tenants).where(eq(tenants.retired, false)),
  );
  return { role: ROLES.serve, tenants: names.map(({ name }) => name) };
}

const inList = (values: readonly string[]): SQL =>
  sql`(${sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  )})`;

/** Rows of tenant, agent, task, at and n. */
function happened(signal: Signal, since: Instant): SQL {
  switch (signal) {
    case 'failed':
      return sql`
        select tenant, agent, task, revoking_at as at, 1 as n from leases
        where outcome ->> 'outcome' = 'failed' and revoking_at >= ${since}`;
    case 'verdicts':
      return sql`
        select l.tenant, l.agent, l.task, v.at, 1 as n from (${lastVerdicts(since)}) v
        join leases l on l.tenant = v.tenant and l.id = v.lease where v.verdict in ${inList(BAD_VERDICTS)}`;
    case 'reversed':
      // Ordered and judged so, it is one.
      return sql`
        select l.tenant, l.agent, l.task, max(r.at) as at, 1 as n from (
          select tenant, lease, at from orders where at >= ${since}
          union all select tenant, lease, at from (${lastVerdicts(since)}) v where verdict = 'reversed') r
        join leases l on l.tenant = r.tenant and l.id = r.lease group by l.tenant, l.id, l.agent, l.task`;
    case 'refused':
      return sql`
        select tenant, agent, task, at, 1 as n from requests
        where effect = 'forbid' and at >= ${since} and decision -> 'reason' ->> 'code' in ${inList(COUNTED_REFUSALS)}
        union all ${refusedAgain(since, COUNTED_REFUSALS)}
        union all select tenant, agent, terms ->> 'task', decided_at, 1 from approvals
        where state = 'rejected' and decided_at >= ${since}`;
    case 'rate':
      // Tenant by tenant, so that each is found by its own ids, which begin with their time.
      return sql`
        select r.tenant, r.agent, r.task, r.at, 1 as n from tenants t
        cross join lateral (
          select tenant, agent, task, at from requests q where q.tenant = t.name and q.id >= ${firstId(since)}) r
        where not t.retired
        union all ${refusedAgain(since, null)}`;
  }
}

const firstId = (since: Instant): string => newId('req', since, (bytes) => new Uint8Array(bytes));

/** What somebody makes of a lease last is what counts. */
const lastVerdicts = (since: Instant): SQL => sql`
  select distinct on (tenant, lease) tenant, lease, verdict, at from verdicts where at >= ${since}
  order by tenant, lease, at desc, id desc`;

/** Refusals that are alike are written as a count; those of no task class are nobody's here. */
const refusedAgain = (since: Instant, codes: readonly string[] | null): SQL => sql`
  select tenant, e.entry -> 'actor' ->> 'name', e.entry -> 'facts' ->> 'task', at, (e.entry -> 'facts' ->> 'count')::int
  from (select tenant, at, text::json as entry from entries where kind = 'request.forbidden_again' and at >= ${since}) e
  where e.entry -> 'facts' ->> 'task' is not null
    ${codes === null ? sql`` : sql`and e.entry -> 'facts' ->> 'code' in ${inList(codes)}`}`;
