/** The token of a lease, by which an agent calls through the gateway. It is good for that lease and nowhere else. */
import type { AgentName, LeaseId } from '../../core/ids.ts';
import { isName } from '../../core/ids.ts';
import { sha256Hex } from '../../core/digest.ts';
import { keep } from '../../core/gateway/kept.ts';
import { gatewayUrl, LEASE_TOKEN_TYPE } from '../../core/gateway/specification.ts';
import { tenantIssuer } from '../../core/issuer.ts';
import { ok } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { unauthenticated } from '../../authenticate/auth-failure.ts';
import type { Proven } from '../../authenticate/auth-failure.ts';
import { isSignedBy } from '../../authenticate/signed.ts';
import { decodeUnverified, isOnlyAudience, LONGEST_TOKEN, readTimes } from '../../authenticate/token.ts';
import type { UnverifiedToken } from '../../authenticate/token.ts';
import type { Deps } from '../../deps.ts';

/** @returns whom it was made for. Whether the lease lives is not looked at. */
export async function verifyLeaseToken(
  { publicUrl, clock }: Pick<Deps, 'publicUrl' | 'clock'>,
  snapshot: Snapshot,
  lease: LeaseId,
  text: string,
): Promise<Proven<AgentName>> {
  const digest = sha256Hex(text.slice(0, LONGEST_TOKEN + 1));
  const decoded = decode(text, digest);
  if (!decoded.ok) return unauthenticated(decoded.error);
  const token = decoded.value;
  const why = whyNotHere(token, tenantIssuer(publicUrl, snapshot.tenant.name), lease);
  if (why !== null) return unauthenticated(why);
  const times = readTimes(token.claims, clock());
  if (!times.ok) return unauthenticated(times.error);
  const key = snapshot.keys.find(({ kid }) => kid === token.kid);
  if (key === undefined || !(await isSignedBy(key.publicJwk, token, digest))) {
    return unauthenticated('not signed by this tenant');
  }
  const { sub } = token.claims;
  return isName(sub) ? ok(sub as AgentName) : unauthenticated('no agent');
}

/** Taken apart once: it comes with every call of its lease. Nothing of it is believed for that. */
const takenApart = new Map<string, UnverifiedToken>();
const MOST_KEPT = 1_000;

function decode(text: string, digest: string): ReturnType<typeof decodeUnverified> {
  const known = takenApart.get(digest);
  if (known !== undefined) return ok(known);
  const decoded = decodeUnverified(text);
  if (decoded.ok && decoded.value.type === LEASE_TOKEN_TYPE) keep(takenApart, digest, decoded.value, MOST_KEPT);
  return decoded;
}

function whyNotHere({ type, claims }: UnverifiedToken, issuer: string, lease: LeaseId): string | null {
  if (type !== LEASE_TOKEN_TYPE) return 'another kind of token in a lease’s place';
  if (claims['iss'] !== issuer || !isOnlyAudience(claims, gatewayUrl(issuer, lease))) return 'another lease’s';
  return claims['jti'] === lease ? null : 'another lease’s';
}
