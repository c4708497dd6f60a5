/**
 * What is wrong with a target before first use: rights, groups, slots, standbys. Every finding at once.
 */
import { between } from '../../core/time.ts';
import type { Clock, Milliseconds } from '../../core/time.ts';
import { instant } from '../../core/time.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Finding, OpenTarget } from '../../core/provider.ts';
import { nodeName } from './config.ts';
import type { PostgresConfig } from './config.ts';
import { FOLLOWERS } from './followers.ts';
import { perform } from './lane.ts';
import type { Lane } from './lane.ts';
import { openSite } from './site.ts';
import { SYSTEM_IDENTIFIER } from './grants.ts';

const OLDEST_VERSION = 160_000;
/** Kept, minting, aside, and one of a second node of Brevet's while it takes over. */
const RESERVED_WANTED = 4;
/** A clock that is further off makes times in the target's own log misleading. */
const CLOCK_OFF_MS = 60_000;
const PGJDBC_ROUNDS = 4096;

/** What a node says of itself, of the admin login and of the groups. */
interface Report {
  readonly server: string;
  readonly version: number;
  readonly standby: boolean;
  readonly following: boolean;
  readonly followers: number;
  readonly now_ms: number;
  readonly admin: {
    readonly superuser: boolean;
    readonly createrole: boolean;
    readonly signals: boolean;
    readonly reserved: boolean;
    readonly bypassrls: boolean;
  };
  readonly groups: readonly Group[];
  readonly prepared: number;
  readonly max_connections: number;
  readonly reserved_connections: number;
  readonly free: number;
  readonly password_encryption: string;
  readonly public_connect: readonly string[];
  readonly public_create: readonly string[];
}

interface Group {
  readonly name: string;
  readonly exists: boolean;
  readonly login: boolean;
  readonly powerful: boolean;
  readonly admin: boolean;
  readonly inherit: boolean;
  readonly set: boolean;
  readonly creates: readonly string[];
  readonly memberships: readonly string[];
  readonly connects: boolean;
}

/** Over connections of its own, which end with it. */
export async function checkSite(target: OpenTarget, clock: Clock, patience: Milliseconds): Promise<readonly Finding[]> {
  const site = openSite(target, patience);
  try {
    const nodes = await Promise.all(site.kept.map((lane) => reportOf(lane, site.config)));
    const reports = nodes.flatMap(({ node, report }) => (typeof report === 'string' ? [] : [{ node, ...report }]));
    const silent = nodes.flatMap(({ report }) =>
      typeof report === 'string' ? [refuse(report, 'See that Brevet reaches every node, and may log in there.')] : [],
    );
    const primary = reports.find(({ standby }) => !standby);
    return [
      ...silent,
      ...reports.flatMap((report) => nodeFindings(report, site.config, clock)),
      ...topologyFindings(reports),
      ...(primary === undefined ? [] : primaryFindings(primary, site.config)),
    ];
  } finally {
    await site.close();
  }
}

type NodeReport = Report & { readonly node: string };

const refuse = (what: string, remedy: string): Finding => ({ level: 'refuse', what, remedy });
const warn = (what: string, remedy: string): Finding => ({ level: 'warn', what, remedy });
const when = (holds: boolean, finding: Finding): readonly Finding[] => (holds ? [finding] : []);

async function reportOf(lane: Lane, config: PostgresConfig) {
  const node = nodeName(lane.node);
  const groups = [...config.groups, ...(config.connect_role === undefined ? [] : [config.connect_role])];
  try {
    return { node, report: await perform<Report>(lane, REPORT, { groups }) };
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return { node, report: fault.message };
    throw fault;
  }
}

function nodeFindings(report: NodeReport, config: PostgresConfig, clock: Clock): readonly Finding[] {
  const { node, version, server } = report;
  return [
    ...when(version < OLDEST_VERSION, refuse(`${node} is older than Postgres 16`, 'Upgrade it.')),
    ...when(
      server !== config.system_identifier,
      refuse(`${node} is the server ${server}, not ${config.system_identifier}`, `Run there: ${SYSTEM_IDENTIFIER}`),
    ),
    ...when(
      Math.abs(between(instant(report.now_ms), clock())) > CLOCK_OFF_MS,
      warn(`the clock of ${node} is more than a minute off`, 'Let it keep time.'),
    ),
    ...when(
      report.reserved_connections < RESERVED_WANTED,
      warn(
        `${node} reserves ${report.reserved_connections} connections: logins could fill its slots before Brevet connects`,
        `Set reserved_connections = ${RESERVED_WANTED}.`,
      ),
    ),
  ];
}

function topologyFindings(reports: readonly NodeReport[]): readonly Finding[] {
  const followers = reports.reduce((sum, report) => sum + report.followers, 0);
  const following = reports.filter(({ following }) => following).length;
  const primaries = reports.filter(({ standby }) => !standby).map(({ node }) => node);
  return [
    ...when(primaries.length !== 1, refuse(`${primaries.length} of the named nodes take writes`, 'Name one cluster.')),
    ...when(
      followers > following,
      warn(
        `${followers - following} of the nodes that follow are not named: a session there would live on unseen`,
        'Name every standby, or each death ends as unverifiable.',
      ),
    ),
  ];
}

function primaryFindings(report: NodeReport, config: PostgresConfig): readonly Finding[] {
  return [
    ...adminFindings(report, config),
    ...report.groups.flatMap((group) => groupFindings(group, config)),
    ...slotFindings(report, config),
    ...when(
      report.prepared > 0,
      warn(
        'transactions can be prepared here, and outlive their login',
        'Set max_prepared_transactions = 0. Else Brevet rolls back whatever a group prepared while a login of it lived.',
      ),
    ),
    ...when(
      report.public_connect.length > 0,
      warn(
        `every login gets into the databases ${report.public_connect.join(', ')}`,
        'REVOKE CONNECT ON DATABASE … FROM PUBLIC, and name a connect_role.',
      ),
    ),
    ...when(
      report.public_create.length > 0,
      refuse(
        `every login can make objects in the schemas ${report.public_create.join(', ')}`,
        'REVOKE CREATE ON SCHEMA … FROM PUBLIC.',
      ),
    ),
    ...when(
      report.password_encryption !== 'scram-sha-256',
      warn(`passwords are kept as ${report.password_encryption}`, 'Set password_encryption = scram-sha-256.'),
    ),
    ...when(
      config.scram_rounds < PGJDBC_ROUNDS,
      warn(`pgjdbc refuses fewer than ${PGJDBC_ROUNDS} rounds`, 'Leave scram_rounds out where agents use it.'),
    ),
  ];
}

function adminFindings({ admin }: Report, { admin: name }: PostgresConfig): readonly Finding[] {
  return [
    ...when(admin.superuser, refuse(`${name} is a superuser: its password would be everything`, 'Make another login.')),
    ...when(admin.bypassrls, refuse(`${name} passes row-level security`, `ALTER ROLE ${name} NOBYPASSRLS.`)),
    ...when(!admin.createrole, refuse(`${name} cannot make logins`, `ALTER ROLE ${name} CREATEROLE.`)),
    ...when(!admin.signals, refuse(`${name} cannot end sessions`, `GRANT pg_signal_backend TO ${name}.`)),
    ...when(
      !admin.reserved,
      warn(`${name} cannot use reserved connections`, `GRANT pg_use_reserved_connections TO ${name}.`),
    ),
  ];
}

function groupFindings(group: Group, config: PostgresConfig): readonly Finding[] {
  const { name } = group;
  if (!group.exists) return [refuse(`there is no role ${name}`, `CREATE ROLE ${name} NOLOGIN, with its rights.`)];
  const isDoor = name === config.connect_role;
  return [
    ...when(group.login, refuse(`${name} can log in itself`, `ALTER ROLE ${name} NOLOGIN.`)),
    ...when(
      group.powerful || group.memberships.length > 0,
      refuse(
        `${name} has rights over the server${group.memberships.map((held) => `, ${held}`).join('')}`,
        'Give a group the rights of its task class alone.',
      ),
    ),
    ...when(
      !group.admin,
      refuse(`${config.admin} cannot give ${name}`, `GRANT ${name} TO ${config.admin} WITH ADMIN OPTION.`),
    ),
    ...when(
      group.inherit || group.set,
      warn(`${config.admin} can itself use ${name}`, 'Grant it WITH INHERIT FALSE, SET FALSE.'),
    ),
    ...when(
      group.creates.length > 0,
      warn(
        `${name} can make objects in ${group.creates.join(', ')}, and with them code that outlives its login`,
        'REVOKE CREATE; where the task class needs it, a death with such code left ends as unverifiable.',
      ),
    ),
    ...when(isDoor && !group.connects, refuse(`${name} lacks CONNECT`, `GRANT CONNECT ON DATABASE … TO ${name}.`)),
  ];
}

function slotFindings(report: Report, { connection_limit }: PostgresConfig): readonly Finding[] {
  const logins = Math.floor(report.free / connection_limit);
  return when(
    logins < 1,
    refuse(
      `${report.free} of ${report.max_connections} connection slots are free, and one login may take ${connection_limit}`,
      'Raise max_connections or lower connection_limit.',
    ),
  );
}

/** A group's powers through others: any predefined role, or one with an attribute, which `SET ROLE` reaches. */
const REPORT = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  PERFORM set_config('brevet.outcome', jsonb_build_object(
    'server', (SELECT system_identifier::text FROM pg_control_system()),
    'version', current_setting('server_version_num')::int,
    'standby', pg_is_in_recovery(),
    'following', EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL),
    'followers', ${FOLLOWERS},
    'now_ms', (extract(epoch FROM clock_timestamp()) * 1000)::float8,
    'admin', (SELECT jsonb_build_object('superuser', rolsuper, 'createrole', rolcreaterole, 'bypassrls', rolbypassrls,
      'signals', pg_has_role('pg_signal_backend', 'USAGE'), 'reserved', pg_has_role('pg_use_reserved_connections', 'USAGE'))
      FROM pg_roles WHERE rolname = current_user),
    'groups', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', g, 'exists', r.oid IS NOT NULL, 'login', r.rolcanlogin,
        'powerful', r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
        'admin', coalesce(m.admin, false), 'inherit', coalesce(m.inherit, false), 'set', coalesce(m.set, false),
        'creates', CASE WHEN r.oid IS NULL THEN '[]' ELSE (
          SELECT coalesce(jsonb_agg(nspname), '[]') FROM pg_namespace
          WHERE has_schema_privilege(r.oid, oid, 'CREATE') AND nspname !~ '^pg_(temp|toast)')
          || CASE WHEN has_database_privilege(r.oid, current_database(), 'CREATE')
            THEN jsonb_build_array(current_database()) ELSE '[]' END END,
        'memberships', (SELECT coalesce(jsonb_agg(p.rolname), '[]') FROM pg_roles p
          WHERE r.oid IS NOT NULL AND p.oid <> r.oid AND pg_has_role(r.oid, p.oid, 'MEMBER')
            AND (p.rolname LIKE 'pg\\_%' AND p.rolname NOT IN ('pg_read_all_data', 'pg_database_owner')
              OR p.rolsuper OR p.rolcreaterole OR p.rolcreatedb OR p.rolreplication OR p.rolbypassrls)),
        'connects', r.oid IS NOT NULL AND has_database_privilege(r.oid, current_database(), 'CONNECT'))), '[]')
      FROM jsonb_array_elements_text(payload -> 'groups') g LEFT JOIN pg_roles r ON r.rolname = g
      LEFT JOIN LATERAL (SELECT bool_or(admin_option) AS admin, bool_or(inherit_option) AS inherit,
          bool_or(set_option) AS set
        FROM pg_auth_members WHERE roleid = r.oid AND member = (SELECT oid FROM pg_roles WHERE rolname = current_user)
      ) m ON true),
    'prepared', current_setting('max_prepared_transactions')::int,
    'max_connections', current_setting('max_connections')::int,
    'reserved_connections', current_setting('reserved_connections', true)::int,
    'free', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections', true)::int
      - (SELECT count(*) FROM pg_stat_activity WHERE usesysid IS NOT NULL),
    'password_encryption', current_setting('password_encryption'),
    'public_connect', (SELECT coalesce(jsonb_agg(datname ORDER BY datname), '[]') FROM pg_database d
      WHERE datallowconn AND (datacl IS NULL OR EXISTS (
        SELECT FROM aclexplode(datacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT'))),
    'public_create', (SELECT coalesce(jsonb_agg(nspname), '[]') FROM pg_namespace
      WHERE EXISTS (SELECT FROM aclexplode(nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE'))
  )::text, false);
END $brevet$`;
