/**
 * An operator's bearer token becomes a person's way in: a token of the operators' OIDC issuer, or a local one.
 *
 * @see OpenID Connect Core 1.0 section 3.1.3.7
 */
import { decodeProtectedHeader } from 'jose';
import type { Operator } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { failure } from '../core/failure.ts';
import { after, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { addressKind } from './address.ts';
import { issuerUnavailable, unauthenticated } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import { LOCAL_TOKEN_TYPE, verifyLocalToken } from './local-token.ts';
import type { OperatorPrincipal } from './principal.ts';
import {
  CLOCK_SKEW,
  decodeUnverified,
  isOnlyAudience,
  isPlain,
  LONGEST_TOKEN,
  readTimes,
  verifySignature,
} from './token.ts';
import type { UnverifiedToken, Why } from './token.ts';

/** A working day: who signed in before it signs in again, whatever the issuer's own lifetime. */
export const OPERATOR_TOKEN_MAX_AGE: Seconds = seconds(12 * 3600);

/** From where the call came, as the socket says it. */
export interface Caller {
  /** `null` where there is no socket to ask, as on Workers. */
  readonly address: string | null;
  /** Whether a proxy says that it passed the call on: then the address is the proxy's. */
  readonly forwarded: boolean;
}

type OperatorDeps = Pick<Deps, 'operators' | 'issuerKeys' | 'keyring' | 'publicUrl' | 'clock'>;

/** @param text what stood after `Bearer`. */
export async function authenticateOperator(
  deps: OperatorDeps,
  deployment: DeploymentSnapshot,
  text: string,
  caller: Caller,
): Promise<Proven<OperatorPrincipal>> {
  return typeOf(text) === LOCAL_TOKEN_TYPE
    ? await byLocalToken(deps, deployment, text, caller)
    : await byIssuer(deps, deployment, text);
}

/** Which way to verify it, and nothing more. */
function typeOf(text: string): string | null {
  if (text.length > LONGEST_TOKEN) return null;
  try {
    return decodeProtectedHeader(text).typ ?? null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

async function byLocalToken(
  deps: OperatorDeps,
  deployment: DeploymentSnapshot,
  text: string,
  caller: Caller,
): Promise<Proven<OperatorPrincipal>> {
  const name = await verifyLocalToken(deps, text, deps.clock());
  if (!name.ok) return name;
  if (!isOnThisMachine(caller)) {
    const told = failure('local_token_refused', 'A local token works on the broker’s own machine alone', {
      hint: 'Call the broker on its loopback address, without a proxy.',
    });
    return err({ failure: told, why: 'a local token that did not come over loopback' });
  }
  return leadsToPerson(deployment, deployment.operators.get(name.value), 'local');
}

const isOnThisMachine = ({ address, forwarded }: Caller): boolean =>
  address !== null && !forwarded && addressKind(address) === 'loopback';

async function byIssuer(
  deps: OperatorDeps,
  deployment: DeploymentSnapshot,
  text: string,
): Promise<Proven<OperatorPrincipal>> {
  if (deps.operators === null) return unauthenticated('no issuer of operators is configured');
  const decoded = decodeUnverified(text);
  if (!decoded.ok) return unauthenticated(decoded.error);
  const token = decoded.value;
  const why = whyNotForUs(token, deps.operators, deps.clock());
  if (why !== null) return unauthenticated(why);
  const key = await deps.issuerKeys.find(deps.operators.issuer, token);
  if (!key.ok && key.error === 'unavailable') return issuerUnavailable();
  const verified = key.ok ? await verifySignature(token, key.value) : null;
  if (verified === null) return unauthenticated('not signed by the operators’ issuer');
  const operator = findOperator(deployment, deps.operators.issuer, verified.claims['sub']);
  return leadsToPerson(deployment, operator, 'oidc');
}

function whyNotForUs(
  token: UnverifiedToken,
  { issuer, clientId }: { readonly issuer: string; readonly clientId: string },
  now: Instant,
): Why | null {
  const { claims } = token;
  if (!isPlain(token)) return 'another kind of token in an operator’s place';
  if (claims['iss'] !== issuer) return 'another issuer’s';
  if (!isOnlyAudience(claims, clientId)) return 'not for this client alone';
  if (claims['azp'] !== undefined && claims['azp'] !== clientId) return 'issued to another client';
  const times = readTimes(claims, now);
  if (!times.ok) return times.error;
  const { issuedAt } = times.value;
  if (issuedAt === null) return 'no iat';
  return now > after(issuedAt, seconds(OPERATOR_TOKEN_MAX_AGE + CLOCK_SKEW)) ? 'older than a working day' : null;
}

export function findOperator(deployment: DeploymentSnapshot, issuer: string, subject: unknown): Operator | undefined {
  if (typeof subject !== 'string') return undefined;
  const named = [...deployment.operators.values()].filter((one) => one.issuer === issuer && one.subject === subject);
  return named.length === 1 ? named[0] : undefined;
}

export function leadsToPerson<By extends OperatorPrincipal['by']>(
  deployment: DeploymentSnapshot,
  operator: Operator | undefined,
  by: By,
): Proven<OperatorPrincipal & { readonly by: By }> {
  if (operator?.active !== true) return unauthenticated('no active operator of that name or subject');
  const { name, person } = operator;
  if (person === null) return unauthenticated('an operator that leads to no person');
  if (deployment.persons.get(person)?.active !== true) return unauthenticated('the operator’s person is gone');
  return ok({ kind: 'operator', operator: name, person, by });
}
