/** The clients and agents that a comparison tries: those of two bundles' examples, or the real ones. */
import type { AgentPrincipal } from '../../authenticate/principal.ts';
import type { EnrolledAgent, Snapshot } from '../../core/snapshot.ts';
import type { Instant } from '../../core/time.ts';
import type { Declarers } from '../admit.ts';
import type { ExampleAgent, ExampleTenant } from '../bundle/cases.ts';
import type { Bundle } from '../bundle/model.ts';
import { STAND_INS } from '../cases.ts';
import { USUALLY, exampleOf } from '../examples.ts';
import type { Rulebook } from '../rulebook.ts';

/** What two bundles are tried with. */
export interface Trial {
  readonly before: Bundle;
  readonly after: Bundle;
  readonly rulebook: Rulebook;
  readonly providers: Declarers;
  /** Whether people can be told. */
  readonly channels: boolean;
  readonly worlds: readonly World[];
  readonly now: Instant;
}

/** By their own examples alone, with nothing behind them. */
export const exampleTrial = (before: Bundle, after: Bundle, rulebook: Rulebook): Trial => ({
  before,
  after,
  rulebook,
  providers: STAND_INS,
  channels: true,
  worlds: exampleWorlds(before, after),
  now: USUALLY,
});

/** One tenant, with the agents there that are looked at. */
export interface World {
  readonly snapshot: Snapshot;
  readonly principals: readonly AgentPrincipal[];
}

/** A tenant as it is, with everybody who is enrolled there; who set them to work is not known. */
export const registeredWorld = (snapshot: Snapshot): World => ({
  snapshot,
  principals: [...snapshot.agents.values()].map((enrolled) => registeredAs(snapshot, enrolled)),
});

export const registeredAs = ({ tenant }: Snapshot, enrolled: EnrolledAgent): AgentPrincipal => ({
  kind: 'agent',
  tenant: tenant.name,
  ...enrolled,
  by: 'private_key_jwt',
  launchedBy: null,
});

/** Every example agent of both at every example client of both; where an example differs, as each of them has it. */
export function exampleWorlds(before: Bundle, after: Bundle): readonly World[] {
  const either = together(before, after);
  const tenants = examplesOf(before, after, 'tenants');
  const agents = examplesOf(before, after, 'agents');
  return tenants.flatMap(([tenant, client]) =>
    agents.map(([agent, example]) => {
      const { snapshot, principal } = exampleOf(either, tenant, client, agent, example);
      return { snapshot, principals: [principal] };
    }),
  );
}

/** People hold what they held before, and whoever is accepted is so for the classes of both. */
const together = (before: Bundle, after: Bundle): Bundle => ({
  ...before,
  roles: new Map([...after.roles, ...before.roles].toSorted(([a], [b]) => rank(before, a) - rank(before, b))),
  tasks: new Map([...after.tasks, ...before.tasks]),
  cases: [...after.cases, ...before.cases],
});

const rank = ({ roles }: Bundle, name: Parameters<Bundle['roles']['has']>[0]): number => (roles.has(name) ? 0 : 1);

function examplesOf(before: Bundle, after: Bundle, of: 'tenants'): readonly [string, ExampleTenant][];
function examplesOf(before: Bundle, after: Bundle, of: 'agents'): readonly [string, ExampleAgent][];
function examplesOf(before: Bundle, after: Bundle, of: 'tenants' | 'agents'): readonly [string, unknown][] {
  const written = [before, after].flatMap(({ cases }) => cases.flatMap(({ holds }) => Object.entries(holds[of] ?? {})));
  return [...new Map(written.map((example) => [JSON.stringify(example), example] as const)).values()];
}
