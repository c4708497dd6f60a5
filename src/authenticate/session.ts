/**
 * Session tokens for Brevet's own API: they say that an agent has proven itself a moment ago, and nothing of what it
 * may do. The agent's state is looked at whenever one is used, so one that is disabled, enrolled anew or unowned has
 * none.
 */
import { isName } from '../core/ids.ts';
import type { AgentName } from '../core/ids.ts';
import { sha256Hex, toHex } from '../core/digest.ts';
import { tenantIssuer } from '../core/issuer.ts';
import { Secret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, numericDate, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { unauthenticated } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import { agentInStanding, proofDigest } from './principal.ts';
import type { AgentPrincipal } from './principal.ts';
import { isSignedBy } from './signed.ts';
import { decodeUnverified, isOnlyAudience, readTimes } from './token.ts';
import type { UnverifiedToken } from './token.ts';

/** Keeps it out of an access token's place, and every other token out of its own. @see RFC 8725 section 3.11 */
export const SESSION_TYPE = 'brevet-session+jwt';
export const SESSION_LIFETIME: Seconds = seconds(300);

export interface Session {
  readonly token: Secret;
  readonly expiresIn: Seconds;
}

/** Signs one for an agent that has just proven itself; the commit that opens it is the caller's. */
export async function signSession(
  deps: Pick<Deps, 'signer' | 'publicUrl' | 'random'>,
  snapshot: Snapshot,
  { agent, enrolment }: AgentPrincipal,
  now: Instant,
): Promise<Session> {
  const issuer = tenantIssuer(deps.publicUrl, snapshot.tenant.name);
  const token = await deps.signer.sign(snapshot.tenant.name, SESSION_TYPE, {
    iss: issuer,
    aud: issuer,
    sub: agent.name,
    iat: numericDate(now),
    exp: numericDate(after(now, SESSION_LIFETIME)),
    jti: toHex(deps.random(16)),
    proof: proofDigest(snapshot, enrolment),
  });
  return { token: new Secret(token), expiresIn: SESSION_LIFETIME };
}

/** @param text what stood after `Bearer`. */
export async function verifySession(
  deps: Pick<Deps, 'publicUrl' | 'clock'>,
  snapshot: Snapshot,
  text: string,
): Promise<Proven<AgentPrincipal>> {
  const now = deps.clock();
  const decoded = decodeUnverified(text);
  if (!decoded.ok) return unauthenticated(decoded.error);
  const token = decoded.value;
  const why = whyNotHere(token, tenantIssuer(deps.publicUrl, snapshot.tenant.name), now);
  if (why !== null) return unauthenticated(why);
  const key = snapshot.keys.find(({ kid }) => kid === token.kid);
  if (key === undefined || !(await isSignedBy(key.publicJwk, token, sha256Hex(text)))) {
    return unauthenticated('not signed by this tenant');
  }
  const { sub, proof } = token.claims;
  return isName(sub) ? stillStands(snapshot, sub as AgentName, proof, now) : unauthenticated('no agent');
}

function whyNotHere({ type, claims }: UnverifiedToken, issuer: string, now: Instant): string | null {
  if (type !== SESSION_TYPE) return 'another kind of token in a session’s place';
  if (claims['iss'] !== issuer || !isOnlyAudience(claims, issuer)) return 'another tenant’s';
  const times = readTimes(claims, now);
  return times.ok ? null : times.error;
}

function stillStands(snapshot: Snapshot, name: AgentName, proof: unknown, now: Instant): Proven<AgentPrincipal> {
  const standing = agentInStanding(snapshot, name, 'session', now);
  if (!standing.ok) {
    const { failure, why } = standing.error;
    return failure.code === 'invalid_client' ? unauthenticated(why) : standing;
  }
  if (proof !== proofDigest(snapshot, standing.value.enrolment)) return unauthenticated('enrolled anew since');
  return standing;
}
