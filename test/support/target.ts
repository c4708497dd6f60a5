/**
 * A client's own database as Brevet meets it: a table, a group role that may read it, and an admin login with exactly
 * the rights that Brevet asks for.
 */
import { randomBytes } from 'node:crypto';
import { newId } from '../../src/core/ids.ts';
import type { LeaseId } from '../../src/core/ids.ts';
import { markOf } from '../../src/core/lease.ts';
import type { MintOrder, MintTerms, OpenTarget, Provider, Subject } from '../../src/core/provider.ts';
import type { ProviderKind, TargetVersion } from '../../src/core/registers.ts';
import { Secret } from '../../src/core/secret.ts';
import { after, instant, seconds } from '../../src/core/time.ts';
import type { Clock } from '../../src/core/time.ts';
import { SYSTEM_IDENTIFIER, targetGrants } from '../../src/providers/postgres/grants.ts';
import type { Signing } from '../../src/providers/vault/sign-in.ts';
import type { Connection } from '../../src/embedded/connection.ts';
import { targetDatabase, withAdmin } from './postgres.ts';
import type { TargetDatabase } from './postgres.ts';

export const DATABASE = 'tickets';
export const ADMIN = 'brevet_admin';
export const GROUP = 'reporting';
export const CONNECT_ROLE = 'brevet_connect';

export interface ClientDatabase extends TargetDatabase {
  /** What an administrator writes as the target's config. */
  readonly config: {
    readonly nodes: readonly { readonly host: string; readonly port: number; readonly standby?: boolean }[];
    readonly database: string;
    readonly admin: string;
    readonly groups: readonly string[];
    readonly connect_role: string;
    readonly system_identifier: string;
    readonly tls: 'off';
  };
  /** The admin login's password. */
  readonly secret: Secret;
  /** The superuser, in the client's database. */
  readonly superuser: Connection;
}

/**
 * @param settings Postgres settings, such as `max_prepared_transactions`.
 * @param secret the admin login's password: the same as another's, for a server that passes for it.
 */
export async function clientDatabase(
  settings: Record<string, string> = {},
  secret = new Secret(randomBytes(24).toString('base64url')),
): Promise<ClientDatabase> {
  const server = await targetDatabase({ reserved_connections: '4', ...settings });
  const superuser = server.connection(DATABASE);
  await withAdmin(server.admin, async (sql) => {
    await sql.unsafe(`CREATE DATABASE ${DATABASE} STRATEGY wal_log`);
    // Nobody but the superuser has any business in the databases that initdb made.
    await sql.unsafe('REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC');
  });
  const system_identifier = await withAdmin(superuser, async (sql) => {
    for (const statement of clientStatements(secret)) await sql.unsafe(statement);
    const [row] = await sql.unsafe<{ system_identifier: string }[]>(SYSTEM_IDENTIFIER);
    return row?.system_identifier ?? '';
  });
  const node = { host: server.host, port: server.port };
  return {
    ...server,
    config: {
      nodes: [node],
      database: DATABASE,
      admin: ADMIN,
      groups: [GROUP],
      connect_role: CONNECT_ROLE,
      system_identifier,
      tls: 'off',
    },
    secret,
    superuser,
  };
}

/** What the client's administrator does in their database before Brevet comes. */
export function clientStatements(password: Secret): readonly string[] {
  return [
    'CREATE TABLE tickets (id int PRIMARY KEY, subject text NOT NULL, state text NOT NULL)',
    `INSERT INTO tickets VALUES (1, 'Printer on fire', 'open'), (2, 'VPN drops at noon', 'open'), (3, 'New starter', 'closed')`,
    `CREATE ROLE ${GROUP} NOLOGIN`,
    `GRANT SELECT ON tickets TO ${GROUP}`,
    ...targetGrants({ admin: ADMIN, database: DATABASE, groups: [GROUP], connectRole: CONNECT_ROLE }),
    `ALTER ROLE ${ADMIN} PASSWORD '${password.reveal()}'`,
  ];
}

export const EXTERNAL_ID = '0123456789abcdef0123456789abcdef';

/** A target as a provider gets it: parsed, and with its secret opened. */
export function openTargetOf(
  provider: Provider,
  config: unknown,
  of: { readonly kind?: ProviderKind; readonly secret?: Secret | null; readonly version?: number } = {},
): OpenTarget {
  const context = {
    tenant: 'acme' as TargetVersion['tenant'],
    publicUrl: 'https://brevet.example',
    externalId: EXTERNAL_ID,
  };
  const parsed = provider.parse(config, context);
  if (!parsed.ok) throw new Error(`${parsed.error.code}: ${parsed.error.detail}`);
  const version: TargetVersion = {
    tenant: context.tenant,
    name: 'db' as TargetVersion['name'],
    version: of.version ?? 1,
    provider: provider.kind,
    config: parsed.value,
    secret: null,
    jwk: null,
    environment: 'production',
    dataClasses: [],
    mspWide: null,
  };
  return { version, secret: of.secret ?? null };
}

export const processClock: Clock = () => instant(Date.now());
export const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

export function termsOf(template: MintTerms['template'], more: Partial<MintTerms> = {}): MintTerms {
  return {
    tenant: 'acme' as MintTerms['tenant'],
    agent: 'report-bot' as MintTerms['agent'],
    task: 'database.report' as MintTerms['task'],
    request: newId('req', processClock(), random),
    resource: 'db/tickets',
    parameters: { table: 'tickets' },
    template,
    ttl: seconds(300),
    uses: 1,
    ...more,
  };
}

/** An order for a new lease, as `issue` makes it. */
export function orderFor(
  provider: Provider,
  target: OpenTarget,
  terms: MintTerms,
  more: Partial<MintOrder> = {},
): MintOrder {
  const specified = provider.specify(terms, target.version);
  if (!specified.ok) throw new Error(`${specified.error.code}: ${specified.error.detail}`);
  const now = processClock();
  const lease: LeaseId = newId('lse', now, random);
  return {
    lease,
    mark: markOf(lease),
    specification: specified.value,
    issuedAt: now,
    expiresAt: after(now, terms.ttl),
    deadline: after(now, seconds(10)),
    ...more,
  };
}

/** What is known of an order's credential: nothing but its mark, where the mint's outcome was lost. */
export const subjectOf = (order: MintOrder, known: Partial<Pick<Subject, 'reference' | 'secret'>> = {}): Subject => ({
  lease: order.lease,
  mark: order.mark,
  reference: known.reference ?? null,
  secret: known.secret ?? null,
  expiresAt: order.expiresAt,
  specification: order.specification,
});

/** For what never signs. */
export const unsigning: Signing = {
  signer: { sign: () => Promise.reject(new Error('nothing is signed here')), keys: () => Promise.resolve([]) },
  publicUrl: 'https://brevet.example',
};
