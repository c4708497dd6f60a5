/**
 * Workload federation: an agent that runs on a platform proves itself with the token that the platform gave it. Platforms
 * hand one token out many times, so it is good until it ends; what fixes the agent is a binding of immutable claims.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { AgentName } from '../core/ids.ts';
import type { IssuerKeys } from '../core/issuer.ts';
import type { TrustedIssuer } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { issuerUnavailable, notTheClient } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import type { AssertionContext } from './assertion.ts';
import { claimAt, satisfies } from './binding.ts';
import { agentInStanding } from './principal.ts';
import type { AgentPrincipal } from './principal.ts';
import { CLOCK_SKEW, isOnlyAudience, readTimes, verifySignature } from './token.ts';
import type { UnverifiedToken, Why } from './token.ts';

export interface VerifiedWorkload {
  readonly principal: AgentPrincipal;
  /** What the platform vouched for, for the ledger: the claims of the binding. */
  readonly vouched: JsonObject;
}

export interface WorkloadContext extends AssertionContext {
  readonly keys: IssuerKeys;
}

/**
 * Whether a token is a workload's to judge: it names an issuer that was registered and that an agent of this tenant
 * is bound to. One that nobody registered is never asked for its keys.
 */
export function issuerOfWorkload(snapshot: Snapshot, { claims }: UnverifiedToken): TrustedIssuer | null {
  const named = snapshot.deployment.issuers.filter(({ url }) => url === claims['iss']);
  const [issuer] = named;
  if (issuer === undefined || named.length > 1) return null;
  const bound = [...snapshot.agents.values()].some(
    ({ enrolment: { proof } }) => proof.by === 'workload' && proof.binding.issuer === issuer.name,
  );
  return bound ? issuer : null;
}

export async function verifyWorkload(
  snapshot: Snapshot,
  token: UnverifiedToken,
  issuer: TrustedIssuer,
  context: WorkloadContext,
): Promise<Proven<VerifiedWorkload>> {
  const refusal = whyNotNow(token, issuer, context);
  if (refusal !== null) return notTheClient(refusal);
  const key = await context.keys.find(issuer.url, token);
  if (!key.ok && key.error === 'unavailable') return issuerUnavailable();
  if (!key.ok) return notTheClient('signed with a key that the issuer does not show');
  const verified = await verifySignature(token, key.value);
  if (verified === null) return notTheClient('not signed by its issuer');
  const match = findBound(snapshot, issuer, verified.claims);
  if (!match.ok) return notTheClient(match.error);
  if (context.clientId !== null && context.clientId !== match.value.agent)
    return notTheClient('another client than the one bound');
  const principal = agentInStanding(snapshot, match.value.agent, 'workload', context.now);
  return principal.ok ? ok({ principal: principal.value, vouched: match.value.vouched }) : principal;
}

function whyNotNow(
  { claims }: UnverifiedToken,
  issuer: TrustedIssuer,
  { issuer: audience, now }: AssertionContext,
): Why | null {
  if (!isOnlyAudience(claims, audience)) return 'not for this issuer alone';
  const times = readTimes(claims, now);
  if (!times.ok) return times.error;
  const { issuedAt } = times.value;
  if (issuedAt === null) return 'no iat';
  return isOlderThan(issuedAt, issuer, now) ? 'older than the issuer’s tokens may be' : null;
}

const isOlderThan = (issuedAt: Instant, { maxAge }: TrustedIssuer, now: Instant): boolean =>
  now > after(issuedAt, seconds(maxAge + CLOCK_SKEW));

interface Match {
  readonly agent: AgentName;
  readonly vouched: JsonObject;
}

/** Exactly one: a token that fits two would let the workload choose which agent it is. */
function findBound(snapshot: Snapshot, issuer: TrustedIssuer, claims: JsonObject): Result<Match, Why> {
  const matches = [...snapshot.agents].flatMap(
    ([
      agent,
      {
        enrolment: { proof },
      },
    ]) => {
      const fits = proof.by === 'workload' && proof.binding.issuer === issuer.name && satisfies(claims, proof.binding);
      return fits
        ? [{ agent, vouched: { issuer: issuer.url, sub: claimAt(claims, 'sub'), ...proof.binding.claims } }]
        : [];
    },
  );
  const [match] = matches;
  if (match === undefined) return err('no agent here is bound to such a workload');
  return matches.length === 1 ? ok(match) : err('two agents here are bound to such a workload');
}
