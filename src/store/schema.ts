/**
 * The tables, as drizzle sees them: `npm run migrations:generate` makes migrations of what changes here. What drizzle
 * cannot say (roles and their grants, row security, triggers) stands in the migrations called walls.
 *
 * A row's fields bear the names of the type in `core/` that it holds. Instants are milliseconds, as they are there.
 * The deployment's own rows, in a table of tenants' rows, bear a tenant that no name can be: see {@link DEPLOYMENT}.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { JsonObject } from '../core/canonical.ts';
import type { WorkTask } from '../core/change.ts';
import type { EntryValue } from '../core/entry.ts';
import type {
  AgentName,
  ApprovalId,
  AssignmentId,
  ChangeId,
  EntryId,
  IssuerName,
  LeaseId,
  OperatorName,
  PersonName,
  RequestId,
  RoleName,
  SituationId,
  TargetName,
  TaskName,
  TenantName,
  VendorName,
  WorkId,
} from '../core/ids.ts';
import type { Death, LeaseState, LeaseTerms, Mark, Outcome, RevocationCause } from '../core/lease.ts';
import type {
  Agent,
  BundleFiles,
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
  TrustedIssuer,
  Widening,
} from '../core/registers.ts';
import type { ProposedAct, ProposalState } from '../core/proposal.ts';
import type { SealedSecret } from '../core/seal.ts';
import type { Instant, Milliseconds, Seconds } from '../core/time.ts';

/** The `tenant` of the deployment's entries, one-use tokens and work. */
export const DEPLOYMENT = '';
/** The `tenant` of an assignment or membership that counts at every tenant. */
export const EVERYWHERE = '*';

const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const at = (column: string) => bigint(column, { mode: 'number' }).$type<Instant>();
const number = (column: string) => bigint(column, { mode: 'number' });
const tenantOf = () => text('tenant').$type<TenantName>().notNull();
const retired = () => boolean('retired').notNull().default(false);
/** The database's clock: see `brevet_now` in `drizzle/0000_clock.sql`. */
const now = sql`brevet_now()`;

export const deployment = pgTable(
  'deployment',
  {
    id: integer('id').primaryKey().default(1),
    epoch: number('epoch').notNull().default(1),
    setUp: text('set_up').$type<'empty' | 'lasts' | 'ended'>().notNull().default('empty'),
    /** Administrators who have called with a token of the OIDC issuer. */
    witnesses: text('witnesses').array().$type<PersonName[]>().notNull().default([]),
    stopped: text('stopped'),
    policy: text('policy').references(() => policies.version),
    /** Where it is active for a time alone. */
    widening: json('widening').$type<Widening>(),
    /** Those that were active before, the last one first. */
    policiesBefore: text('policies_before').array().notNull().default([]),
    /** A known value, sealed: a wrong deployment key cannot open it. */
    keyCheck: text('key_check').$type<SealedSecret>(),
  },
  (table) => [check('deployment_single', sql`${table.id} = 1`)],
);

export const policies = pgTable('policies', {
  version: text('version').primaryKey(),
  files: json('files').$type<BundleFiles>().notNull(),
  functions: json('functions').$type<Readonly<Record<string, string>>>().notNull(),
  addedAt: at('added_at').notNull().default(now),
});

export const tenants = pgTable('tenants', {
  name: text('name').$type<TenantName>().primaryKey(),
  displayName: text('display_name').notNull(),
  context: json('context').$type<TenantContext>().notNull(),
  epoch: number('epoch').notNull().default(1),
  retired: retired(),
});

export const persons = pgTable('persons', {
  name: text('name').$type<PersonName>().primaryKey(),
  displayName: text('display_name').notNull(),
  email: text('email'),
  active: boolean('active').notNull(),
  retired: retired(),
});

export const operators = pgTable(
  'operators',
  {
    name: text('name').$type<OperatorName>().primaryKey(),
    person: text('person')
      .$type<PersonName>()
      .references(() => persons.name),
    issuer: text('issuer'),
    subject: text('subject'),
    active: boolean('active').notNull(),
    retired: retired(),
  },
  (table) => [
    uniqueIndex('operators_subject')
      .on(table.issuer, table.subject)
      .where(sql`not retired`),
  ],
);

export const agents = pgTable('agents', {
  name: text('name').$type<AgentName>().primaryKey(),
  owner: text('owner')
    .$type<PersonName>()
    .notNull()
    .references(() => persons.name),
  deputy: text('deputy')
    .$type<PersonName>()
    .references(() => persons.name),
  formerOwners: json('former_owners').$type<Agent['formerOwners']>().notNull().default([]),
  /** The owner who went. */
  leftBy: text('left_by')
    .$type<PersonName>()
    .references(() => persons.name),
  kind: text('kind').$type<Agent['kind']>().notNull(),
  purpose: text('purpose').notNull(),
  decisions: json('decisions').$type<readonly string[]>().notNull(),
  vendor: text('vendor').notNull(),
  model: text('model').notNull(),
  modelVersion: text('model_version').notNull(),
  autonomy: text('autonomy').$type<Agent['autonomy']>().notNull(),
  data: json('data').$type<readonly DataClass[]>().notNull(),
  active: boolean('active').notNull(),
  retired: retired(),
});

export const issuers = pgTable(
  'issuers',
  {
    name: text('name').$type<IssuerName>().primaryKey(),
    url: text('url').notNull(),
    platform: text('platform').$type<TrustedIssuer['platform']>().notNull(),
    maxAge: number('max_age').$type<Seconds>().notNull(),
    retired: retired(),
  },
  (table) => [
    uniqueIndex('issuers_url')
      .on(table.url)
      .where(sql`not retired`),
  ],
);

export const vendors = pgTable('vendors', {
  name: text('name').$type<VendorName>().primaryKey(),
  trains: boolean('trains').notNull(),
  retentionDays: integer('retention_days').notNull(),
  residency: json('residency').$type<readonly string[]>().notNull(),
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

/** What takes two persons, as one of them proposed it. The database, too, refuses that it is the same one twice. */
export const changes = pgTable(
  'changes',
  {
    tenant: tenantOf(),
    id: text('id').$type<ChangeId>().primaryKey(),
    act: json('act').$type<ProposedAct>().notNull(),
    reason: text('reason').notNull(),
    proposer: text('proposer').$type<PersonName>().notNull(),
    operator: text('operator').$type<OperatorName>().notNull(),
    proposedAt: at('proposed_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    hash: text('hash').notNull(),
    state: text('state').$type<ProposalState>().notNull(),
    confirmer: text('confirmer').$type<PersonName>(),
  },
  (table) => [
    index('changes_of').on(table.tenant, table.id),
    check('changes_take_two', sql`${table.confirmer} <> ${table.proposer}`),
    check('changes_known', sql`${table.state} in ('open', 'owed', 'applied', 'withdrawn')`),
    check('changes_confirmed', sql`(${table.state} = 'applied') = (${table.confirmer} is not null)`),
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
    effect: text('effect').$type<'permit' | 'ask' | 'forbid'>().notNull(),
    decision: json('decision').$type<JsonObject>().notNull(),
    asked: json('asked').$type<JsonObject>().notNull(),
    at: at('at').notNull(),
    policy: text('policy').notNull(),
    lease: text('lease').$type<LeaseId>(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
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
    state: text('state').notNull().default('pending'),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    unique('approvals_request').on(table.tenant, table.request),
    index('approvals_open')
      .on(table.tenant, table.agent, table.expiresAt)
      .where(sql`state = 'pending'`),
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
    /** Those that it was last decided under. */
    tenantEpoch: number('tenant_epoch').notNull().default(0),
    deploymentEpoch: number('deployment_epoch').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('leases_live')
      .on(table.expiresAt)
      .where(sql`state in ('opening', 'active')`),
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
    /** Of a change of registers, whose receipt is the whole of its answer. */
    entry: text('entry').$type<EntryId>(),
    at: at('at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.principal, table.route, table.key] }),
    index('idempotency_at').on(table.at),
  ],
);

/** The outbox. `attempt` is the fence; work that is held is not given to another until `heldUntil`. */
export const work = pgTable(
  'work',
  {
    id: text('id').$type<WorkId>().primaryKey(),
    tenant: tenantOf(),
    what: json('what').$type<WorkTask>().notNull(),
    due: at('due').notNull(),
    attempt: integer('attempt').notNull().default(0),
    heldUntil: at('held_until')
      .notNull()
      .default(0 as Instant),
    enqueuedAt: at('enqueued_at').notNull().default(now),
  },
  (table) => [index('work_due').on(table.due)],
);

export const entries = pgTable(
  'entries',
  {
    tenant: tenantOf(),
    id: text('id').$type<EntryId>().notNull(),
    kind: text('kind').notNull(),
    at: at('at').notNull(),
    request: text('request').$type<RequestId>(),
    lease: text('lease').$type<LeaseId>(),
    text: text('text').notNull(),
    leaf: bytes('leaf').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('entries_request')
      .on(table.tenant, table.request)
      .where(sql`request is not null`),
    index('entries_lease')
      .on(table.tenant, table.lease)
      .where(sql`lease is not null`),
  ],
);

/** What stands beside an entry's leaf: a row for each entry that has any. */
export const entryValues = pgTable(
  'entry_values',
  {
    tenant: tenantOf(),
    entry: text('entry').$type<EntryId>().notNull(),
    values: json('values').$type<readonly EntryValue[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.entry] })],
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

/** That a sweeper is at work, by node. */
export const heartbeats = pgTable('heartbeats', {
  node: text('node').primaryKey(),
  at: at('at').notNull(),
});
