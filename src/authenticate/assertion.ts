/**
 * `private_key_jwt`: an agent, or a target's own API, signs an assertion with its enrolled key.
 *
 * No I/O and no clock. That a `jti` is used once is settled by the commit of what the caller asked for.
 *
 * @see RFC 7523 section 3, and draft-ietf-oauth-rfc7523bis for the audience
 */
import type { OneUse } from '../core/change/once.ts';
import type { AgentName, TargetName } from '../core/ids.ts';
import type { PublicJwk } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { notTheClient } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import { isClientAlgorithm } from './jwk.ts';
import { agentInStanding } from './principal.ts';
import type { AgentPrincipal, TargetPrincipal } from './principal.ts';
import {
  CLOCK_AHEAD,
  CLOCK_SKEW,
  decodeUnverified,
  isOnlyAudience,
  isPlain,
  readJti,
  readTimes,
  verifySignature,
} from './token.ts';
import type { UnverifiedToken, Why } from './token.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An assertion is made for one call; FAPI 2.0 and most servers take no more than some minutes. */
export const LONGEST_ASSERTION: Seconds = seconds(300);

const TARGET_PREFIX = 'target:';

/** As the form of RFC 7521 section 4.2 has them; nothing in it may be believed. */
export interface ClientCredentials {
  readonly clientId: string | null;
  readonly assertionType: string | null;
  readonly assertion: string | null;
}

export interface AssertionContext {
  /** The tenant's issuer: the only audience. */
  readonly issuer: string;
  readonly now: Instant;
  /** The `client_id` beside the assertion, where there was one: it must be who the assertion proves. */
  readonly clientId: string | null;
}

export interface VerifiedAssertion {
  readonly principal: AgentPrincipal | TargetPrincipal;
  /** To be spent in the commit of what was asked for; nothing is done without. */
  readonly oneUse: OneUse;
}

export async function verifyClientAssertion(
  snapshot: Snapshot,
  credentials: ClientCredentials,
  context: Omit<AssertionContext, 'clientId'>,
): Promise<Proven<VerifiedAssertion>> {
  const token = decodeAssertion(credentials);
  if (!token.ok) return notTheClient(token.error);
  return await verifyAssertion(snapshot, token.value, { ...context, clientId: credentials.clientId });
}

/** As the draft has clients name it; most do not yet, and send no type or one that says nothing. */
const ASSERTION_TYP = 'client-authentication+jwt';

const isAssertion = (token: UnverifiedToken): boolean => isPlain(token) || token.type === ASSERTION_TYP;

/** The form's own promises, before anything is looked up. */
export function decodeAssertion(credentials: ClientCredentials): Result<UnverifiedToken, Why> {
  if (credentials.assertionType !== ASSERTION_TYPE) return err('not an assertion type that is taken here');
  const token = decodeUnverified(credentials.assertion);
  return token.ok && !isAssertion(token.value) ? err('another kind of token in an assertion’s place') : token;
}

export async function verifyAssertion(
  snapshot: Snapshot,
  token: UnverifiedToken,
  { issuer, now, clientId }: AssertionContext,
): Promise<Proven<VerifiedAssertion>> {
  if (!isClientAlgorithm(token.algorithm)) return notTheClient('an algorithm that no client signs by here');
  const read = readClaims(token, issuer, now);
  if (!read.ok) return notTheClient(read.error);
  const { client, jti, until } = read.value;
  if (clientId !== null && clientId !== client) return notTheClient('another client than the one that signed');
  const found = findClient(snapshot, client, now);
  if (found === null) return notTheClient('no client of that name has a key here');
  if ((await verifySignature(token, found.key)) === null) return notTheClient('not signed with the enrolled key');
  const principal = found.standing();
  return principal.ok ? ok({ principal: principal.value, oneUse: { client, jti, until } }) : principal;
}

interface AssertionClaims {
  readonly client: string;
  readonly jti: string;
  /** As long as the skew lets it in. */
  readonly until: Instant;
}

function readClaims({ claims }: UnverifiedToken, issuer: string, now: Instant): Result<AssertionClaims, Why> {
  const { iss, sub } = claims;
  if (typeof iss !== 'string' || iss !== sub) return err('iss and sub are not one client');
  if (!isOnlyAudience(claims, issuer)) return err('not for this issuer alone');
  const times = readTimes(claims, now);
  if (!times.ok) return times;
  const { issuedAt, expiresAt } = times.value;
  const latest = after(issuedAt ?? now, seconds(LONGEST_ASSERTION + (issuedAt === null ? CLOCK_AHEAD : 0)));
  if (expiresAt > latest) return err('it lives too long');
  const jti = readJti(claims);
  return jti === null
    ? err('no jti that could be remembered')
    : ok({ client: iss, jti, until: after(expiresAt, CLOCK_SKEW) });
}

interface FoundClient {
  readonly key: PublicJwk;
  /** Asked once the signature has held, so that nobody else learns how the client stands. */
  readonly standing: () => Proven<AgentPrincipal | TargetPrincipal>;
}

const findClient = (snapshot: Snapshot, client: string, now: Instant): FoundClient | null =>
  client.startsWith(TARGET_PREFIX) ? findTarget(snapshot, client) : findAgent(snapshot, client, now);

function findAgent(snapshot: Snapshot, client: string, now: Instant): FoundClient | null {
  const name = client as AgentName;
  const proof = snapshot.agents.get(name)?.enrolment.proof;
  if (proof?.by !== 'key') return null;
  return { key: proof.jwk, standing: () => agentInStanding(snapshot, name, 'private_key_jwt', now) };
}

function findTarget(snapshot: Snapshot, client: string): FoundClient | null {
  const name = client.slice(TARGET_PREFIX.length) as TargetName;
  const key = snapshot.targets.get(name)?.jwk ?? null;
  if (key === null) return null;
  return { key, standing: () => ok({ kind: 'target', tenant: snapshot.tenant.name, target: name }) };
}
