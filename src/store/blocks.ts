/** What blocks reach, and how far their work has come: across tenants, by the roles that see no secret. */
import { and, asc, count, desc, eq, gt, inArray, isNull, lt, lte, min, max, notInArray, or, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { agentTaskOf } from '../core/block.ts';
import type { BlockId, LeaseId, PersonName, RoleName, TargetName, TaskName } from '../core/ids.ts';
import type { ProviderKind } from '../core/registers.ts';
import type { BlockReads, KeptBlock, Reach } from '../core/store/blocks.ts';
import { instant, milliseconds } from '../core/time.ts';
import type { Link } from './link.ts';
import { withoutSecret } from './lease-columns.ts';
import { decidedBefore } from './read.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';
import { blocks, enrolments } from './schema/tenants.ts';
import { work } from './schema/work.ts';

const LIVE = ['opening', 'active'] as const;
const UNENDED = ['opening', 'active', 'revoking'] as const;

const working = { role: ROLES.work, tenants: [] } as const;
const listing = { role: ROLES.list, tenants: [] } as const;

/** In SQL what `isInside` in `core/block.ts` says of one lease; agents of an owner, vendor or model come as names. */
function inside({ of: { scope, name }, tenants, agents, since = {}, openedBy }: Reach): SQL | undefined {
  const here = and(
    inArray(leases.tenant, [...tenants]),
    decidedBefore(since),
    openedBy === undefined ? undefined : lte(leases.openedAt, openedBy),
  );
  switch (scope) {
    case 'lease':
      return and(here, eq(leases.id, name as LeaseId));
    case 'owner':
      return and(here, or(eq(leases.owner, name as PersonName), inArray(leases.agent, [...agents])));
    case 'agent':
    case 'vendor':
    case 'model':
      return and(here, inArray(leases.agent, [...agents]));
    case 'role':
      return and(here, eq(leases.role, name as RoleName));
    case 'task':
      return and(here, eq(leases.task, name as TaskName));
    case 'agent_task': {
      const { agent, task } = agentTaskOf(name);
      return and(here, eq(leases.agent, agent), eq(leases.task, task));
    }
    case 'target':
      return and(here, eq(leases.target, name as TargetName));
    case 'provider':
      return and(here, eq(leases.provider, name as ProviderKind));
    case 'tenant':
    case 'everything':
      return here;
  }
}

/** By tier, then by how much is behind it, then the one that lives longest. */
const dangerousFirst = [
  desc(leases.tier),
  desc(sql`json_array_length(${leases.dataClasses})`),
  desc(leases.expiresAt),
  asc(leases.id),
];

export function createBlockReads(link: Link): BlockReads {
  return {
    enrolledAt: (within) =>
      link.transaction(listing, async (tx) => {
        const rows = await tx
          .selectDistinct({ agent: enrolments.agent })
          .from(enrolments)
          .where(inArray(enrolments.tenant, [...within]));
        return rows.map(({ agent }) => agent);
      }),
    reached: (reach, limit, except = []) =>
      link.transaction(working, (tx) =>
        tx
          .select({ tenant: leases.tenant, lease: leases.id })
          .from(leases)
          .where(
            and(
              inArray(leases.state, LIVE),
              inside(reach),
              except.length === 0 ? undefined : notInArray(leases.id, [...except]),
            ),
          )
          .orderBy(...dangerousFirst)
          .limit(limit),
      ),
    unendedWithin: (reach) =>
      link.transaction(listing, (tx) =>
        tx
          .select({
            tenant: leases.tenant,
            provider: leases.provider,
            target: leases.target,
            state: leases.state,
            n: count(),
          })
          .from(leases)
          .where(and(inArray(leases.state, UNENDED), inside(reach)))
          .groupBy(leases.tenant, leases.provider, leases.target, leases.state)
          .orderBy(asc(leases.tenant), asc(leases.target)),
      ),
    toll: (block, within) =>
      link.transaction(listing, async (tx) => {
        const rows = await tx
          .select({
            tenant: leases.tenant,
            provider: leases.provider,
            target: leases.target,
            state: leases.state,
            how: sql<string | null>`${leases.death} ->> 'how'`,
            n: count(),
            worstExposure: max(leases.exposure),
            firstRevokingAt: min(leases.revokingAt),
            lastDeathAt: max(sql`(${leases.death} ->> 'at')::bigint`),
          })
          .from(leases)
          .where(and(eq(leases.block, block), inArray(leases.tenant, [...within])))
          .groupBy(leases.tenant, leases.provider, leases.target, leases.state, sql`5`);
        return rows.map(({ worstExposure, firstRevokingAt, lastDeathAt, ...row }) => ({
          ...row,
          worstExposure: milliseconds(Number(worstExposure ?? 0)),
          firstRevokingAt: firstRevokingAt === null ? null : instant(Number(firstRevokingAt)),
          lastDeathAt: lastDeathAt === null ? null : instant(Number(lastDeathAt)),
        }));
      }),
    ended: ({ block, within, before, limit }) =>
      link.transaction(listing, (tx) =>
        tx
          .select(withoutSecret)
          .from(leases)
          .where(
            and(
              eq(leases.block, block),
              inArray(leases.tenant, [...within]),
              before === null ? undefined : lt(leases.id, before as LeaseId),
            ),
          )
          .orderBy(desc(leases.id))
          .limit(limit),
      ),
    survivors: (block, within, limit) =>
      link.transaction(listing, (tx) =>
        tx
          .select(withoutSecret)
          .from(leases)
          .where(and(eq(leases.block, block), inArray(leases.tenant, [...within]), eq(leases.state, 'revoking')))
          .orderBy(asc(leases.revokingAt))
          .limit(limit),
      ),
    whyAlive: (ids) =>
      link.transaction(working, async (tx) => {
        const named = sql<string>`${work.what} ->> 'lease'`;
        const rows = await tx
          .select({ lease: named, why: work.why, attempts: work.attempt })
          .from(work)
          .where(and(inArray(named, [...ids]), inArray(sql`${work.what} ->> 'task'`, ['kill', 'reconcile'])));
        return new Map(rows.map(({ lease, ...row }) => [lease as LeaseId, row]));
      }),
    blocks: ({ within, before, limit, standing }) =>
      link.transaction(listing, async (tx) => {
        const ids = await tx
          .selectDistinct({ id: blocks.id })
          .from(blocks)
          .where(
            and(
              inArray(blocks.tenant, [...within]),
              before === null ? undefined : lt(blocks.id, before as BlockId),
              standing ? and(isNull(blocks.liftedAt), notOver()) : undefined,
            ),
          )
          .orderBy(desc(blocks.id))
          .limit(limit);
        if (ids.length === 0) return [];
        const wanted = inArray(
          blocks.id,
          ids.map(({ id }) => id),
        );
        const rows = await tx
          .select()
          .from(blocks)
          .where(and(wanted, inArray(blocks.tenant, [...within])))
          .orderBy(desc(blocks.id), asc(blocks.tenant));
        return togetherById(rows);
      }),
    block: (id, within) =>
      link.transaction(listing, async (tx) => {
        const which = and(eq(blocks.id, id), inArray(blocks.tenant, [...within]));
        const rows = await tx.select().from(blocks).where(which).orderBy(asc(blocks.tenant));
        return togetherById(rows)[0] ?? null;
      }),
  };
}

const notOver = () => or(isNull(blocks.until), gt(blocks.until, sql`brevet_now()`));

function togetherById(rows: readonly (typeof blocks.$inferSelect)[]): KeptBlock[] {
  const found = new Map<BlockId, KeptBlock>();
  for (const { tenant, liftedAt, liftedBy, reportedAt, ...same } of rows) {
    const place = { tenant, liftedAt, liftedBy };
    const before = found.get(same.id);
    found.set(same.id, { ...same, reportedAt, places: [...(before?.places ?? []), place] });
  }
  return [...found.values()];
}
