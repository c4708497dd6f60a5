/**
 * Local tokens: what the broker answers to a demand signed with the deployment key. They last ten minutes, work on
 * loopback only, say `amr: local`, and are never written without a ledger entry of their making.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { toHex } from '../core/digest.ts';
import { parseName } from '../core/ids.ts';
import type { OperatorName } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import { after, numericDate, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { unauthenticated } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';

/** Keeps it out of every other token's place. @see RFC 8725 section 3.11 */
export const LOCAL_TOKEN_TYPE = 'brevet-local+jwt';
export const LOCAL_TOKEN_LIFETIME: Seconds = seconds(600);
/** Not the demand's, so that a demand can never be read as a token. */
const KEY_USE = 'local token answer';
/** The broker that signed it is the broker that reads it. */
const ALGORITHM = 'HS256';

/** For `administer` alone, which writes down that it was made. */
export async function signLocalToken(
  deps: Pick<Deps, 'keyring' | 'publicUrl' | 'clock' | 'random'>,
  operator: OperatorName,
): Promise<Secret> {
  const now = deps.clock();
  const token = await new SignJWT({ amr: ['local'] })
    .setProtectedHeader({ alg: ALGORITHM, typ: LOCAL_TOKEN_TYPE })
    .setIssuer(deps.publicUrl)
    .setAudience(deps.publicUrl)
    .setSubject(operator)
    .setJti(toHex(deps.random(16)))
    .setIssuedAt(numericDate(now))
    .setExpirationTime(numericDate(after(now, LOCAL_TOKEN_LIFETIME)))
    .sign(deps.keyring.derive(KEY_USE));
  return new Secret(token);
}

/** @returns the operator's name; whether there is such a one is not looked at here. */
export async function verifyLocalToken(
  deps: Pick<Deps, 'keyring' | 'publicUrl'>,
  text: string,
  now: Instant,
): Promise<Proven<OperatorName>> {
  const claims = await verifiedClaims(deps, text, now);
  const operator = parseName('operator', claims?.sub);
  return operator.ok ? operator : unauthenticated('no local token of this broker, or over');
}

async function verifiedClaims(
  { keyring, publicUrl }: Pick<Deps, 'keyring' | 'publicUrl'>,
  text: string,
  now: Instant,
): Promise<JWTPayload | null> {
  try {
    const { payload } = await jwtVerify(text, keyring.derive(KEY_USE), {
      algorithms: [ALGORITHM],
      typ: LOCAL_TOKEN_TYPE,
      issuer: publicUrl,
      audience: publicUrl,
      currentDate: new Date(now),
      maxTokenAge: LOCAL_TOKEN_LIFETIME,
      requiredClaims: ['sub', 'jti', 'exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
