/**
 * Everything that is read and not kept. Each query names its tenant; those over tenants go by the listing role, which
 * sees no secret.
 */
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNull,
  lt,
  lte,
  ne,
  or,
  sql,
  notInArray,
} from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { LeaseFilter } from '../core/change.ts';
import type { JsonObject } from '../core/canonical.ts';
import { toHex } from '../core/digest.ts';
import { ENTRY_KINDS } from '../core/entry.ts';
import type { EntryKind, EntryValue } from '../core/entry.ts';
import type { RoleName, TargetName, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Epochs } from '../core/snapshot.ts';
import type { KeptEntry, KeptRequest } from '../core/store/requests.ts';
import type { LeaseQuery } from '../core/store/leases.ts';
import type { Store } from '../core/store.ts';
import { approvalOf } from './approvals.ts';
import { withoutSecret } from './lease-columns.ts';
import type { Link, Transaction } from './link.ts';
import { ROLES } from './roles.ts';
import { agents, deployment, policies } from './schema/deployment.ts';
import { entries, entryValues } from './schema/ledger.ts';
import { approvals, leases, requests } from './schema/requests.ts';
import { assignments, targetVersions, tenants } from './schema/tenants.ts';
import { assignmentOf, columnsOf, contextIn } from './snapshot.ts';
import { standingTargets } from './targets.ts';

type Reads = Pick<
  Store,
  | 'deploymentEpoch'
  | 'bundle'
  | 'tenants'
  | 'agents'
  | 'assignment'
  | 'overseenBy'
  | 'leases'
  | 'request'
  | 'requests'
  | 'requestWithin'
  | 'target'
  | 'targetsAt'
  | 'newestTarget'
  | 'entries'
  | 'evidence'
  | 'overdue'
  | 'live'
>;

/** A bundle never changes under its version, and one is active at a time, while leases rest on older ones. */
const BUNDLES_KEPT = 4;
/** A version of a target never changes either, and every mint, kill and look needs one; its secret stays sealed. */
const TARGETS_KEPT = 1_000;

const LIVE = ['opening', 'active'] as const;

export function createReads(link: Link): Reads {
  const at = <T>(tenant: TenantName, read: (tx: Transaction) => Promise<T>) =>
    link.transaction({ role: ROLES.serve, tenants: [tenant] }, read);
  const above = <T>(read: (tx: Transaction) => Promise<T>) =>
    link.transaction({ role: ROLES.serve, tenants: [] }, read);
  const across = <T>(read: (tx: Transaction) => Promise<T>) =>
    link.transaction({ role: ROLES.list, tenants: [] }, read);
  const working = <T>(read: (tx: Transaction) => Promise<T>) =>
    link.transaction({ role: ROLES.work, tenants: [] }, read);
  return {
    deploymentEpoch: () =>
      above(async (tx) => {
        const [row] = await tx.select({ epoch: deployment.epoch }).from(deployment);
        if (row === undefined) throw new Error('the deployment has no row: it was not migrated');
        return row.epoch;
      }),
    bundle: keepingFew(BUNDLES_KEPT, (version: string) =>
      above(async (tx) => {
        const [row] = await tx.select({ files: policies.files }).from(policies).where(eq(policies.version, version));
        return row?.files ?? null;
      }),
    ),
    tenants: () =>
      across(async (tx) => {
        const rows = await tx
          .select({ name: tenants.name, displayName: tenants.displayName, context: tenants.context })
          .from(tenants)
          .where(eq(tenants.retired, false))
          .orderBy(asc(tenants.name));
        return rows.map(({ context, ...row }) => ({ ...row, context: contextIn(context) }));
      }),
    agents: () =>
      above((tx) =>
        tx.select(columnsOf(agents)).from(agents).where(eq(agents.retired, false)).orderBy(asc(agents.name)),
      ),
    assignment: (id) =>
      across(async (tx) => {
        const [row] = await tx.select().from(assignments).where(eq(assignments.id, id));
        return row === undefined ? null : assignmentOf(row);
      }),
    overseenBy: (person, except = NONE) =>
      across(async (tx) => {
        const rows = await tx
          .selectDistinct({ tenant: assignments.tenant })
          .from(assignments)
          .innerJoin(tenants, eq(tenants.name, sql`${assignments.tenant}`))
          .where(
            and(
              eq(assignments.holderKind, 'person'),
              eq(assignments.holder, person),
              eq(assignments.function, 'oversight'),
              except.size === 0 ? undefined : notInArray(assignments.role, [...except]),
              or(isNull(assignments.until), gt(assignments.until, sql`brevet_now()`)),
              eq(tenants.retired, false),
            ),
          )
          .orderBy(asc(assignments.tenant));
        return rows.map(({ tenant }) => tenant as TenantName);
      }),
    leases: (query, within) => {
      const { tenant } = query;
      if (isOutside(tenant, within)) return Promise.resolve([]);
      if (tenant !== null) return at(tenant, (tx) => newestLeases(tx, tenant, query, getTableColumns(leases)));
      return across((tx) => overTenants(tx, within, query.limit, (one) => newestLeases(tx, one, query, withoutSecret)));
    },
    request: (tenant, id) =>
      at(tenant, async (tx) => (await requestsIn(tx, tenant, eq(requests.id, id), 1))[0] ?? null),
    requestWithin: async (id, within) => {
      const which = eq(requests.id, id);
      const [found] = await across((tx) => overTenants(tx, within, 1, (one) => requestsIn(tx, one, which, 1)));
      return found ?? null;
    },
    requests: ({ tenant, agent, effect, before, limit }, within) => {
      if (isOutside(tenant, within)) return Promise.resolve([]);
      const which = and(
        before === null ? undefined : lt(requests.id, before as KeptRequest['id']),
        agent === null ? undefined : eq(requests.agent, agent),
        effect === null ? undefined : eq(requests.effect, effect),
      );
      if (tenant !== null) return at(tenant, (tx) => requestsIn(tx, tenant, which, limit));
      return across((tx) => overTenants(tx, within, limit, (one) => requestsIn(tx, one, which, limit)));
    },
    target: keepingFew(TARGETS_KEPT, (tenant: TenantName, name: TargetName, version: number) =>
      at(tenant, async (tx) => {
        const which = and(
          eq(targetVersions.tenant, tenant),
          eq(targetVersions.name, name),
          eq(targetVersions.version, version),
        );
        const [row] = await tx.select().from(targetVersions).where(which);
        return row ?? null;
      }),
    ),
    targetsAt: (names) => link.transaction({ role: ROLES.serve, tenants: names }, (tx) => standingTargets(tx, names)),
    newestTarget: (tenant, name) =>
      at(tenant, async (tx) => {
        const which = and(eq(targetVersions.tenant, tenant), eq(targetVersions.name, name));
        const newest = tx.select().from(targetVersions).where(which).orderBy(desc(targetVersions.version));
        return (await newest.limit(1))[0] ?? null;
      }),
    entries: (tenant, of) => at(tenant, (tx) => entriesOf(tx, tenant, of)),
    evidence: (tenant, request) =>
      at(tenant, async (tx) => {
        const rows = await tx
          .select({ entry: entries, values: entryValues.values })
          .from(entries)
          .leftJoin(entryValues, and(eq(entryValues.tenant, entries.tenant), eq(entryValues.entry, entries.id)))
          .where(and(eq(entries.tenant, tenant), eq(entries.request, request)))
          .orderBy(asc(entries.at), asc(entries.id));
        return rows.map(({ entry: { id, kind, text, leaf }, values }) => ({
          id,
          kind: kind as EntryKind,
          text,
          leaf: toHex(leaf),
          values: values ?? [],
        }));
      }),
    overdue: (now, limit) =>
      working((tx) =>
        tx
          .select({ tenant: leases.tenant, lease: leases.id })
          .from(leases)
          // An opening one is the reconciler's: while its target is dead it would stand before those that can be ended.
          .where(and(eq(leases.state, 'active'), lte(leases.expiresAt, now)))
          .orderBy(asc(leases.expiresAt))
          .limit(limit),
      ),
    live: (over, since, limit, after = null) =>
      working((tx) =>
        tx
          .select({ tenant: leases.tenant, lease: leases.id })
          .from(leases)
          .where(and(inArray(leases.state, LIVE), narrowed(over), decidedBefore(since), beyond(after)))
          .orderBy(asc(leases.id))
          .limit(limit),
      ),
  };
}

const NONE: ReadonlySet<RoleName> = new Set();

/** For what never changes: what was found once is not read again, until others take its place. */
function keepingFew<Key extends readonly (string | number)[], T>(
  most: number,
  read: (...key: Key) => Promise<T | null>,
): (...key: Key) => Promise<T | null> {
  const kept = new Map<string, T>();
  return async (...asked) => {
    const key = JSON.stringify(asked);
    const before = kept.get(key);
    if (before !== undefined) return before;
    const value = await read(...asked);
    if (value !== null) kept.set(key, value);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return value;
  };
}

function narrowed({ tenant, agent, owner, target, role }: LeaseFilter): SQL | undefined {
  return and(
    tenant === null ? undefined : eq(leases.tenant, tenant),
    agent === null ? undefined : eq(leases.agent, agent),
    owner === null ? undefined : eq(leases.owner, owner),
    target === null ? undefined : eq(leases.target, target),
    role === null ? undefined : eq(leases.role, role as Lease['role']),
  );
}

export const decidedBefore = ({ tenant, deployment: above }: Partial<Epochs>): SQL | undefined =>
  and(
    tenant === undefined ? undefined : lt(leases.tenantEpoch, tenant),
    above === undefined ? undefined : lt(leases.deploymentEpoch, above),
  );

const beyond = (lease: Lease['id'] | null): SQL | undefined => (lease === null ? undefined : gt(leases.id, lease));

function newestLeases(
  tx: Transaction,
  tenant: TenantName,
  { before, limit, states, task = null, ...filter }: LeaseQuery,
  columns: ReturnType<typeof getTableColumns<typeof leases>> | typeof withoutSecret,
): Promise<Lease[]> {
  const which = and(
    eq(leases.tenant, tenant),
    before === null ? undefined : lt(leases.id, before as Lease['id']),
    states === null ? undefined : inArray(leases.state, [...states]),
    task === null ? undefined : eq(leases.task, task),
    narrowed({ ...filter, tenant: null }),
  );
  return tx.select(columns).from(leases).where(which).orderBy(desc(leases.id)).limit(limit);
}

/** A list narrowed to some tenants stays so when one of the others is named. */
const isOutside = (tenant: TenantName | null, within: readonly TenantName[] | null): boolean =>
  tenant !== null && within !== null && !within.includes(tenant);

/** The newest of each tenant by its own index, then the newest of those: no list walks the rows of all. */
async function overTenants<T extends { readonly id: string }>(
  tx: Transaction,
  within: readonly TenantName[] | null,
  limit: number,
  newest: (tenant: TenantName) => Promise<readonly T[]>,
): Promise<T[]> {
  const names = within ?? (await tx.select({ name: tenants.name }).from(tenants)).map(({ name }) => name);
  const found = await Promise.all(names.map(newest));
  return found
    .flat()
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit);
}

async function requestsIn(
  tx: Transaction,
  tenant: TenantName,
  which: SQL | undefined,
  limit: number,
): Promise<KeptRequest[]> {
  const rows = await tx
    .select({ request: requests, approval: approvals })
    .from(requests)
    .leftJoin(
      approvals,
      and(
        eq(approvals.tenant, requests.tenant),
        eq(approvals.request, requests.id),
        // Superseded by a narrower one, which stands in its place.
        ne(approvals.state, 'superseded'),
      ),
    )
    .where(and(eq(requests.tenant, tenant), which))
    .orderBy(desc(requests.id))
    .limit(limit);
  return rows.map(({ request, approval }) => ({
    ...request,
    approval: approval && approvalOf(approval),
  }));
}

async function entriesOf(
  tx: Transaction,
  tenant: TenantName,
  of: Parameters<Store['entries']>[1],
): Promise<KeptEntry[]> {
  const about = 'request' in of ? eq(entries.request, of.request) : await aboutLease(tx, tenant, of.lease);
  const rows = await tx
    .select({ entry: entries, values: entryValues.values })
    .from(entries)
    .leftJoin(entryValues, and(eq(entryValues.tenant, entries.tenant), eq(entryValues.entry, entries.id)))
    .where(and(eq(entries.tenant, tenant), about));
  return rows
    .toSorted((a, b) => a.entry.at - b.entry.at || stepOf(a.entry.kind) - stepOf(b.entry.kind))
    .map(({ entry: { id, kind, at, text, leaf }, values }) => ({
      id,
      kind,
      at,
      text,
      leaf: toHex(leaf),
      said: partOf(values ?? [], 'said'),
      seen: partOf(values ?? [], 'seen'),
    }));
}

/** Ids of one millisecond stand in no order, and the kinds are named in the order of a request's life. */
const stepOf = (kind: string): number => ENTRY_KINDS.findIndex((known) => known === kind);

/** Its own entries, and those of the request that it came from. */
async function aboutLease(tx: Transaction, tenant: TenantName, id: Lease['id']): Promise<SQL | undefined> {
  const [lease] = await tx
    .select({ request: leases.request })
    .from(leases)
    .where(and(eq(leases.tenant, tenant), eq(leases.id, id)));
  return or(eq(entries.lease, id), lease === undefined ? undefined : eq(entries.request, lease.request));
}

function partOf(values: readonly EntryValue[], part: EntryValue['part']): JsonObject {
  return Object.fromEntries(values.filter((value) => value.part === part).map(({ name, value }) => [name, value]));
}
