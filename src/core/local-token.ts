/**
 * Demands: what the command line, on the machine that holds the deployment key, signs to act as an operator, or to go
 * back to set-up. The broker does what is demanded and writes that down; a demand by itself opens nothing.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import { failure } from './failure.ts';
import { parseName } from './ids.ts';
import type { OperatorName } from './ids.ts';
import { err, ok } from './result.ts';
import type { Result } from './result.ts';
import { after, fromNumericDate, numericDate, seconds } from './time.ts';
import type { Instant } from './time.ts';

/** What `Keyring.derive` makes its key of. */
export const DEMAND_KEY_USE = 'local token';
/** Keeps a demand out of every other token's place, and one for a token out of a recovery's. @see RFC 8725 section 3.11 */
export const DEMAND_TYPES = { token: 'brevet-demand+jwt', recovery: 'brevet-recovery+jwt' } as const;
export type DemandFor = keyof typeof DEMAND_TYPES;
/** It goes from one process to another on one machine. */
export const DEMAND_LIFETIME = seconds(60);
const ALGORITHM = 'HS256';

export interface Demand {
  readonly operator: OperatorName;
  /** Good once. */
  readonly jti: string;
  readonly expiresAt: Instant;
}

/** @param audience the deployment's public URL, without a slash at its end. */
export function signDemand(
  key: Uint8Array,
  { operator, jti, audience }: { readonly operator: OperatorName; readonly jti: string; readonly audience: string },
  now: Instant,
  what: DemandFor = 'token',
): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM, typ: DEMAND_TYPES[what] })
    .setSubject(operator)
    .setJti(jti)
    .setAudience(audience)
    .setIssuedAt(numericDate(now))
    .setExpirationTime(numericDate(after(now, DEMAND_LIFETIME)))
    .sign(key);
}

/** Whether it was signed with this key, for this deployment, within its minute. That it is used once is the store's. */
export async function verifyDemand(
  key: Uint8Array,
  demand: string,
  audience: string,
  now: Instant,
  what: DemandFor = 'token',
): Promise<Result<Demand>> {
  try {
    const { payload } = await jwtVerify(demand, key, {
      algorithms: [ALGORITHM],
      typ: DEMAND_TYPES[what],
      audience,
      currentDate: new Date(now),
      maxTokenAge: DEMAND_LIFETIME,
      requiredClaims: ['sub', 'jti', 'exp'],
    });
    const operator = parseName('operator', payload.sub);
    if (!operator.ok || !payload.jti || payload.exp === undefined) return refused();
    return ok({ operator: operator.value, jti: payload.jti, expiresAt: fromNumericDate(payload.exp) });
  } catch (error) {
    if (error instanceof errors.JOSEError) return refused();
    throw error;
  }
}

const refused = (): Result<never> =>
  err(
    failure('unauthenticated', 'The demand was not signed with this deployment’s key, or is over', {
      hint: 'Make it on the machine that holds the deployment key, with BREVET_PUBLIC_URL as the broker has it.',
    }),
  );
