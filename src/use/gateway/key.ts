/**
 * The key of a call and how it is shown: the newest one, where nothing but the key has changed, so that a rotation stops
 * nobody; else the one that was given for the place where the lease calls.
 */
import { canonicalText } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { keep } from '../../core/gateway/kept.ts';
import { httpTarget, whyNoKey } from '../../core/gateway/target.ts';
import type { HttpTarget } from '../../core/gateway/target.ts';
import type { OpenTarget } from '../../core/provider.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { after, seconds } from '../../core/time.ts';
import type { Deps } from '../../deps.ts';
import { openTarget } from '../../issue/target.ts';
import { needlesOf } from './echo.ts';
import type { Needles } from './echo.ts';
import { fetchToken } from './oauth.ts';

export interface Key {
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: { readonly name: string; readonly value: Secret } | null;
  /** What of it may not come back. */
  readonly needles: Needles;
  /** Whose and which: connections are shared under it. */
  readonly pool: string;
}

/** A target as its calls use it. */
export interface Tool {
  readonly version: TargetVersion;
  readonly config: HttpTarget;
}

/** Read once for each version that is kept. */
const tools = new WeakMap<TargetVersion, Tool>();

/** @param own the version that the lease was minted with. */
export function toolFor({ targets }: Snapshot, own: TargetVersion): Tool | null {
  const newest = targets.get(own.name);
  if (newest === undefined) return null;
  const version = onlyKeyChanged(newest, own) ? newest : own;
  const tool = tools.get(version) ?? { version, config: httpTarget.parse(version.config) };
  tools.set(version, tool);
  return tool;
}

const onlyKeyChanged = (newest: TargetVersion, own: TargetVersion): boolean =>
  newest === own || (newest.provider === own.provider && textOf(newest) === textOf(own));

const texts = new WeakMap<TargetVersion, string>();

/** Of its configuration, without its secret. */
function textOf(version: TargetVersion): string {
  const text = texts.get(version) ?? canonicalText(version.config);
  texts.set(version, text);
  return text;
}

/** Static keys, made once for each version that is opened. */
const made = new WeakMap<OpenTarget, Key>();
const MOST_TOKENS = 4096;
/** A token is not used any more so long before its end. */
const SPARE = seconds(10);

export async function keyFor(deps: Deps, { version, config }: Tool, signal: AbortSignal): Promise<Result<Key>> {
  const target = await openTarget(deps.keyring, version);
  const why = whyNoKey(target.secret?.reveal() ?? null);
  if (why !== null || target.secret === null) {
    return err(failure('invalid_target', why ?? 'the target has no key', { hint: 'An administrator puts its key.' }));
  }
  if (config.inject.by === 'oauth') return oauthKey(deps, { version, config }, target.secret, signal);
  const known = made.get(target) ?? staticKey(config, target.secret, poolOf(version));
  made.set(target, known);
  return ok(known);
}

export const poolOf = ({ tenant, name, version }: TargetVersion): string => `${tenant}/${name}/${version}`;

function staticKey({ inject }: HttpTarget, secret: Secret, pool: string): Key {
  const key = secret.reveal();
  const needles = needlesOf([key]);
  switch (inject.by) {
    case 'header':
      return { headers: { [inject.name]: new Secret(`${inject.prefix}${key}`) }, query: null, needles, pool };
    case 'query':
      return { headers: {}, query: { name: inject.name, value: secret }, needles, pool };
    case 'basic': {
      const value = new Secret(`Basic ${btoa(`${inject.user}:${key}`)}`);
      return { headers: { authorization: value }, query: null, needles, pool };
    }
    case 'oauth':
      throw new Error('a key that is not shown as it is');
  }
}

async function oauthKey(deps: Deps, tool: Tool, secret: Secret, signal: AbortSignal): Promise<Result<Key>> {
  const { tokens } = deps.gateway;
  const pool = poolOf(tool.version);
  const known = tokens.get(pool);
  if (known === undefined || deps.clock() >= known.until) {
    const fetched = await fetchToken(deps.gateway.forward, tool.config, { secret, pool, signal });
    if (!fetched.ok) return fetched;
    const { token, lifetime } = fetched.value;
    keep(tokens, pool, { token, until: after(deps.clock(), seconds(Math.max(0, lifetime - SPARE))) }, MOST_TOKENS);
    return ok(bearer(token, secret, pool));
  }
  return ok(bearer(known.token, secret, pool));
}

/** A tool that refuses it has ended it: the next call asks for another. */
export const forgetToken = ({ gateway }: Deps, { version }: Tool): boolean => gateway.tokens.delete(poolOf(version));

/** Made once for each token that is kept. */
const bearers = new WeakMap<Secret, Key>();

function bearer(token: Secret, secret: Secret, pool: string): Key {
  const known = bearers.get(token);
  if (known !== undefined) return known;
  const key: Key = {
    headers: { authorization: new Secret(`Bearer ${token.reveal()}`) },
    query: null,
    needles: needlesOf([token.reveal(), secret.reveal()]),
    pool,
  };
  bearers.set(token, key);
  return key;
}
