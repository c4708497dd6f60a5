/**
 * What is wrong with a target before first use: its cluster, Brevet's sign-in and rights there, the engines' roles and
 * connections, and the databases that Brevet looks into. Every finding at once.
 */
import { z } from 'zod';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Finding, OpenTarget } from '../../core/provider.ts';
import { between, instant } from '../../core/time.ts';
import { placeOf } from './config.ts';
import type { LookedInto, VaultConfig } from './config.ts';
import type { Database, NodeReport } from './database.ts';
import { healthOf } from './session.ts';
import { openSite } from './site.ts';
import type { Site, SiteOptions } from './site.ts';
import { secretsOf } from './secret.ts';

/** A clock that is further off makes times in Vault's own log misleading. */
const CLOCK_OFF_MS = 60_000;

const GUIDE = 'See docs/how-to/set-up-a-vault-target.md.';

const refuse = (what: string, remedy = GUIDE): Finding => ({ level: 'refuse', what, remedy });
const warn = (what: string, remedy = GUIDE): Finding => ({ level: 'warn', what, remedy });
const when = (holds: boolean, finding: Finding): readonly Finding[] => (holds ? [finding] : []);

/** Over a session and connections of its own: nothing that is kept hides what is wrong now. */
export async function checkSite(target: OpenTarget, options: SiteOptions): Promise<readonly Finding[]> {
  const site = openSite(target, options);
  try {
    const clock = await clockFindings(site);
    // Without these nothing else can be asked.
    const barred = clock.some(({ level }) => level === 'refuse') ? clock : [...clock, ...(await signInFindings(site))];
    if (barred.some(({ level }) => level === 'refuse')) return barred;
    const rest = await Promise.all([
      rightsFindings(site),
      mintFindings(site),
      ...site.config.looks_into.map((at) => engineFindings(site, at)),
      ...site.databases.map((database) => databaseFindings(site, database)),
    ]);
    return [...barred, ...rest.flat()];
  } finally {
    await site.close();
  }
}

/** A finding instead of what could not be asked. */
async function orRefused(findings: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await findings();
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return [refuse(fault.message)];
    if (fault instanceof z.ZodError) return [refuse('Vault described something in another form', 'Is it a Vault?')];
    throw fault;
  }
}

const clockFindings = (site: Site): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const { now } = await healthOf(site.vault, site.config);
    const off = Math.abs(between(instant(now * 1000), site.clock()));
    return when(off > CLOCK_OFF_MS, warn('Vault’s clock is more than a minute off', 'Let it keep time.'));
  });

const ownToken = z.object({ data: z.object({ policies: z.array(z.string()), type: z.string() }) });

const signInFindings = (site: Site): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const said = ownToken.parse(await site.session.ask((as) => site.vault.read(as, 'auth/token/lookup-self')));
    const { policies, type } = said.data;
    return [
      ...when(policies.includes('root'), refuse('Brevet signs in as root', 'Give its role the policy of the guide.')),
      ...when(
        policies.includes('default'),
        warn('Brevet’s own token has the policy default', 'Set token_no_default_policy=true at its role.'),
      ),
      ...when(type !== 'service', refuse(`Brevet gets a ${type} token, which makes no others`, 'token_type=service.')),
    ];
  });

/** A token role that is none of this target's. */
const ELSEWHERE = 'auth/token/roles/elsewhere';

/** What Brevet must be able to do, by path. */
function rightsOf({
  prefix,
  looks_into,
}: VaultConfig): readonly (readonly [path: string, rights: readonly string[]])[] {
  const some = `${prefix}_check`;
  const mounts = [...new Set(looks_into.map(({ mount }) => mount))];
  return [
    ['auth/token/create', ['update']],
    [`auth/token/roles/${some}`, ['create', 'read', 'delete']],
    [`auth/token/create/${some}`, ['update']],
    ['auth/token/lookup-accessor', ['update']],
    ['auth/token/revoke-accessor', ['update']],
    ['sys/leases/lookup/auth/token/create/', ['list', 'sudo']],
    [`sys/leases/lookup/auth/token/create/${some}`, ['list', 'sudo']],
    [`sys/leases/revoke-prefix/auth/token/create/${some}`, ['update', 'sudo']],
    ...mounts.flatMap((mount) => [
      [`${mount}/roles`, ['list']] as const,
      [`${mount}/roles/${some}`, ['create', 'delete']] as const,
      [`sys/leases/lookup/${mount}/creds/`, ['list', 'sudo']] as const,
      [`sys/leases/lookup/${mount}/creds/${some}`, ['list', 'sudo']] as const,
      [`sys/leases/revoke-prefix/${mount}/creds/${some}`, ['update', 'sudo']] as const,
    ]),
  ];
}

const rightsFindings = (site: Site): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const wanted = rightsOf(site.config);
    const body = { paths: [...wanted.map(([path]) => path), ELSEWHERE] };
    const said = await site.session.ask((as) => site.vault.write(as, 'sys/capabilities-self', body));
    const held = z.object({ data: z.record(z.string(), z.unknown()) }).parse(said).data;
    const rightsAt = (path: string): readonly string[] => z.array(z.string()).catch([]).parse(held[path]);
    const missing = wanted.flatMap(([path, rights]) => {
      const lacking = rights.filter((right) => !rightsAt(path).includes(right));
      return when(lacking.length > 0, refuse(`Brevet lacks ${lacking.join(', ')} on ${path}`));
    });
    const roles = `auth/token/roles/${site.config.prefix}_check`;
    return [
      ...missing,
      ...when(
        rightsAt(roles).includes('update'),
        refuse(`Brevet may change token roles at ${roles}: a late mint could take a name that is held against it`),
      ),
      ...when(
        rightsAt(ELSEWHERE).some((right) => right !== 'deny'),
        warn('Brevet may write token roles of other names', `Restrict it to ${site.config.prefix}_*.`),
      ),
    ];
  });

const mintFindings = (site: Site): Promise<readonly Finding[]> =>
  orRefused(async () => {
    await site.session.beginMint(() => Promise.resolve());
    return [];
  });

const connection = z.object({ data: z.object({ allowed_roles: z.array(z.string()), plugin_name: z.string() }) });
const engineRole = z.object({
  data: z.object({ db_name: z.string(), creation_statements: z.array(z.string()), credential_type: z.string() }),
});

const engineFindings = (site: Site, at: LookedInto): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const { mount, roles } = at;
    const said = await site.session.ask((as) => site.vault.read(as, `${mount}/config/${at.connection}`));
    const { allowed_roles, plugin_name } = connection.parse(said).data;
    const found = await Promise.all(roles.map((role) => roleFindings(site, at, role)));
    return [
      ...when(
        !allowed_roles.some((pattern) => pattern === '*' || pattern === `${site.config.prefix}_*`),
        refuse(
          `the connection ${placeOf(at)} does not admit the roles of leases`,
          `Add ${site.config.prefix}_* to its allowed_roles.`,
        ),
      ),
      ...when(
        !plugin_name.startsWith('postgresql-'),
        refuse(`${placeOf(at)} is no Postgres connection`, 'Take it out of looks_into: its logins end unverifiable.'),
      ),
      ...found.flat(),
    ];
  });

const roleFindings = (site: Site, at: LookedInto, role: string): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const path = `${at.mount}/roles/${role}`;
    const { data } = engineRole.parse(await site.session.ask((as) => site.vault.read(as, path)));
    return [
      ...when(
        data.db_name !== at.connection,
        refuse(`${path} makes logins at ${data.db_name}, not at ${at.connection}`, 'Correct looks_into.'),
      ),
      ...when(
        !data.creation_statements.some((statement) => statement.includes('"{{name}}"')),
        refuse(`${path} makes no role named "{{name}}", on which Brevet could leave its mark`),
      ),
      ...when(data.credential_type !== 'password', warn(`${path} gives a ${data.credential_type}, not a password`)),
    ];
  });

const databaseFindings = (site: Site, database: Database): Promise<readonly Finding[]> =>
  orRefused(async () => {
    const hasPassword = secretsOf(site.target.secret).passwordOf(database.at) !== null;
    const why = `the target’s secret has no password for ${placeOf(database.at)}`;
    return hasPassword ? reportFindings(database) : [refuse(why)];
  });

async function reportFindings(database: Database): Promise<readonly Finding[]> {
  const place = placeOf(database.at);
  const all = await database.report();
  const nodes = all.filter((report) => typeof report !== 'string');
  const followers = nodes.reduce((sum, node) => sum + node.followers, 0);
  const following = nodes.filter((node) => node.following).length;
  const writers = nodes.filter(({ standby }) => !standby).length;
  return [
    ...all.filter((report) => typeof report === 'string').map((why) => refuse(why)),
    ...nodes.flatMap((node) => nodeFindings(database.at, node)),
    ...when(nodes.length === all.length && writers !== 1, refuse(`${writers} of the nodes of ${place} take writes`)),
    ...when(
      followers > following,
      warn(
        `${followers - following} of the nodes that follow at ${place} are not named: a session there would live on unseen`,
        'Name every standby, or each death ends as unverifiable.',
      ),
    ),
  ];
}

function nodeFindings({ login, system_identifier }: LookedInto, report: NodeReport): readonly Finding[] {
  const { node, server } = report;
  return [
    ...when(
      server !== system_identifier,
      refuse(`${node} is the server ${server}, not ${system_identifier}`, 'Correct system_identifier, or the node.'),
    ),
    ...when(report.superuser, refuse(`${login} is a superuser at ${node}`, 'Make another login.')),
    ...when(!report.signals, refuse(`${login} cannot end sessions at ${node}`, `GRANT pg_signal_backend TO ${login}.`)),
    ...when(
      !report.reads_stats,
      refuse(`${login} cannot read when sessions began at ${node}`, `GRANT pg_read_all_stats TO ${login}.`),
    ),
  ];
}
