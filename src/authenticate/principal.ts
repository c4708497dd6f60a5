/**
 * Who is calling, once that is proven. Nothing further in ever sees a raw token.
 */
import type { AgentName, OperatorName, PersonName, TargetName, TenantName } from '../core/ids.ts';
import { heldBy } from '../core/held.ts';
import { canonicalDigest } from '../core/canonical.ts';
import type { Agent, Assignment, Enrolment, RoleFunction } from '../core/registers.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import { ok } from '../core/result.ts';
import { notTheClient, ownerGone } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';

export interface AgentPrincipal {
  readonly kind: 'agent';
  readonly tenant: TenantName;
  readonly agent: Agent;
  readonly enrolment: Enrolment;
  readonly by: 'private_key_jwt' | 'workload' | 'session';
  /** Who set it to work, where the proof says so; an agent's own word does not. */
  readonly launchedBy: PersonName | null;
}

export interface OperatorPrincipal {
  readonly kind: 'operator';
  readonly operator: OperatorName;
  readonly person: PersonName;
  /** `local`: with the deployment key, on its machine. What that may do is `mayUse`. */
  readonly by: 'oidc' | 'passkey' | 'local';
}

export interface TargetPrincipal {
  readonly kind: 'target';
  readonly tenant: TenantName;
  readonly target: TargetName;
}

export type Principal = AgentPrincipal | OperatorPrincipal | TargetPrincipal;

/**
 * The one function that a person holds: at a tenant, where administration of the deployment counts too; or at the
 * deployment, given its snapshot alone. Two at once, which the database refuses, count as none.
 */
export function functionAt(
  place: Snapshot | DeploymentSnapshot,
  person: PersonName,
  now: Instant,
): RoleFunction | null {
  if (deploymentOf(place).persons.get(person)?.active !== true) return null;
  let only: RoleFunction | null = null;
  for (const held of heldAt(place, person, now)) {
    if (only !== null && only !== held.function) return null;
    only = held.function;
  }
  return only;
}

/** Whether every role that a person holds here reads alone: they see what their function lets others do. */
export function readsAlone(place: Snapshot | DeploymentSnapshot, person: PersonName, now: Instant): boolean {
  const held = heldAt(place, person, now);
  return held.length > 0 && held.every(({ role }) => deploymentOf(place).reading.has(role));
}

const deploymentOf = (place: Snapshot | DeploymentSnapshot): DeploymentSnapshot =>
  'deployment' in place ? place.deployment : place;

function heldAt(place: Snapshot | DeploymentSnapshot, person: PersonName, now: Instant): readonly Assignment[] {
  const here = heldBy(place.assignments, 'person', person);
  const above = 'deployment' in place ? heldBy(place.deployment.assignments, 'person', person) : [];
  return [...above, ...here].filter(({ until }) => until === null || until > now);
}

/** These hold no credential of Brevet's, nor a session: they are listed for the inventory. */
export const LISTED_ONLY: readonly Agent['kind'][] = ['embedded', 'planned'];

/**
 * An agent as it stands at this moment, whatever it proved before: enrolled, active, and answered for.
 */
export function agentInStanding(
  snapshot: Snapshot,
  name: AgentName,
  by: AgentPrincipal['by'],
  now: Instant,
): Proven<AgentPrincipal> {
  const enrolled = snapshot.agents.get(name);
  if (enrolled === undefined) return notTheClient('no agent of that name is enrolled here');
  const { agent, enrolment } = enrolled;
  if (!agent.active) return notTheClient('the agent is disabled');
  if (LISTED_ONLY.includes(agent.kind)) return notTheClient('the agent is of a kind that is only listed');
  if (enrolment.exception !== null && enrolment.exception.until <= now) {
    return notTheClient('the exception that the key stood on has ended');
  }
  if (!hasOwner(snapshot, agent)) return ownerGone();
  return ok({ kind: 'agent', tenant: snapshot.tenant.name, agent, enrolment, by, launchedBy: null });
}

const isActive = ({ deployment }: Snapshot, person: PersonName): boolean =>
  deployment.persons.get(person)?.active === true;

const hasOwner = (snapshot: Snapshot, { owner, leftBy }: Agent): boolean =>
  isActive(snapshot, owner) && leftBy === null;

/**
 * Whether what an agent was given may still be used: neither the agent has gone, nor who answers for it now, nor who
 * did when it was given.
 */
export const isAnsweredFor = (snapshot: Snapshot, agent: Agent, owner: PersonName): boolean =>
  agent.active && hasOwner(snapshot, agent) && isActive(snapshot, owner);

/** Names the proof that an enrolment rests on, so that what was made under another one ends with it. */
export function proofDigest(snapshot: Snapshot, { proof }: Enrolment): string {
  if (proof.by === 'key') return canonicalDigest(['key', proof.thumbprint]);
  const { issuer, claims } = proof.binding;
  const url = snapshot.deployment.issuers.find(({ name }) => name === issuer)?.url ?? null;
  return canonicalDigest(['workload', issuer, url, { ...claims }]);
}
