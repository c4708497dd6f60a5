/**
 * Brevet's own tokens at a Vault: one that it signs in for and renews, and a short-lived child of it for each few mints.
 *
 * Agents' tokens are orphans, so that the death of Brevet's ends none of them unrecorded.
 */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { after, earliest, seconds } from '../../core/time.ts';
import type { Clock, Instant } from '../../core/time.ts';
import { DENIED, VaultRefusal } from './client.ts';
import type { Vault } from './client.ts';
import type { VaultConfig } from './config.ts';

/**
 * How long after its making a mint's token can still write, on Vault's clock. A mint that was held up anywhere, in
 * Brevet, on the way or in Vault's queue, lands within this time after its deadline or never.
 */
export const MINT_TOKEN_TTL = seconds(20);
/** Mints share one for a while; then it has time left for the calls of one more. */
const MINT_TOKEN_SHARED = seconds(8);

/** Between tries to be let in, while another token is held. */
const SIGN_IN_AGAIN = seconds(5);

interface Held {
  readonly token: Secret;
  /** From then on it is renewed, or another is taken. */
  readonly fresh: Instant;
  readonly ends: Instant;
  readonly ttl: number;
}

export interface Session {
  /** As Brevet. One that Vault has ended meanwhile is replaced, and the call repeated. */
  ask<T>(call: (token: Secret) => Promise<T>): Promise<T>;
  /**
   * The first write of a mint, under a token that has little time left; gives the token for those that follow. It was
   * made before `write` is called: who finds itself in time there, is. One that has ended meanwhile is replaced.
   */
  beginMint(write: (token: Secret) => Promise<unknown>): Promise<Secret>;
}

const signedIn = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number(), renewable: z.boolean() }),
});

const health = z.object({
  cluster_id: z.string().optional(),
  sealed: z.boolean(),
  performance_standby: z.boolean().default(false),
  server_time_utc: z.number(),
});

export interface Health {
  /** Vault's clock, in whole seconds of Unix time. */
  readonly now: number;
}

/** @throws {ProviderUnavailable} where it is sealed, or another cluster than the one meant. */
export async function healthOf(vault: Vault, config: VaultConfig): Promise<Health> {
  const said = health.safeParse(await vault.read(null, 'sys/health'));
  if (!said.success) throw new ProviderUnavailable('what answers at this address is no Vault');
  if (said.data.sealed) throw new ProviderUnavailable('Vault is sealed');
  if (said.data.cluster_id !== config.cluster_id) throw new ProviderUnavailable('another cluster answers');
  // It reads what the active one wrote a while ago.
  if (said.data.performance_standby)
    throw new ProviderUnavailable('a performance standby answers, not the active node');
  return { now: said.data.server_time_utc };
}

/** @param login what is shown to be let in, made anew each time. */
export function openSession(
  vault: Vault,
  config: VaultConfig,
  login: () => Promise<JsonObject>,
  clock: Clock,
): Session {
  let own: Promise<Held> | null = null;
  let minting: Promise<Held> | null = null;

  const hold = (held: Promise<Held>, forget: () => void): Promise<Held> => {
    held.catch(forget);
    return held;
  };
  const signIn = async (): Promise<Held> => {
    // The sign-in's secret goes to the cluster that is meant.
    await healthOf(vault, config);
    return heldFrom(await vault.write(null, `auth/${config.auth.mount}/login`, await login()), clock);
  };
  /** What is held ends what has to be ended until its own end, whoever is let in no more. */
  const signInAfter = async (held: Held): Promise<Held> => {
    try {
      return await signIn();
    } catch (fault) {
      if (!(fault instanceof ProviderUnavailable) || clock() >= held.ends) throw fault;
      return { ...held, fresh: earliest(after(clock(), SIGN_IN_AGAIN), held.ends) };
    }
  };
  const take = (next: () => Promise<Held>): Promise<Held> => {
    const taken = next();
    own = hold(taken, () => {
      if (own === taken) own = null;
    });
    return taken;
  };
  /** Whoever comes first replaces it; the others take what came of that. */
  const takeAfter = (stale: Promise<Held>, next: () => Promise<Held>): Promise<Held> =>
    own === null || own === stale ? take(next) : own;
  /** The promise in a box, since an async function would unpack it. */
  const current = async (): Promise<{ readonly from: Promise<Held> }> => {
    const known = own ?? take(signIn);
    const held = await known;
    if (clock() < held.fresh) return { from: known };
    return { from: takeAfter(known, async () => (await renewed(vault, held, clock)) ?? signInAfter(held)) };
  };
  const ask: Session['ask'] = async (call) => {
    const { from } = await current();
    const { token } = await from;
    try {
      return await call(token);
    } catch (fault) {
      if (!isDenial(fault) || (await isAlive(vault, token))) throw fault;
      const replaced = await takeAfter(from, signIn);
      return call(replaced.token);
    }
  };
  const makeMintToken = async (): Promise<Held> => {
    const body = { ttl: `${MINT_TOKEN_TTL}s`, explicit_max_ttl: `${MINT_TOKEN_TTL}s`, renewable: false };
    const made = heldFrom(await ask((token) => vault.write(token, 'auth/token/create', body)), clock);
    return { ...made, fresh: after(clock(), MINT_TOKEN_SHARED) };
  };
  const takeMintToken = (): Promise<Held> => {
    const making = makeMintToken();
    minting = hold(making, () => {
      if (minting === making) minting = null;
    });
    return making;
  };
  const beginMint: Session['beginMint'] = async (write) => {
    const known = await (minting ?? takeMintToken());
    const { token } = clock() < known.fresh ? known : await takeMintToken();
    try {
      await write(token);
      return token;
    } catch (fault) {
      if (!isDenial(fault) || (await isAlive(vault, token))) throw fault;
      const replaced = await takeMintToken();
      await write(replaced.token);
      return replaced.token;
    }
  };
  return { ask, beginMint };
}

function heldFrom(answer: JsonObject, clock: Clock): Held {
  const said = signedIn.safeParse(answer);
  if (!said.success) throw new ProviderUnavailable('Vault signed nobody in');
  const { client_token, lease_duration } = said.data.auth;
  // Half of its life: the other half is for a Vault that is away for a while.
  return {
    token: new Secret(client_token),
    fresh: after(clock(), seconds(Math.floor(lease_duration / 2))),
    ends: after(clock(), seconds(lease_duration)),
    ttl: lease_duration,
  };
}

/** `null`: it cannot be renewed, or not for as long as before; then another is taken. */
async function renewed(vault: Vault, held: Held, clock: Clock): Promise<Held | null> {
  try {
    const again = heldFrom(await vault.write(held.token, 'auth/token/renew-self', {}), clock);
    return again.ttl < held.ttl / 2 ? null : { ...again, token: held.token };
  } catch (fault) {
    if (fault instanceof VaultRefusal) return null;
    throw fault;
  }
}

const isDenial = (fault: unknown): boolean => fault instanceof VaultRefusal && fault.status === DENIED;

/** Vault says the same of a dead token as of a right that is lacking. */
async function isAlive(vault: Vault, token: Secret): Promise<boolean> {
  try {
    await vault.read(token, 'auth/token/lookup-self');
    return true;
  } catch (fault) {
    if (isDenial(fault)) return false;
    throw fault;
  }
}
