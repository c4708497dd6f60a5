/** What a tenant is and has: context, agents, who holds what there, targets, keys. */
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
} from 'drizzle-orm/pg-core';
import type { BlockScope } from '../../core/block.ts';
import type { JsonObject } from '../../core/canonical.ts';
import type {
  AgentName,
  AssignmentId,
  BlockId,
  IssuerName,
  PersonName,
  RoleName,
  SituationId,
  TargetName,
  TaskName,
  TenantName,
} from '../../core/ids.ts';
import type {
  DataClass,
  Enrolment,
  Holder,
  MspWide,
  ProviderKind,
  PublicJwk,
  RoleFunction,
  SigningKey,
  SituationKind,
  TenantContext,
} from '../../core/registers.ts';
import type { SealedSecret } from '../../core/seal.ts';
import type { Seconds } from '../../core/time.ts';
import { at, number, tenantOf, retired, now } from './columns.ts';
import { agents, issuers, persons } from './deployment.ts';

export const tenants = pgTable('tenants', {
  name: text('name').$type<TenantName>().primaryKey(),
  displayName: text('display_name').notNull(),
  context: json('context').$type<TenantContext>().notNull(),
  epoch: number('epoch').notNull().default(1),
  retired: retired(),
});

/** What changes by the hour at a tenant. What has ended stays until another is set. */
export const situations = pgTable(
  'situations',
  {
    tenant: tenantOf().references(() => tenants.name),
    id: text('id').$type<SituationId>().notNull(),
    kind: text('kind').$type<SituationKind>().notNull(),
    resource: text('resource'),
    from: at('from').notNull(),
    until: at('until').notNull(),
    askWithin: number('ask_within').$type<Seconds>(),
    author: text('author').$type<PersonName>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    check('situations_end', sql`${table.from} < ${table.until}`),
  ],
);

/** Task classes of which nobody could be told in time, until somebody can be. */
export const lateNotices = pgTable(
  'late_notices',
  {
    tenant: tenantOf().references(() => tenants.name),
    task: text('task').$type<TaskName>().notNull(),
    since: at('since').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task] })],
);

/** A kill switch, as it stands at one tenant. The same id stands at each that it reaches. */
export const blocks = pgTable(
  'blocks',
  {
    tenant: tenantOf().references(() => tenants.name),
    id: text('id').$type<BlockId>().notNull(),
    scope: text('scope').$type<BlockScope>().notNull(),
    name: text('name').notNull(),
    author: text('author').$type<PersonName>().notNull(),
    from: at('from').notNull(),
    until: at('until'),
    reason: text('reason').notNull(),
    agents: json('agents').$type<readonly AgentName[]>().notNull().default([]),
    /** It rehearses, at a sandbox. */
    drill: boolean('drill').notNull().default(false),
    /** What whole targets gave before ends too, whoever made it. */
    deniesRoles: boolean('denies_roles').notNull().default(false),
    reportedAt: at('reported_at'),
    liftedAt: at('lifted_at'),
    liftedBy: text('lifted_by').$type<PersonName>(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
);

export const enrolments = pgTable(
  'enrolments',
  {
    tenant: tenantOf().references(() => tenants.name),
    agent: text('agent')
      .$type<AgentName>()
      .notNull()
      .references(() => agents.name),
    proof: json('proof').$type<Enrolment['proof']>().notNull(),
    /** Of the key, where there is one; and the issuer of the binding, where there is one. */
    thumbprint: text('thumbprint'),
    issuer: text('issuer')
      .$type<IssuerName>()
      .references(() => issuers.name),
    exception: json('exception').$type<Enrolment['exception']>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.agent] }),
    unique('enrolments_key_of_one').on(table.tenant, table.thumbprint),
    index('enrolments_thumbprint').on(table.thumbprint),
    index('enrolments_issuer').on(table.issuer),
  ],
);

/** It ends with the enrolment, wherever that is ended from. */
export const acceptances = pgTable(
  'acceptances',
  {
    tenant: tenantOf(),
    agent: text('agent').$type<AgentName>().notNull(),
    model: text('model').notNull(),
    modelVersion: text('model_version').notNull(),
    tasks: text('tasks').array().$type<TaskName[]>().notNull(),
    reason: text('reason').notNull(),
    authors: text('authors').array().$type<PersonName[]>().notNull(),
    inSetup: boolean('in_setup').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.agent] }),
    foreignKey({
      name: 'acceptances_enrolled',
      columns: [table.tenant, table.agent],
      foreignColumns: [enrolments.tenant, enrolments.agent],
    }).onDelete('cascade'),
    check('acceptances_two', sql`${table.inSetup} or coalesce(${table.authors}[1] <> ${table.authors}[2], false)`),
  ],
);

/** The one function that a holder's assignments give at a tenant: the database refuses a second by this key. */
export const memberships = pgTable(
  'memberships',
  {
    tenant: text('tenant').notNull(),
    holderKind: text('holder_kind').$type<Holder['kind']>().notNull(),
    holder: text('holder').notNull(),
    function: text('function').$type<RoleFunction>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.holderKind, table.holder] }),
    unique('memberships_function').on(table.tenant, table.holderKind, table.holder, table.function),
    index('memberships_holder').on(table.holderKind, table.holder),
    check('memberships_kind', sql`${table.holderKind} in ('person', 'agent')`),
    check('memberships_known', sql`${table.function} in ('approval', 'execution', 'oversight', 'administration')`),
    check('memberships_agent_executes', sql`${table.holderKind} <> 'agent' or ${table.function} = 'execution'`),
    check('memberships_everywhere', sql`${table.tenant} <> '*' or ${table.function} = 'administration'`),
  ],
);

export const assignments = pgTable(
  'assignments',
  {
    id: text('id').$type<AssignmentId>().primaryKey(),
    tenant: text('tenant').notNull(),
    holderKind: text('holder_kind').$type<Holder['kind']>().notNull(),
    holder: text('holder').notNull(),
    role: text('role').$type<RoleName>().notNull(),
    function: text('function').$type<RoleFunction>().notNull(),
    until: at('until'),
    reviewer: text('reviewer')
      .$type<PersonName>()
      .references(() => persons.name),
  },
  (table) => [
    foreignKey({
      name: 'assignments_one_function',
      columns: [table.tenant, table.holderKind, table.holder, table.function],
      foreignColumns: [memberships.tenant, memberships.holderKind, memberships.holder, memberships.function],
    }),
    unique('assignments_once').on(table.tenant, table.holderKind, table.holder, table.role),
    index('assignments_role').on(table.role),
  ],
);

/** An audience belongs to one tenant. */
export const targetAudiences = pgTable(
  'target_audiences',
  {
    audience: text('audience').primaryKey(),
    tenant: tenantOf().references(() => tenants.name),
  },
  (table) => [unique('target_audiences_tenant').on(table.audience, table.tenant)],
);

/** The name of a target, and its current version. */
export const targets = pgTable(
  'targets',
  {
    tenant: tenantOf().references(() => tenants.name),
    name: text('name').$type<TargetName>().notNull(),
    version: integer('version').notNull(),
    audience: text('audience'),
    /** A keyed hash of its secret, by which the same one is known at another target. */
    secretHash: text('secret_hash'),
    retired: retired(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.name] }),
    index('targets_secret_hash')
      .on(table.secretHash)
      .where(sql`secret_hash is not null`),
    foreignKey({
      name: 'targets_audience',
      columns: [table.audience, table.tenant],
      foreignColumns: [targetAudiences.audience, targetAudiences.tenant],
    }),
  ],
);

export const targetVersions = pgTable(
  'target_versions',
  {
    tenant: tenantOf(),
    name: text('name').$type<TargetName>().notNull(),
    version: integer('version').notNull(),
    provider: text('provider').$type<ProviderKind>().notNull(),
    config: json('config').$type<JsonObject>().notNull(),
    secret: text('secret').$type<SealedSecret>(),
    jwk: json('jwk').$type<PublicJwk>(),
    environment: text('environment').notNull(),
    dataClasses: json('data_classes').$type<readonly DataClass[]>().notNull(),
    mspWide: json('msp_wide').$type<MspWide>(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.name, table.version] }),
    foreignKey({ columns: [table.tenant, table.name], foreignColumns: [targets.tenant, targets.name] }),
  ],
);

export const signingKeys = pgTable(
  'signing_keys',
  {
    tenant: tenantOf().references(() => tenants.name),
    kid: text('kid').notNull(),
    algorithm: text('algorithm').$type<SigningKey['algorithm']>().notNull(),
    publicJwk: json('public_jwk').$type<PublicJwk>().notNull(),
    privateJwk: text('private_jwk').$type<SealedSecret>().notNull(),
    addedAt: at('added_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.kid] })],
);
