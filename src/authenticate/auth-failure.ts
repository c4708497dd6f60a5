/**
 * A caller who did not prove who they are: told plainly, and explained to the log and the ledger alone.
 */
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { err } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';

export interface AuthFailure {
  /** The same for every way of failing, so that nothing is learnt by trying. */
  readonly failure: Failure;
  /** Why, in fixed words: never a part of what was presented, which may be a credential. */
  readonly why: string;
}

export type Proven<T> = Result<T, AuthFailure>;

/** An issuer whose keys could not be had is asked again about so soon, and less often the longer it is out. */
const ISSUER_RETRY = seconds(2);

const refused = (failure: Failure, why: string): Result<never, AuthFailure> => err({ failure, why });

/** At the token endpoint and its kin. @see RFC 6749 section 5.2 */
export const notTheClient = (why: string): Result<never, AuthFailure> =>
  refused(
    failure('invalid_client', 'The client assertion was not accepted', {
      hint: 'Sign a fresh assertion with the enrolled key: audience exactly this issuer, a new jti, at most 300 seconds.',
    }),
    why,
  );

/** At everything that takes a bearer token. @see RFC 6750 section 3.1 */
export const unauthenticated = (why: string): Result<never, AuthFailure> =>
  refused(failure('unauthenticated', 'The token is missing, wrong or over', { hint: 'Get a new one.' }), why);

/** Nothing may be said of the token, since its issuer's keys could not be read. */
export const issuerUnavailable = (): Result<never, AuthFailure> =>
  refused(
    failure('issuer_unavailable', 'The keys of the token’s issuer could not be read', {
      hint: 'Try again; whoever runs the broker finds why in its log, at issuer_keys_unavailable.',
      retryAfter: ISSUER_RETRY,
    }),
    'the issuer’s keys could not be read',
  );

/** The agent is who it says, and nobody answers for it. */
export const ownerGone = (): Result<never, AuthFailure> =>
  refused(
    failure('owner_gone', 'The agent’s owner is gone, so nobody is accountable for it', {
      hint: 'Have its deputy accept it, or the person whom an administrator names as its owner.',
    }),
    'the owner is not an active person, or went and nobody has accepted the agent since',
  );

/** What the caller of a refusal sees. */
export const failureIn = (refusal: Result<never, AuthFailure>): Failure => {
  if (refusal.ok) throw new Error('a refusal that is none');
  return refusal.error.failure;
};
