/**
 * What a command under a lease finds in its environment: the credential, in the names that its tools already read, and
 * nobody else's.
 */
import type { Credential } from '../../client/answer.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Everything that would give a tool other rights, or lead it elsewhere with these. `PGHOSTADDR` and `PGSERVICE` go
 * before `PGHOST`; a profile before the keys.
 */
const TAKEN_AWAY = [
  /^BREVET_/,
  /^DATABASE_URL$/,
  /^PG(?:HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD|PASSFILE|SERVICE|SERVICEFILE|OPTIONS)$/,
  /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|DEFAULT_PROFILE|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE)$/,
  /^AWS_CONTAINER_/,
  /^AWS_ENDPOINT_URL/,
  /^VAULT_(?:ADDR|TOKEN|NAMESPACE|AGENT_ADDR|READS)$/,
];

/** A kind of credential that this version has no names for. */
export class UnknownCredential extends Error {
  override readonly name = 'UnknownCredential';
}

/** @throws {UnknownCredential} */
export function environmentFor(own: Environment, credential: Credential): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => !TAKEN_AWAY.some((pattern) => pattern.test(name)));
  return {
    ...regionOf(own, credential),
    ...(Object.fromEntries(kept) as Record<string, string>),
    ...namesOf(credential),
  };
}

function namesOf(credential: Credential): Record<string, string> {
  if (credential['type'] === 'http') {
    return { BREVET_GATEWAY_URL: textOf(credential, 'base_url'), BREVET_TOKEN: textOf(credential, 'token') };
  }
  if (credential['access_token'] !== undefined) return { BREVET_TOKEN: textOf(credential, 'access_token') };
  if (credential['type'] === 'postgres') return postgresNames(credential);
  if (credential['type'] === 'aws') return awsNames(credential);
  if (credential['type'] === 'vault') return vaultNames(credential);
  throw new UnknownCredential('this version of brevet exec has no environment for this kind of credential');
}

/** @see https://www.postgresql.org/docs/current/libpq-envars.html */
function postgresNames(credential: Credential): Record<string, string> {
  const [host, port, database, user, password] = (['host', 'port', 'database', 'user', 'password'] as const).map(
    (name) => textOf(credential, name),
  ) as [string, string, string, string, string];
  const at = host.includes(':') ? `[${host}]` : host;
  const [as, by, to] = [user, password, database].map(encodeURIComponent);
  return {
    PGHOST: host,
    PGPORT: port,
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    DATABASE_URL: `postgres://${as}:${by}@${at}:${port}/${to}`,
  };
}

/** @see https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */
const awsNames = (credential: Credential): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: textOf(credential, 'access_key_id'),
  AWS_SECRET_ACCESS_KEY: textOf(credential, 'secret_access_key'),
  AWS_SESSION_TOKEN: textOf(credential, 'session_token'),
});

/** One where the session may be used, for a caller who has chosen none. */
function regionOf(own: Environment, credential: Credential): Record<string, string> {
  const isChosen = own['AWS_REGION'] !== undefined || own['AWS_DEFAULT_REGION'] !== undefined;
  return credential['type'] !== 'aws' || isChosen ? {} : { AWS_REGION: textOf(credential, 'region') };
}

/** @see https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables */
function vaultNames(credential: Credential): Record<string, string> {
  return {
    VAULT_ADDR: textOf(credential, 'address'),
    VAULT_TOKEN: textOf(credential, 'token'),
    ...(credential['namespace'] !== undefined && { VAULT_NAMESPACE: textOf(credential, 'namespace') }),
    // The path of a login is the lease's own. No path holds a space.
    VAULT_READS: textsOf(credential, 'reads').join(' '),
  };
}

function textsOf(credential: Credential, name: string): readonly string[] {
  const value: unknown = credential[name];
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  throw new UnknownCredential(`the credential has no ${name}`);
}

function textOf(credential: Credential, name: string): string {
  const value = credential[name];
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new UnknownCredential(`the credential has no ${name}`);
}
