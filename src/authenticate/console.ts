/**
 * Who is at the console: an operator who signed in there. The cookie holds a secret of which the database has the hash;
 * who it leads to is looked up at every use, so that whoever is disabled is out at once.
 */
import type { ConsoleSession } from '../core/console.ts';
import { sha256Hex, toHex } from '../core/digest.ts';
import type { Random } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { after, earliest, seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { OperatorPrincipal } from './principal.ts';

export interface ConsoleCaller extends OperatorPrincipal {
  readonly by: 'oidc' | 'passkey';
  /** The session's id, which opens nothing: the cookie's secret hashes to it. */
  readonly session: string;
  readonly signedInAt: Instant;
  /** When they last proved who they are; `null` where the issuer did not say. */
  readonly provenAt: Instant | null;
}

/** Who leaves their desk is signed out when they come back from lunch. @see NIST SP 800-63B-4 section 2.2.3 */
export const IDLE = seconds(30 * 60);
/** A working day, and no second one. */
export const ABSOLUTE = seconds(10 * 3600);
/** What says who is who takes a proof that is no older. */
export const FRESH = seconds(5 * 60);
/** A page may ask for much; that it was used is written once in so long. */
const NOTED_EVERY = seconds(60);

const SECRET_BYTES = 32;

/** A secret of a browser, from which nothing of who is there can be told. */
export const newCookie = (random: Random): Secret => new Secret(toHex(random(SECRET_BYTES)));

export const sessionIdOf = (cookie: Secret): string => sha256Hex(cookie.reveal());

export type SignedIn = Pick<ConsoleSession, 'person' | 'operator' | 'by' | 'passkey' | 'provenAt'>;

export const newSession = (cookie: Secret, signedIn: SignedIn, now: Instant): ConsoleSession => ({
  ...signedIn,
  id: sessionIdOf(cookie),
  signedInAt: now,
  idleUntil: after(now, IDLE),
  until: after(now, ABSOLUTE),
});

/** @returns when it would end for idleness from now on; `null` where that was written a moment ago. */
export function idleFrom({ idleUntil, until }: ConsoleSession, now: Instant): Instant | null {
  const next = earliest(after(now, IDLE), until);
  return next - idleUntil >= NOTED_EVERY * 1000 ? next : null;
}

/** @param deployment as it is now. */
export function callerOf(session: ConsoleSession, deployment: DeploymentSnapshot): ConsoleCaller | null {
  const { person, operator, by, passkey, signedInAt, provenAt, id } = session;
  const account = deployment.operators.get(operator);
  if (account?.active !== true || account.person !== person) return null;
  if (deployment.persons.get(person)?.active !== true) return null;
  if (passkey !== null && deployment.passkeys.get(passkey)?.person !== person) return null;
  return { kind: 'operator', operator, person, by, session: id, signedInAt, provenAt };
}

export const isFresh = ({ provenAt }: Pick<ConsoleCaller, 'provenAt'>, now: Instant): boolean =>
  provenAt !== null && now <= after(provenAt, FRESH);
