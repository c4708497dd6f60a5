/** The settings on Workers: those of every broker, as far as they have a meaning there, and the binding of its database. */
import { deploymentKeyBytes, readConfig } from '../config.ts';
import type { Config, ConfigProblem } from '../config.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Bindings } from './platform.ts';

export interface WorkerSettings extends Pick<Config, 'publicUrl' | 'operators' | 'allowPrivateHosts' | 'channels'> {
  readonly deploymentKey: Uint8Array;
}

/** Needed here, where the settings of a first try on one's own machine have no place. */
const NEEDED = {
  BREVET_PUBLIC_URL: 'Set it in wrangler.toml to the https URL that callers use.',
  BREVET_DEPLOYMENT_KEY: 'Set it with: wrangler secret put BREVET_DEPLOYMENT_KEY. The same as on every other node.',
} as const;

/** Of a machine that Workers do not have. */
const WITHOUT_MEANING = [
  'DATABASE_URL',
  'BREVET_MIGRATE_URL',
  'BREVET_DATA_DIR',
  'BREVET_LISTEN',
  'BREVET_DEPLOYMENT_KEY_FILE',
  'BREVET_POLICY_DIR',
  'BREVET_SMTP_URL',
  'BREVET_WEBHOOK_SECRET_FILE',
] as const;

/** Every setting, or every problem at once. */
export function readSettings(bindings: Bindings): Result<WorkerSettings, readonly ConfigProblem[]> {
  const texts = Object.entries(bindings).filter(
    (binding): binding is [string, string] => typeof binding[1] === 'string',
  );
  const env = Object.fromEntries(texts);
  const config = readConfig(env);
  const problems = [...(config.ok ? [] : config.error), ...missing(env), ...misplaced(env)];
  if (bindings.HYPERDRIVE === undefined) {
    const remedy = 'Bind a Hyperdrive configuration with its caching off: deploy/workers/README.md says how.';
    problems.push({ name: 'HYPERDRIVE', what: 'is not bound', remedy });
  }
  if (!config.ok || problems.length > 0) return err(problems);
  const { deploymentKey, publicUrl, operators, allowPrivateHosts, channels } = config.value;
  const bytes = deploymentKey === null ? null : deploymentKeyBytes(deploymentKey);
  if (bytes === null) throw new Error('a deployment key that was read as one is none');
  return ok({ deploymentKey: bytes, publicUrl, operators, allowPrivateHosts, channels });
}

/** Read anew by each invocation, since the platform may give each its own. */
export function databaseOf({ HYPERDRIVE: hyperdrive }: Bindings): Secret {
  if (hyperdrive === undefined) throw new Error('HYPERDRIVE was bound and is not');
  return new Secret(hyperdrive.connectionString);
}

type Texts = Readonly<Record<string, string>>;

const missing = (env: Texts): ConfigProblem[] =>
  Object.entries(NEEDED).flatMap(([name, remedy]) =>
    (env[name] ?? '').trim() === '' ? [{ name, what: 'is missing', remedy }] : [],
  );

const misplaced = (env: Texts): ConfigProblem[] =>
  WITHOUT_MEANING.filter((name) => env[name] !== undefined).map((name) => ({
    name,
    what: 'has no meaning on Workers',
    remedy: 'Remove it: the database is the binding HYPERDRIVE, and there are neither files nor mail.',
  }));
