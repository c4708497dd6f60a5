/**
 * Agents and clients that every decision under two bundles takes for the same, but for their names: one of them stands
 * for all. Pure.
 */
import type { AgentPrincipal } from '../../authenticate/principal.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Instant } from '../../core/time.ts';
import type { Bundle } from '../bundle/model.ts';
import { executionRoles, involvedIn, roleHeld, standingFor } from '../segregation.ts';

/** One agent at one client. */
export interface Place {
  readonly snapshot: Snapshot;
  readonly principal: AgentPrincipal;
}

/** Those that are alike, each group with the first of it in front. */
export function alike(
  places: readonly Place[],
  bundles: readonly Bundle[],
  now: Instant,
): readonly (readonly [Place, ...Place[]])[] {
  const groups = new Map<string, [Place, ...Place[]]>();
  for (const place of places) {
    const key = JSON.stringify([clientOf(place, bundles), agentOf(place), standingOf(place, bundles, now)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return [...groups.values()];
}

/** What stops it may name one agent, or what is said of one. */
const isStopped = ({ blocks, trips }: Snapshot): boolean => blocks.length + trips.length > 0;

function clientOf({ snapshot }: Place, bundles: readonly Bundle[]) {
  const { tenant, situations, windows, targets } = snapshot;
  const { contacts: _, ...context } = tenant.context;
  return {
    context,
    situations: situations.map(({ id: _id, tenant: _tenant, author: _author, ...rest }) => rest),
    windows,
    targets: [...targets.values()].map(({ name, version: _version, secret: _secret, jwk: _jwk, ...rest }) => [
      name,
      { ...rest, tenant: null },
    ]),
    // One that has rules of its own, or where something is stopped, is like no other.
    own: isStopped(snapshot) || bundles.some(({ own }) => own.has(tenant.name)) ? tenant.name : null,
    paused: snapshot.pauses.length > 0,
    late: [...snapshot.lateNotices].toSorted(),
  };
}

function agentOf({ snapshot, principal: { agent, enrolment } }: Place) {
  const { autonomy, kind, vendor, model, modelVersion, active } = agent;
  const accepted = snapshot.acceptances.get(agent.name);
  const { persons } = snapshot.deployment;
  return {
    name: isStopped(snapshot) ? agent.name : null,
    autonomy,
    kind,
    vendor,
    model,
    modelVersion,
    active,
    owned: persons.get(agent.owner)?.active === true,
    until: enrolment.exception?.until ?? null,
    accepted: accepted === undefined ? null : [accepted.model, accepted.modelVersion, accepted.tasks],
  };
}

/** What each bundle makes of who holds what here. */
const standingOf = ({ snapshot, principal }: Place, bundles: readonly Bundle[], now: Instant) =>
  bundles.map((bundle) => {
    const involved = involvedIn(principal, now);
    const people = (['oversight', 'approval'] as const).map((of) => {
      const { persons, until } = standingFor(of, involved, { bundle, snapshot, now });
      return [persons.length > 0, until];
    });
    const held = executionRoles(bundle, snapshot, principal.agent.name, now);
    const roles = held.map(({ role, assignment }) => [role.name, assignment.until]);
    const reach = [...bundle.roles.values()].map(
      ({ name, function: of }) => roleHeld(bundle, { role: name, function: of }, snapshot) !== null,
    );
    return { people, roles, reach };
  });
