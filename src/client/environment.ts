/**
 * An agent's own settings, from its environment and the files that it names.
 *
 * @node-only
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PrivateJwk, Proof } from './assertion.ts';
import { createBrevet } from './brevet.ts';
import type { Brevet, BrevetOptions } from './brevet.ts';
import { isRecord } from './call.ts';
import { BrevetMisconfigured } from './error.ts';

/**
 * The options that `BREVET_URL`, `BREVET_TENANT`, `BREVET_AGENT` and one of `BREVET_AGENT_KEY_FILE` and
 * `BREVET_WORKLOAD_TOKEN_FILE` say.
 * @param given goes before what the environment says.
 * @throws {BrevetMisconfigured}
 */
export function optionsFromEnvironment(
  given: { readonly tenant?: string } = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): BrevetOptions {
  const need = (name: string): string => {
    const value = env[name];
    if (!value) throw new BrevetMisconfigured(`${name} is not set`);
    return value;
  };
  const tenant = given.tenant ?? need('BREVET_TENANT');
  return { url: need('BREVET_URL'), tenant, agent: need('BREVET_AGENT'), ...proofFrom(env) };
}

/** @throws {BrevetMisconfigured} */
export const fromEnvironment = (options: Omit<Partial<BrevetOptions>, 'key' | 'workloadToken'> = {}): Brevet =>
  createBrevet({
    ...optionsFromEnvironment(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...options,
  });

function proofFrom(env: Readonly<Record<string, string | undefined>>): Proof {
  const { BREVET_AGENT_KEY_FILE: keyFile, BREVET_WORKLOAD_TOKEN_FILE: tokenFile } = env;
  if (keyFile && tokenFile) {
    throw new BrevetMisconfigured('BREVET_AGENT_KEY_FILE and BREVET_WORKLOAD_TOKEN_FILE are both set: keep one');
  }
  if (keyFile) return { key: readKey(keyFile) };
  if (tokenFile) return { workloadToken: async () => (await readFile(tokenFile, 'utf8')).trim() };
  throw new BrevetMisconfigured('neither BREVET_AGENT_KEY_FILE nor BREVET_WORKLOAD_TOKEN_FILE is set');
}

function readKey(path: string): PrivateJwk {
  const parsed = parseKey(path);
  if (isRecord(parsed)) return parsed;
  throw new BrevetMisconfigured(`BREVET_AGENT_KEY_FILE: ${path} holds no JWK`);
}

/** The parser's own message would show the beginning of the key. */
function parseKey(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    const why = code === ' (ENOENT)' ? `there is no such file${code}` : `it cannot be read${code}`;
    throw new BrevetMisconfigured(`BREVET_AGENT_KEY_FILE: ${path}: ${why}`, { cause: error });
  }
}
