/** What was asked, what came of it, and what is counted of it. */
import { sql } from 'drizzle-orm';
import { index, integer, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { ApprovalState, ApprovalTerms, Rejection, Vote } from '../../core/approval.ts';
import type { JsonObject } from '../../core/canonical.ts';
import type { DoneBefore, Effect } from '../../core/change.ts';
import type {
  AgentName,
  ApprovalId,
  BlockId,
  LeaseId,
  PersonName,
  RequestId,
  RoleName,
  TargetName,
  TaskName,
} from '../../core/ids.ts';
import type {
  Death,
  Declared,
  Idleness,
  LeaseState,
  LeaseTerms,
  Mark,
  Outcome,
  RevocationCause,
} from '../../core/lease.ts';
import type { DataClass, ProviderKind } from '../../core/registers.ts';
import type { SealedSecret } from '../../core/seal.ts';
import type { Milliseconds } from '../../core/time.ts';
import { at, tenantOf, now, number } from './columns.ts';

/** No foreign key from here on: each would lock a row that all writers share. The epochs say that the names are known. */
export const requests = pgTable(
  'requests',
  {
    tenant: tenantOf(),
    id: text('id').$type<RequestId>().notNull(),
    agent: text('agent').$type<AgentName>().notNull(),
    task: text('task').$type<TaskName>().notNull(),
    resource: text('resource').notNull(),
    hash: text('hash').notNull(),
    effect: text('effect').$type<Effect>().notNull(),
    decision: json('decision').$type<JsonObject>().notNull(),
    asked: json('asked').$type<JsonObject>().notNull(),
    at: at('at').notNull(),
    policy: text('policy').notNull(),
    lease: text('lease').$type<LeaseId>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    // How the same went before, for whoever is asked: what asked nobody pays nothing for it.
    index('requests_asked')
      .on(table.tenant, table.task, table.id)
      .where(sql`effect = 'ask'`),
    // What breakers count, over all tenants.
    index('requests_refused')
      .on(table.at)
      .where(sql`effect = 'forbid'`),
  ],
);

export const approvals = pgTable(
  'approvals',
  {
    tenant: tenantOf(),
    id: text('id').$type<ApprovalId>().notNull(),
    request: text('request').$type<RequestId>().notNull(),
    /** Whose request it is. Those from before it was kept are nobody's, and soon over. */
    agent: text('agent')
      .$type<AgentName>()
      .notNull()
      .default('' as AgentName),
    state: text('state').$type<ApprovalState>().notNull().default('pending'),
    expiresAt: at('expires_at').notNull(),
    /** What does not change any more. */
    terms: json('terms').$type<ApprovalTerms>().notNull(),
    version: integer('version').notNull().default(1),
    step: integer('step').notNull().default(0),
    stepEndsAt: at('step_ends_at').notNull(),
    votes: json('votes').$type<readonly Vote[]>().notNull().default([]),
    acceptedAt: at('accepted_at'),
    decidedAt: at('decided_at'),
    redeemBy: at('redeem_by'),
    rejection: json('rejection').$type<Rejection>(),
    lease: text('lease').$type<LeaseId>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    // A narrower answer takes the place of what it narrows.
    uniqueIndex('approvals_request')
      .on(table.tenant, table.request)
      .where(sql`state <> 'superseded'`),
    index('approvals_open')
      .on(table.tenant, table.agent, table.expiresAt)
      .where(sql`state = 'pending'`),
    index('approvals_rejected')
      .on(table.decidedAt)
      .where(sql`state = 'rejected'`),
  ],
);

/** Who is asked what, while it waits for an answer: what a person's own list is read from, however much waits for others. */
export const asks = pgTable(
  'asks',
  {
    person: text('person').$type<PersonName>().notNull(),
    tenant: tenantOf(),
    approval: text('approval').$type<ApprovalId>().notNull(),
    /** When it is over: the first to end stands first in the list. */
    due: at('due').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.person, table.due, table.tenant, table.approval] }),
    index('asks_approval').on(table.tenant, table.approval),
  ],
);

export const leases = pgTable(
  'leases',
  {
    tenant: tenantOf(),
    id: text('id').$type<LeaseId>().notNull(),
    request: text('request').$type<RequestId>().notNull(),
    approval: text('approval').$type<ApprovalId>(),
    agent: text('agent').$type<AgentName>().notNull(),
    owner: text('owner').$type<PersonName>().notNull(),
    role: text('role').$type<RoleName>().notNull(),
    task: text('task').$type<TaskName>().notNull(),
    provider: text('provider').$type<ProviderKind>().notNull(),
    target: text('target').$type<TargetName>().notNull(),
    targetVersion: integer('target_version').notNull(),
    resource: text('resource').notNull(),
    mark: text('mark').$type<Mark>().notNull(),
    openedAt: at('opened_at').notNull(),
    mintDeadline: at('mint_deadline').notNull(),
    expiresAt: at('expires_at').notNull(),
    policy: text('policy').notNull(),
    /** Those from before it was kept count as the most to be feared. */
    tier: integer('tier').notNull().default(3),
    dataClasses: json('data_classes').$type<readonly DataClass[]>().notNull().default([]),
    uses: integer('uses'),
    idle: json('idle').$type<Idleness>(),
    declared: json('declared').$type<Declared>(),
    specification: json('specification').$type<LeaseTerms['specification']>().notNull(),
    state: text('state').$type<LeaseState>().notNull(),
    reference: json('reference').$type<JsonObject>(),
    secret: text('secret').$type<SealedSecret>(),
    activeAt: at('active_at'),
    revokingAt: at('revoking_at'),
    cause: text('cause').$type<RevocationCause>(),
    death: json('death').$type<Death>(),
    exposure: number('exposure').$type<Milliseconds>(),
    outcome: json('outcome').$type<Outcome>(),
    used: integer('used').notNull().default(0),
    usedAt: at('used_at'),
    block: text('block').$type<BlockId>(),
    /** When its use is looked at next; none where it is not seen. */
    lookAt: at('look_at'),
    /** Those that it was last decided under. */
    tenantEpoch: number('tenant_epoch').notNull().default(0),
    deploymentEpoch: number('deployment_epoch').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('leases_live')
      .on(table.expiresAt)
      .where(sql`state in ('opening', 'active')`),
    index('leases_watched')
      .on(table.lookAt)
      .where(sql`state = 'active' and look_at is not null`),
    index('leases_blocked')
      .on(table.block)
      .where(sql`block is not null`),
    index('leases_failed')
      .on(table.revokingAt)
      .where(sql`outcome ->> 'outcome' = 'failed'`),
    index('leases_held')
      .on(table.tenant, table.agent, table.provider)
      .where(sql`state in ('opening', 'active', 'revoking')`),
  ],
);

/** Client assertions that were used. */
export const assertions = pgTable(
  'assertions',
  {
    tenant: tenantOf(),
    client: text('client').notNull(),
    jti: text('jti').notNull(),
    until: at('until').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.client, table.jti] }),
    index('assertions_until').on(table.until),
  ],
);

export const idempotency = pgTable(
  'idempotency',
  {
    tenant: tenantOf(),
    principal: text('principal').notNull(),
    route: text('route').notNull(),
    key: text('key').notNull(),
    digest: text('digest').notNull(),
    request: text('request').$type<RequestId>(),
    /** Of a change of registers. */
    done: json('done').$type<DoneBefore>(),
    at: at('at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.principal, table.route, table.key] }),
    index('idempotency_at').on(table.at),
  ],
);

/** Refusals of one kind beyond the first, counted together. */
export const refusalCounts = pgTable(
  'refusal_counts',
  {
    tenant: tenantOf(),
    agent: text('agent').$type<AgentName>().notNull(),
    task: text('task').notNull(),
    resource: text('resource').notNull(),
    code: text('code').notNull(),
    count: number('count').notNull(),
    lastAt: at('last_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.agent, table.task, table.resource, table.code] })],
);

/**
 * At how many tenants the same is being done. It stands above tenants, so a tenant is named by a keyed hash alone; no
 * row is older than the longest time that a policy looks back.
 */
export const spread = pgTable(
  'spread',
  {
    owner: text('owner').$type<PersonName>().notNull(),
    agent: text('agent').$type<AgentName>().notNull(),
    task: text('task').$type<TaskName>().notNull(),
    place: text('place').notNull(),
    at: at('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.task, table.place, table.agent] }),
    index('spread_agent').on(table.agent, table.task, table.place),
    index('spread_at').on(table.at),
  ],
);
