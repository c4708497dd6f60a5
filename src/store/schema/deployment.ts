/** What stands above tenants: the deployment itself, its policy, people, their ways in, agents, and what takes two. */
import { sql } from 'drizzle-orm';
import { boolean, check, index, integer, json, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type {
  AgentName,
  ChangeId,
  IssuerName,
  OperatorName,
  PersonName,
  RoleName,
  VendorName,
} from '../../core/ids.ts';
import type { ProposedAct, ProposalState } from '../../core/proposal.ts';
import type { Agent, BundleFiles, DataClass, TrustedIssuer, Widening } from '../../core/registers.ts';
import type { SealedSecret } from '../../core/seal.ts';
import type { Seconds } from '../../core/time.ts';
import { at, number, tenantOf, retired, now } from './columns.ts';

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
  /** Those of its roles that read alone. */
  reading: text('reading').array().$type<RoleName[]>().notNull().default([]),
  addedAt: at('added_at').notNull().default(now),
});

export const persons = pgTable('persons', {
  name: text('name').$type<PersonName>().primaryKey(),
  displayName: text('display_name').notNull(),
  email: text('email'),
  active: boolean('active').notNull(),
  retired: retired(),
});

/** When people are away. One that has ended stays until another is said. */
export const absences = pgTable(
  'absences',
  {
    person: text('person')
      .$type<PersonName>()
      .primaryKey()
      .references(() => persons.name),
    from: at('from').notNull(),
    until: at('until').notNull(),
    by: text('by').$type<PersonName>().notNull(),
  },
  (table) => [check('absences_end', sql`${table.from} < ${table.until}`)],
);

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
