/** The AI inventory: every agent, who answers for it, what it is, where it works, what it holds and what it uses of that. */
import type { TenantName } from '../core/ids.ts';
import type { Agent, Assignment } from '../core/registers.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Placements } from '../core/store/leases.ts';
import { instant } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { LISTED_ONLY } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { administratorAt } from './administrator.ts';

export interface InventoryItem {
  readonly agent: Agent;
  /** Whether somebody answers for it. */
  readonly answered: boolean;
  /** One that cannot is of a kind that is only listed. */
  readonly canAuthenticate: boolean;
  readonly tenants: readonly TenantName[];
  readonly roles: readonly { readonly assignment: Assignment; readonly lastUsed: Instant | null }[];
  /** When it last got a credential. */
  readonly lastUse: Instant | null;
}

/** Administration of the deployment sees all of it; oversight its tenants' part and nothing else. */
export async function inventory(deps: Deps, operator: OperatorPrincipal): Promise<Result<readonly InventoryItem[]>> {
  const deployment = await deps.store.deployment();
  const within = await seenBy(deps, operator);
  if (!within.ok) return within;
  const [agents, placements] = await Promise.all([deps.store.agents(), deps.store.placements(within.value)]);
  const isAnswered = ({ owner, leftBy }: Agent): boolean =>
    leftBy === null && deployment.persons.get(owner)?.active === true;
  const items = agents.map((agent) => itemOf(agent, placements, isAnswered(agent)));
  return ok(within.value === null ? items : items.filter(({ tenants, roles }) => tenants.length + roles.length > 0));
}

async function seenBy(deps: Deps, operator: OperatorPrincipal): Promise<Result<readonly TenantName[] | null>> {
  const by = administratorAt(operator, await deps.store.deployment(), deps.clock());
  if (by.ok) return ok(null);
  const tenants = await deps.store.overseenBy(operator.person);
  if (tenants.length > 0) return ok(tenants);
  const hint = 'Ask somebody who administers the deployment, or oversees a tenant.';
  return err(failure('function_needed', 'This takes administration of the deployment, or oversight', { hint }));
}

function itemOf(agent: Agent, placements: Placements, answered: boolean): InventoryItem {
  const enrolments = placements.enrolments.filter((enrolment) => enrolment.agent === agent.name);
  const uses = placements.uses.filter((use) => use.agent === agent.name);
  const held = placements.assignments.filter(({ holder }) => holder.name === agent.name);
  return {
    agent,
    answered,
    canAuthenticate: !LISTED_ONLY.includes(agent.kind),
    tenants: enrolments.map(({ tenant }) => tenant),
    roles: held.map((assignment) => {
      const { tenant, role } = assignment;
      const use = uses.find((one) => one.tenant === tenant && one.role === role);
      return { assignment, lastUsed: use?.lastAt ?? null };
    }),
    lastUse: uses.length === 0 ? null : instant(Math.max(...uses.map(({ lastAt }) => lastAt))),
  };
}
