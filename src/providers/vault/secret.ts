/**
 * A target has one secret, and this provider may need several: what signs in alone, or a JSON object of what signs in
 * and the passwords of the databases that Brevet may look into.
 */
import { z } from 'zod';
import { ProviderUnavailable } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { placeOf } from './config.ts';
import type { LookedInto } from './config.ts';

export interface VaultSecrets {
  /** The secret id of an AppRole, or a JWT. @throws {ProviderUnavailable} where there is none: the target needs a new version. */
  signIn(): Secret;
  passwordOf(database: LookedInto): Secret | null;
}

const several = z.strictObject({
  /** None where Brevet signs what it shows by itself. */
  sign_in: z.string().min(1).max(8192).optional(),
  /** By `{mount}/{connection}`. */
  passwords: z.record(z.string(), z.string().min(1).max(1024)).default({}),
});

export function secretsOf(secret: Secret | null): VaultSecrets {
  if (secret === null) return none('the target has no secret to sign in with');
  const text = secret.reveal();
  if (!text.startsWith('{')) return { signIn: () => secret, passwordOf: () => null };
  const parsed = several.safeParse(fromJson(text));
  // What is wrong with it would quote it.
  if (!parsed.success) return none('the target’s secret is no object of sign_in and passwords');
  const { sign_in, passwords } = parsed.data;
  return {
    signIn: () => {
      if (sign_in === undefined) throw new ProviderUnavailable('the target’s secret has nothing to sign in with');
      return new Secret(sign_in);
    },
    passwordOf: (database) => {
      const password = Object.hasOwn(passwords, placeOf(database)) ? passwords[placeOf(database)] : undefined;
      return password === undefined ? null : new Secret(password);
    },
  };
}

const none = (why: string): VaultSecrets => ({
  signIn: () => {
    throw new ProviderUnavailable(why);
  },
  passwordOf: () => null,
});

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
