/**
 * Snapshots: read whole in one transaction with their epochs, and kept until they lapse or are found stale.
 */
import { and, desc, eq, getTableColumns, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import type { Block } from '../core/block.ts';
import type { Pause } from '../core/oversight.ts';
import type { TenantName } from '../core/ids.ts';
import { NO_CONTEXT } from '../core/registers.ts';
import type { Acceptance, Assignment, Situation, TenantContext } from '../core/registers.ts';
import type { DeploymentSnapshot, EnrolledAgent, Snapshot } from '../core/snapshot.ts';
import { earliest, instant } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { edgesAfter, intervalsAround } from '../core/windows.ts';
import type { Link, Transaction } from './link.ts';
import { ROLES } from './roles.ts';
import { EVERYWHERE } from './schema/columns.ts';
import { passkeys } from './schema/console.ts';
import { absences, agents, deployment, issuers, operators, persons, policies, vendors } from './schema/deployment.ts';
import { pauses, trips } from './schema/oversight.ts';
import {
  acceptances,
  assignments,
  blocks,
  enrolments,
  lateNotices,
  signingKeys,
  situations,
  tenants,
} from './schema/tenants.ts';
import { standingTargets } from './targets.ts';

/** Nothing in it ends: the last instant that a Date can be. */
const NEVER = instant(8.64e15);
/** The last of these never lapse by date alone, so that a deployment is not left to nobody. */
const ADMINISTRATORS_KEPT = 2;

type Kept = Pick<DeploymentSnapshot, 'epoch' | 'lapsesAt'>;

/** @param kept shared where it is still the deployment's: it is read anew only when its epoch moved, or it lapsed. */
export async function loadSnapshot(
  link: Link,
  tenant: TenantName,
  kept: DeploymentSnapshot | null,
): Promise<Snapshot | null> {
  return link.transaction(
    { role: ROLES.serve, tenants: [tenant, EVERYWHERE] },
    async (tx) => {
      const now = await clockOf(tx);
      const [row] = await tx
        .select()
        .from(tenants)
        .where(and(eq(tenants.name, tenant), eq(tenants.retired, false)));
      if (row === undefined) return null;
      const above = await deploymentIn(tx, now, kept);
      const [enrolled, accepted, assigned, standing, late, raised, paused, tripped, targets, keys] = await Promise.all([
        enrolledAt(tx, tenant, now),
        acceptancesAt(tx, tenant),
        assignmentsAt(tx, tenant),
        situationsAt(tx, tenant, now),
        tx.select({ task: lateNotices.task }).from(lateNotices).where(eq(lateNotices.tenant, tenant)),
        blocksAt(tx, tenant, now),
        pausesAt(tx, tenant),
        tripsAt(tx, tenant),
        targetsAt(tx, tenant),
        keysOf(tx, tenant),
      ]);
      const held = assigned.filter(({ until }) => until === null || until > now);
      const context = contextIn(row.context);
      const windows = intervalsAround(context.windows, context.timeZone, now);
      return {
        tenant: { name: row.name, displayName: row.displayName, context },
        epochs: { tenant: row.epoch, deployment: above.epoch },
        deployment: above,
        agents: new Map(enrolled.map((one) => [one.agent.name, one])),
        acceptances: new Map(accepted.map((acceptance) => [acceptance.agent, acceptance])),
        assignments: held,
        situations: standing,
        lateNotices: new Set(late.map(({ task }) => task)),
        blocks: raised,
        pauses: paused,
        trips: tripped,
        windows,
        targets,
        keys,
        lapsesAt: earliest(
          above.lapsesAt,
          ...held.map(({ until }) => until),
          ...raised.map(({ until }) => until),
          ...enrolled.map(({ enrolment }) => enrolment.exception?.until ?? null),
          ...edgesAfter([...standing, ...(windows ?? [])], now),
        ),
      };
    },
    'snapshot',
  );
}

/** What was written before a field was known lacks it. */
export const contextIn = (written: Partial<TenantContext>): TenantContext => ({ ...NO_CONTEXT, ...written });

export function loadDeployment(link: Link, kept: DeploymentSnapshot | null): Promise<DeploymentSnapshot> {
  return link.transaction(
    { role: ROLES.serve, tenants: [EVERYWHERE] },
    async (tx) => deploymentIn(tx, await clockOf(tx), kept),
    'snapshot',
  );
}

async function clockOf(tx: Transaction): Promise<Instant> {
  const [row] = await tx.execute<{ readonly now: string }>(sql`select brevet_now() as now`);
  return instant(Number(row?.now));
}

const isStill = (kept: Kept, epoch: number, now: Instant): boolean => kept.epoch === epoch && kept.lapsesAt > now;

async function deploymentIn(
  tx: Transaction,
  now: Instant,
  kept: DeploymentSnapshot | null,
): Promise<DeploymentSnapshot> {
  const [row] = await tx.select().from(deployment);
  if (row === undefined) throw new Error('the deployment has no row: it was not migrated');
  if (kept !== null && isStill(kept, row.epoch, now)) return kept;
  const people = await tx.select(columnsOf(persons)).from(persons).where(eq(persons.retired, false));
  const away = await tx.select().from(absences).where(gt(absences.until, now));
  const ways = await tx.select(columnsOf(operators)).from(operators).where(eq(operators.retired, false));
  const { inSetup: _, ...keyColumns } = getTableColumns(passkeys);
  const keys = await tx.select(keyColumns).from(passkeys);
  const trusted = await tx.select(columnsOf(issuers)).from(issuers).where(eq(issuers.retired, false));
  const known = await tx.select(columnsOf(vendors)).from(vendors).where(eq(vendors.retired, false));
  const held = standingAdministrators(await assignmentsAt(tx, EVERYWHERE), now);
  const widening = row.widening === null || row.policy === null ? null : { ...row.widening, version: row.policy };
  const isOver = widening !== null && widening.until <= now;
  const policy = isOver ? widening.next : row.policy;
  const [active] =
    policy === null
      ? []
      : await tx.select({ reading: policies.reading }).from(policies).where(eq(policies.version, policy));
  return {
    epoch: row.epoch,
    inSetup: row.setUp !== 'ended',
    stopped: row.stopped,
    policy,
    reading: new Set(active?.reading),
    widening,
    policiesBefore: row.policiesBefore,
    persons: new Map(people.map((person) => [person.name, person])),
    absences: new Map(away.map((absence) => [absence.person, absence])),
    operators: new Map(ways.map((operator) => [operator.name, operator])),
    passkeys: new Map(keys.map((passkey) => [passkey.id, passkey])),
    issuers: trusted,
    vendors: new Map(known.map((vendor) => [vendor.name, vendor])),
    assignments: held,
    // One that is kept beyond its date has no end to wait for.
    lapsesAt: earliest(
      NEVER,
      isOver ? null : (widening?.until ?? null),
      ...held.map(({ until }) => (until !== null && until > now ? until : null)),
    ),
  };
}

/** A register's fields without the mark of a removed name. */
export function columnsOf<
  Table extends typeof persons | typeof operators | typeof issuers | typeof agents | typeof vendors,
>(table: Table): Omit<Table['_']['columns'], 'retired'> {
  const columns = Object.entries(getTableColumns(table)).filter(([name]) => name !== 'retired');
  return Object.fromEntries(columns) as Omit<Table['_']['columns'], 'retired'>;
}

function standingAdministrators(all: readonly Assignment[], now: Instant): Assignment[] {
  const latestFirst = all.toSorted((a, b) => (b.until ?? NEVER) - (a.until ?? NEVER));
  const kept: Assignment[] = [];
  for (const assignment of latestFirst) {
    const ended = assignment.until !== null && assignment.until <= now;
    const people = new Set(kept.map(({ holder }) => holder.name));
    if (!ended || people.size < ADMINISTRATORS_KEPT) kept.push(assignment);
  }
  return kept;
}

async function assignmentsAt(tx: Transaction, tenant: string): Promise<Assignment[]> {
  const rows = await tx.select().from(assignments).where(eq(assignments.tenant, tenant));
  return rows.map(assignmentOf);
}

export function assignmentOf(row: typeof assignments.$inferSelect): Assignment {
  const { holderKind, holder, tenant, ...same } = row;
  return {
    ...same,
    tenant: tenant === EVERYWHERE ? null : (tenant as TenantName),
    holder: { kind: holderKind, name: holder } as Assignment['holder'],
  };
}

/** One whose exception is over is not enrolled any more: its key stands at another tenant without one. */
async function enrolledAt(tx: Transaction, tenant: TenantName, now: Instant): Promise<EnrolledAgent[]> {
  const rows = await tx
    .select({ agent: columnsOf(agents), proof: enrolments.proof, exception: enrolments.exception })
    .from(enrolments)
    .innerJoin(agents, eq(agents.name, enrolments.agent))
    .where(and(eq(enrolments.tenant, tenant), eq(agents.retired, false)));
  return rows
    .filter(({ exception }) => exception === null || exception.until > now)
    .map(({ agent, proof, exception }) => ({ agent, enrolment: { tenant, agent: agent.name, proof, exception } }));
}

const acceptancesAt = (tx: Transaction, tenant: TenantName): Promise<Acceptance[]> =>
  tx.select().from(acceptances).where(eq(acceptances.tenant, tenant));
const situationsAt = (tx: Transaction, tenant: TenantName, now: Instant): Promise<Situation[]> =>
  tx
    .select()
    .from(situations)
    .where(and(eq(situations.tenant, tenant), gt(situations.until, now)));

function blocksAt(tx: Transaction, tenant: TenantName, now: Instant): Promise<Block[]> {
  const { id, scope, name, agents: named, author, from, until } = blocks;
  return tx
    .select({ id, tenant: blocks.tenant, scope, name, agents: named, author, from, until })
    .from(blocks)
    .where(and(eq(blocks.tenant, tenant), isNull(blocks.liftedAt), or(isNull(until), gt(until, now))));
}

async function pausesAt(tx: Transaction, tenant: TenantName): Promise<Pause[]> {
  const rows = await tx
    .select()
    .from(pauses)
    .where(and(inArray(pauses.tenant, [tenant, EVERYWHERE]), isNull(pauses.endedAt)));
  return rows.map(({ id, author, from, tenant: at }) => ({
    id,
    author,
    from,
    tenant: at === EVERYWHERE ? null : tenant,
  }));
}

function tripsAt(tx: Transaction, tenant: TenantName): Promise<Snapshot['trips'][number][]> {
  const { id, agent, task } = trips;
  return tx
    .select({ id, agent, task })
    .from(trips)
    .where(and(eq(trips.tenant, tenant), eq(trips.to, 'ask'), isNull(trips.endedAt)));
}

async function targetsAt(tx: Transaction, tenant: TenantName): Promise<Snapshot['targets']> {
  const standing = await standingTargets(tx, [tenant]);
  return new Map(standing.map((version) => [version.name, version]));
}

async function keysOf(tx: Transaction, tenant: TenantName): Promise<Snapshot['keys']> {
  const rows = await tx
    .select()
    .from(signingKeys)
    .where(eq(signingKeys.tenant, tenant))
    .orderBy(desc(signingKeys.addedAt), desc(signingKeys.kid));
  return rows.map(({ kid, algorithm, publicJwk, privateJwk }) => ({ tenant, kid, algorithm, publicJwk, privateJwk }));
}
