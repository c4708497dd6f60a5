/**
 * The environment, read once: every setting of the broker, or every problem at once, each with what to do about it.
 * No problem tells anything of a secret's value.
 */
import { mailServerOf } from './core/mail-server.ts';
import type { MailServer } from './core/mail-server.ts';
import { isLoopback, isPrivateOnTheWay } from './core/loopback.ts';
import { nearest } from './core/nearest.ts';
import { err, ok } from './core/result.ts';
import type { Result } from './core/result.ts';
import { Secret } from './core/secret.ts';
import { webhookKey } from './core/webhook-key.ts';

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  readonly listen: Listen;
  /** An origin, without a slash at its end: what tokens and passkeys are bound to. */
  readonly publicUrl: string;
  readonly database:
    { readonly kind: 'embedded' } | { readonly kind: 'configured'; readonly serve: Secret; readonly migrate: Secret };
  readonly dataDir: string;
  /** 32 bytes in base64: see `deploymentKeyBytes`. `null`: made once, in `deploymentKeyFile(dataDir)`. */
  readonly deploymentKey: Secret | null;
  readonly policyDir: string;
  readonly operators: {
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecret: Secret | null;
  } | null;
  /** Hosts that outgoing requests may reach although their address is private. */
  readonly allowPrivateHosts: readonly string[];
  readonly channels: {
    readonly smtp: MailServer | null;
    readonly slack: Secret | null;
    readonly teams: Secret | null;
    readonly webhook: { readonly url: Secret; readonly secret: Secret } | null;
  };
}

/** Nobody is told of anything. */
export const NO_CHANNELS: Config['channels'] = { smtp: null, slack: null, teams: null, webhook: null };

export interface ConfigProblem {
  readonly name: string;
  readonly what: string;
  readonly remedy: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A file that a setting names: its text and its permission bits (`null` where there are none), or why it can't be read. */
export type ReadFile = (
  path: string,
) => { readonly text: string; readonly mode: number | null } | { readonly why: string };

const DEFAULT_PORT = 8420;
const KEY_BYTES = 32;

/** Every name that this reads, beside `DATABASE_URL`. */
export const BROKER_SETTINGS = [
  'BREVET_MIGRATE_URL',
  'BREVET_DATA_DIR',
  'BREVET_LISTEN',
  'BREVET_PUBLIC_URL',
  'BREVET_DEPLOYMENT_KEY',
  'BREVET_DEPLOYMENT_KEY_FILE',
  'BREVET_POLICY_DIR',
  'BREVET_OPERATOR_ISSUER',
  'BREVET_OPERATOR_CLIENT_ID',
  'BREVET_OPERATOR_CLIENT_SECRET_FILE',
  'BREVET_ALLOW_PRIVATE_HOSTS',
  'BREVET_SMTP_URL',
  'BREVET_SLACK_WEBHOOK_URL',
  'BREVET_TEAMS_WEBHOOK_URL',
  'BREVET_WEBHOOK_URL',
  'BREVET_WEBHOOK_SECRET',
  'BREVET_WEBHOOK_SECRET_FILE',
] as const;

/** Read by agents and by operators' commands; not wrong in a broker's environment. */
const CLIENT_NAMES = [
  'BREVET_URL',
  'BREVET_TENANT',
  'BREVET_AGENT',
  'BREVET_AGENT_KEY_FILE',
  'BREVET_WORKLOAD_TOKEN_FILE',
  'BREVET_OPERATOR_TOKEN',
  'BREVET_AS',
] as const;

/** Where Brevet keeps the key that it made for itself. */
export const deploymentKeyFile = (dataDir: string): string => `${dataDir.replace(/\/$/, '')}/deployment.key`;

/** The bytes of a deployment key; `null` for what is not 32 bytes in base64. */
export function deploymentKeyBytes(key: Secret): Uint8Array | null {
  const text = key.reveal();
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
  return bytes.length === KEY_BYTES ? bytes : null;
}

/** What is read from, and where problems go: a reader of one setting reports and goes on, so that all are told. */
interface Reading {
  /** `null` for what is not set; an empty value counts as that, since compose files write one. */
  value(name: string): string | null;
  readFile: ReadFile;
  /** Gives back `null`, in the place of the value. */
  report(name: string, what: string, remedy: string): null;
}

/** Every setting of the broker, or every problem. @param readFile reads what a setting names; Workers have no files. */
export function readConfig(
  env: Environment,
  readFile: ReadFile = () => ({ why: 'there are no files here' }),
): Result<Config, readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const from: Reading = {
    value: (name) => env[name]?.trim() || null,
    readFile,
    report: (name, what, remedy) => {
      problems.push({ name, what, remedy });
      return null;
    },
  };
  const listen = readListen(from);
  const publicUrl = readPublicUrl(from, listen);
  const config: Config = {
    listen,
    publicUrl,
    database: readDatabase(from),
    dataDir: from.value('BREVET_DATA_DIR') ?? './.brevet',
    deploymentKey: readDeploymentKey(from),
    policyDir: from.value('BREVET_POLICY_DIR') ?? './policy',
    operators: readOperators(from),
    allowPrivateHosts: readHosts(from),
    channels: {
      smtp: readMailServer(from, publicUrl),
      slack: readSecretUrl(from, 'BREVET_SLACK_WEBHOOK_URL', ['https:']),
      teams: readSecretUrl(from, 'BREVET_TEAMS_WEBHOOK_URL', ['https:']),
      webhook: readWebhook(from),
    },
  };
  findUnknown(from, Object.keys(env));
  findOpenDoors(from, listen);
  return problems.length === 0 ? ok(config) : err(problems);
}

function readListen({ value, report }: Reading): Listen {
  const fallback = { host: '127.0.0.1', port: DEFAULT_PORT };
  const text = value('BREVET_LISTEN');
  if (text === null) return fallback;
  const {
    host,
    v6,
    port = '',
  } = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  const address = v6 ?? host;
  const number = Number(port);
  if (address !== undefined && number >= 1 && number <= 65_535) return { host: address, port: number };
  report('BREVET_LISTEN', 'is not host:port', 'Write it as 127.0.0.1:8420 or [::1]:8420, with a port of 1 to 65535.');
  return fallback;
}

function readPublicUrl({ value, report }: Reading, listen: Listen): string {
  const fallback = `http://localhost:${listen.port}`;
  const text = value('BREVET_PUBLIC_URL');
  if (text === null) return fallback;
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol) || `${url.origin}/` !== url.href) {
    report('BREVET_PUBLIC_URL', 'is not an origin', 'Write scheme and host alone, such as https://brevet.example.com.');
    return fallback;
  }
  if (!isPrivateOnTheWay(url)) {
    report('BREVET_PUBLIC_URL', 'is not https', 'Use https; http is for localhost alone.');
  }
  return url.origin;
}

const POSTGRES = ['postgres:', 'postgresql:'];

function readDatabase(from: Reading): Config['database'] {
  const serve = readSecretUrl(from, 'DATABASE_URL', POSTGRES);
  const migrate = readSecretUrl(from, 'BREVET_MIGRATE_URL', POSTGRES);
  const [served, migrated] = [from.value('DATABASE_URL') !== null, from.value('BREVET_MIGRATE_URL') !== null];
  if (served && !migrated) {
    const remedy = 'Set it to the same database as its owner, who migrates and never serves.';
    from.report('BREVET_MIGRATE_URL', 'is missing beside DATABASE_URL', remedy);
  }
  if (migrated && !served) {
    const remedy = 'Set it to the same database as the login that serves, or leave both out for the embedded Postgres.';
    from.report('DATABASE_URL', 'is missing beside BREVET_MIGRATE_URL', remedy);
  }
  if (serve === null || migrate === null) return { kind: 'embedded' };
  if (userOf(serve) === userOf(migrate)) {
    const remedy = 'Use two logins: the owner migrates, and the one that serves owns nothing.';
    from.report('DATABASE_URL', 'has the same login as BREVET_MIGRATE_URL', remedy);
  }
  return { kind: 'configured', serve, migrate };
}

const userOf = (url: Secret): string => new URL(url.reveal()).username;

function readDeploymentKey(from: Reading): Secret | null {
  const [given, file] = [from.value('BREVET_DEPLOYMENT_KEY'), from.value('BREVET_DEPLOYMENT_KEY_FILE')];
  if (given !== null && file !== null) {
    return from.report('BREVET_DEPLOYMENT_KEY', 'is set beside BREVET_DEPLOYMENT_KEY_FILE', 'Keep one of the two.');
  }
  if (given !== null) return asKey(from, 'BREVET_DEPLOYMENT_KEY', new Secret(given));
  if (file === null) return null;
  const key = readSecretFile(from, 'BREVET_DEPLOYMENT_KEY_FILE', file);
  return key === null ? null : asKey(from, 'BREVET_DEPLOYMENT_KEY_FILE', key);
}

function asKey({ report }: Reading, name: string, key: Secret): Secret | null {
  if (deploymentKeyBytes(key) !== null) return key;
  return report(name, `is not ${KEY_BYTES} bytes in base64`, 'Make one with: openssl rand -base64 32');
}

/** By a file's permission bits; `null` where the system has none. */
export const isOpenToOthers = (mode: number | null): boolean => mode !== null && (mode & 0o077) !== 0;

/** A secret in a file that its owner alone can read. */
function readSecretFile({ readFile, report }: Reading, name: string, path: string): Secret | null {
  const file = readFile(path);
  if ('why' in file) return report(name, `cannot be read: ${file.why}`, 'Name a file that Brevet’s user can read.');
  if (isOpenToOthers(file.mode)) {
    const mode = ((file.mode ?? 0) & 0o777).toString(8).padStart(4, '0');
    return report(name, `names a file that others can read (mode ${mode})`, `Run: chmod 600 ${path}`);
  }
  const text = file.text.trim();
  return text === '' ? report(name, 'names an empty file', 'Put the secret into it.') : new Secret(text);
}

function readOperators(from: Reading): Config['operators'] {
  const [issuer, clientId] = [from.value('BREVET_OPERATOR_ISSUER'), from.value('BREVET_OPERATOR_CLIENT_ID')];
  const file = from.value('BREVET_OPERATOR_CLIENT_SECRET_FILE');
  const clientSecret = file === null ? null : readSecretFile(from, 'BREVET_OPERATOR_CLIENT_SECRET_FILE', file);
  if (issuer === null && clientId === null && file === null) return null;
  if (issuer === null) {
    return from.report('BREVET_OPERATOR_ISSUER', 'is missing', 'Set it to the issuer exactly as its tokens say it.');
  }
  const url = URL.parse(issuer);
  if (url === null || !isPrivateOnTheWay(url)) {
    from.report('BREVET_OPERATOR_ISSUER', 'is not an https URL', 'Use https; http is for localhost alone.');
  }
  if (clientId !== null) return { issuer, clientId, clientSecret };
  return from.report('BREVET_OPERATOR_CLIENT_ID', 'is missing', 'Set it to the audience of operators’ tokens.');
}

function readHosts({ value, report }: Reading): readonly string[] {
  const hosts = (value('BREVET_ALLOW_PRIVATE_HOSTS') ?? '')
    .split(',')
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== '');
  const wrong = hosts.filter((host) => !/^(?:[a-z0-9.-]+|\[?[0-9a-f:.]+\]?)$/.test(host));
  if (wrong.length > 0) {
    const remedy = 'List host names or addresses, with commas between and neither scheme, port nor wildcard.';
    report('BREVET_ALLOW_PRIVATE_HOSTS', `holds what is no host: ${wrong.join(', ')}`, remedy);
  }
  return hosts;
}

/** A URL that may carry a password, and so is never shown. */
function readSecretUrl({ value, report }: Reading, name: string, schemes: readonly string[]): Secret | null {
  const text = value(name);
  if (text === null) return null;
  const fits = schemes.includes(URL.parse(text)?.protocol ?? '');
  if (fits) return new Secret(text);
  return report(
    name,
    'is not a URL of the kind needed here',
    `Begin it with ${schemes[0]}//, and percent-encode its password.`,
  );
}

/** Its sender is this broker, unless the URL names another. */
function readMailServer(from: Reading, publicUrl: string): MailServer | null {
  const url = readSecretUrl(from, 'BREVET_SMTP_URL', ['smtp:', 'smtps:']);
  if (url === null) return null;
  const server = mailServerOf(url, `brevet@${URL.parse(publicUrl)?.hostname ?? 'localhost'}`);
  if (server !== null) return server;
  const remedy = 'Write it as smtps://user:password@host/?from=brevet@msp.example, percent-encoded.';
  return from.report('BREVET_SMTP_URL', 'names no server or no sender', remedy);
}

function readWebhook(from: Reading): Config['channels']['webhook'] {
  const url = readSecretUrl(from, 'BREVET_WEBHOOK_URL', ['https:', 'http:']);
  const [given, file] = [from.value('BREVET_WEBHOOK_SECRET'), from.value('BREVET_WEBHOOK_SECRET_FILE')];
  if (given !== null && file !== null) {
    return from.report('BREVET_WEBHOOK_SECRET', 'is set beside BREVET_WEBHOOK_SECRET_FILE', 'Keep one of the two.');
  }
  const name = file === null ? 'BREVET_WEBHOOK_SECRET' : 'BREVET_WEBHOOK_SECRET_FILE';
  const secret = given === null ? (file === null ? null : readSecretFile(from, name, file)) : new Secret(given);
  if (url === null) return secret === null ? null : from.report(name, 'is set without BREVET_WEBHOOK_URL', 'Set both.');
  if (secret === null) {
    return from.report(
      'BREVET_WEBHOOK_SECRET_FILE',
      'is missing beside BREVET_WEBHOOK_URL',
      'Notices are signed with it.',
    );
  }
  if (webhookKey(secret) !== null) return { url, secret };
  const remedy = 'Make one with: echo "whsec_$(openssl rand -base64 32)"';
  return from.report(name, 'is not whsec_ and 24 to 64 bytes in base64', remedy);
}

/** A misspelt setting would be ignored, and its default taken, without a word. */
function findUnknown({ report }: Reading, names: readonly string[]): void {
  const known: readonly string[] = [...BROKER_SETTINGS, ...CLIENT_NAMES];
  const bare = (name: string): string => name.slice('BREVET_'.length);
  for (const name of names.filter((name) => name.startsWith('BREVET_') && !known.includes(name))) {
    const meant = nearest(bare(name), known.map(bare));
    report(name, 'is no setting of Brevet', meant === null ? 'Remove it.' : `Did you mean BREVET_${meant}?`);
  }
}

/** What was made for a first try on one machine serves nobody else. */
function findOpenDoors({ value, report }: Reading, listen: Listen): void {
  const key = value('BREVET_DEPLOYMENT_KEY') ?? value('BREVET_DEPLOYMENT_KEY_FILE');
  if (value('DATABASE_URL') !== null && key === null) {
    const remedy = 'Set BREVET_DEPLOYMENT_KEY_FILE, the same on every node: it opens the secrets in the database.';
    report('BREVET_DEPLOYMENT_KEY_FILE', 'is missing beside DATABASE_URL', remedy);
  }
  if (isLoopback(listen.host)) return;
  const why = `is missing, and BREVET_LISTEN=${listen.host}:${listen.port} can be reached from outside`;
  const orLoopback = 'or listen on 127.0.0.1.';
  if (value('BREVET_PUBLIC_URL') === null)
    report('BREVET_PUBLIC_URL', why, `Set it to the https URL that callers use, ${orLoopback}`);
  if (value('DATABASE_URL') === null) report('DATABASE_URL', why, `Set it, and BREVET_MIGRATE_URL, ${orLoopback}`);
  if (key === null && value('DATABASE_URL') === null) {
    report('BREVET_DEPLOYMENT_KEY_FILE', why, `Set it to a file with a key of your own, ${orLoopback}`);
  }
}
