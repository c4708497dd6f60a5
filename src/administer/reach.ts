/** Gathers what the report of reach and conflicts looks at: every tenant, as it is now. */
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { reachOf } from '../decide/reach.ts';
import type { Reach } from '../decide/reach.ts';
import { administratorAt } from './administrator.ts';

/** For administration of the deployment alone: it names people and agents of every tenant. */
export async function reportReach(deps: Deps, operator: OperatorPrincipal): Promise<Result<Reach>> {
  const deployment = await deps.store.deployment();
  const now = deps.clock();
  const by = administratorAt(operator, deployment, now);
  if (!by.ok) return by;
  if (deployment.policy === null) return err(failure('policy_fault', 'no policy is active'));
  const names = await deps.store.tenants();
  const [bundle, agents, ...tenants] = await Promise.all([
    deps.bundles.at(deployment.policy),
    deps.store.agents(),
    ...names.map(({ name }) => deps.store.snapshot(name)),
  ]);
  return ok(reachOf({ bundle, deployment, agents, tenants: tenants.filter((one) => one !== null), now }));
}
