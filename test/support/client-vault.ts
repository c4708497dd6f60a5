/**
 * A client's own Vault as Brevet meets it: set up word for word as docs/how-to/set-up-a-vault-target.md says, before a
 * client's database.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../src/core/secret.ts';
import { withAdmin } from './postgres.ts';
import { CONNECT_ROLE, clientDatabase, DATABASE, GROUP } from './target.ts';
import type { ClientDatabase } from './target.ts';
import { startVault } from './vault.ts';
import type { TestVault } from './vault.ts';

const GUIDE = join(import.meta.dirname, '../../docs/how-to/set-up-a-vault-target.md');

export const PREFIX = 'brevet-acme';

export interface ClientVault {
  readonly vault: TestVault;
  readonly database: ClientDatabase;
  /** What an administrator writes as the target's config. */
  readonly config: {
    readonly address: string;
    readonly cluster_id: string;
    readonly prefix: string;
    readonly auth: { readonly method: 'approle'; readonly role_id: string };
    readonly looks_into: readonly [LookedInto];
  };
  readonly secret: Secret;
  stop(): Promise<void>;
}

interface LookedInto {
  readonly connection: string;
  readonly roles: readonly string[];
  readonly nodes: readonly { readonly host: string; readonly port: number; readonly standby?: boolean }[];
  readonly database: string;
  readonly login: string;
  readonly system_identifier: string;
  readonly tls: 'off';
}

/** The blocks of the guide that begin with a comment `# policy: {name}`, by that name. */
export async function guidePolicies(): Promise<ReadonlyMap<string, string>> {
  const blocks = [...(await guide()).matchAll(/```hcl\n(# policy: (?<name>[a-z-]+)\n[^]*?)```/g)];
  return new Map(blocks.map((found) => [found.groups?.['name'] ?? '', found[1] ?? '']));
}

async function guideStatements(): Promise<string> {
  return /```sql\n(?<sql>[^]*?)```/.exec(await guide())?.groups?.['sql'] ?? '';
}

/** What the guide's shell gives to Vault under a name. */
async function guideWord(name: string): Promise<string> {
  const found = new RegExp(`${name}="(?<word>(?:\\\\"|[^"])*)"`).exec(await guide())?.groups?.['word'];
  if (found === undefined) throw new Error(`the guide gives no ${name}`);
  return found.replaceAll('\\"', '"');
}

const guide = (): Promise<string> => readFile(GUIDE, 'utf8');

/** @param settings Postgres settings. */
export async function clientVault(settings: Record<string, string> = {}): Promise<ClientVault> {
  const [vault, database] = await Promise.all([startVault(), clientDatabase(settings)]);
  const lookPassword = await prepareDatabase(vault, database);
  await vault.must('POST', 'sys/mounts/secret', { type: 'kv' });
  await vault.must('PUT', 'secret/data/psa', { key: 'the key of the ticketing system' });
  await vault.must('PUT', 'secret/data/other', { key: 'the key of something else' });
  for (const [name, policy] of await guidePolicies()) {
    await vault.must('PUT', `sys/policies/acl/${name}`, { policy });
  }
  const { role_id, secret_id } = await prepareAppRole(vault);
  return {
    vault,
    database,
    config: {
      address: vault.address,
      cluster_id: vault.clusterId,
      prefix: PREFIX,
      auth: { method: 'approle', role_id },
      looks_into: [
        {
          connection: 'tickets',
          roles: ['reporting'],
          nodes: [{ host: '127.0.0.1', port: database.port }],
          database: DATABASE,
          login: 'brevet_look',
          system_identifier: database.config.system_identifier,
          tls: 'off',
        },
      ],
    },
    secret: new Secret(JSON.stringify({ sign_in: secret_id, passwords: { 'database/tickets': lookPassword } })),
    stop: async () => {
      await vault.stop();
      await database.remove();
    },
  };
}

/** @param like the ids of another, for a Vault that passes for it. */
export async function prepareAppRole(
  vault: TestVault,
  like?: { readonly role_id: string; readonly secret_id: string },
): Promise<{ role_id: string; secret_id: string }> {
  await vault.must('POST', 'sys/auth/approle', { type: 'approle' });
  await vault.must('POST', 'auth/approle/role/brevet-acme', {
    token_policies: 'brevet-acme',
    token_no_default_policy: true,
    token_type: 'service',
    token_ttl: '1h',
    token_max_ttl: '24h',
  });
  if (like !== undefined) {
    await vault.must('POST', 'auth/approle/role/brevet-acme/role-id', { role_id: like.role_id });
    await vault.must('POST', 'auth/approle/role/brevet-acme/custom-secret-id', { secret_id: like.secret_id });
    return like;
  }
  const role = await vault.must('GET', 'auth/approle/role/brevet-acme/role-id');
  const secret = await vault.must('POST', 'auth/approle/role/brevet-acme/secret-id');
  return { role_id: String(role.data?.['role_id']), secret_id: String(secret.data?.['secret_id']) };
}

/** @param issuer the tenant's: Vault finds the keys that sign there. */
export async function prepareJwtAuth(
  vault: TestVault,
  { issuer, target }: { readonly issuer: string; readonly target: string },
): Promise<void> {
  await vault.must('POST', 'sys/auth/jwt', { type: 'jwt' });
  await vault.must('POST', 'auth/jwt/config', { oidc_discovery_url: issuer, bound_issuer: issuer });
  await vault.must('POST', 'auth/jwt/role/brevet-acme', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_subject: `brevet:${target}`,
    bound_audiences: `vault/${vault.clusterId}`,
    token_policies: 'brevet-acme',
    token_no_default_policy: true,
    token_type: 'service',
    token_ttl: '1h',
    token_max_ttl: '24h',
  });
}

/** Another cluster, which takes Brevet's sign-in, has its policy and holds nothing. */
export async function strangeVault({ config, secret }: ClientVault): Promise<TestVault> {
  const vault = await startVault();
  for (const [name, policy] of await guidePolicies()) {
    await vault.must('PUT', `sys/policies/acl/${name}`, { policy });
  }
  await vault.must('POST', 'sys/mounts/database', { type: 'database' });
  const { sign_in } = JSON.parse(secret.reveal()) as { sign_in: string };
  await prepareAppRole(vault, { role_id: config.auth.role_id, secret_id: sign_in });
  return vault;
}

/** @returns the password of the login with which Brevet looks into the database. */
async function prepareDatabase(vault: TestVault, database: ClientDatabase): Promise<string> {
  const [own, look] = [randomBytes(18).toString('hex'), randomBytes(18).toString('hex')];
  const statements = await guideStatements();
  await withAdmin(database.superuser, async (sql) => {
    await sql.unsafe(statements);
    await sql.unsafe(`ALTER ROLE brevet_look PASSWORD '${look}'`);
    await sql.unsafe(`CREATE ROLE vault LOGIN CREATEROLE PASSWORD '${own}'`);
    await sql.unsafe(`GRANT ${GROUP}, ${CONNECT_ROLE} TO vault WITH ADMIN OPTION`);
    await sql.unsafe(`GRANT CONNECT ON DATABASE ${DATABASE} TO vault`);
  });
  await vault.must('POST', 'sys/mounts/database', { type: 'database' });
  await vault.must('POST', 'database/config/tickets', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: 'reporting,brevet-acme_*',
    connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${database.port}/${DATABASE}?sslmode=disable`,
    username: 'vault',
    password: own,
  });
  await vault.must('POST', 'database/roles/reporting', {
    db_name: 'tickets',
    default_ttl: '1h',
    max_ttl: '1h',
    creation_statements: await guideWord('creation_statements'),
    revocation_statements: await guideWord('revocation_statements'),
  });
  return look;
}
