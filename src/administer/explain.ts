/**
 * Why a request was, or would be, answered as it is: for those who oversee or administer where it has effect. Nothing
 * is written and nothing is issued.
 */
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { AgentName, RequestId, TenantName } from '../core/ids.ts';
import { isOrdered } from '../core/request.ts';
import type { AccessRequest } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import type { Deps } from '../deps.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { activePolicy } from '../decide/active.ts';
import type { Policy } from '../decide/decide.ts';
import { registeredAs, registeredWorld } from '../decide/diff/worlds.ts';
import { explain } from '../decide/explain.ts';
import type { Explanation } from '../decide/explain.ts';
import { parseAccessRequest } from '../decide/request.ts';
import { summarize } from '../decide/summary.ts';
import type { Summary } from '../decide/summary.ts';
import { standingAt } from './administrator.ts';

export interface ExplainedRequest {
  readonly recorded: KeptRequest;
  readonly explanation: Explanation;
}

/** As the active policy would answer it now; what was recorded stands beside it. */
export async function explainRecorded(
  deps: Deps,
  operator: OperatorPrincipal,
  id: RequestId,
): Promise<Result<ExplainedRequest>> {
  for (const { name } of await deps.store.tenants()) {
    const kept = await seenAt(deps, operator, name);
    const recorded = kept.ok ? await deps.store.request(name, id) : null;
    if (recorded === null) continue;
    const snapshot = await seenNow(deps, operator, name);
    if (!snapshot.ok) return snapshot;
    const asked = parseAccessRequest(recorded.asked);
    if (!asked.ok) return asked;
    const explained = await explainAt(deps, snapshot.value, recorded.agent, asked.value, isOrdered(asked.value));
    return explained.ok ? ok({ recorded, explanation: explained.value }) : explained;
  }
  return err(NOTHING_HERE);
}

/** One that nobody has made. */
export async function explainHypothetical(
  deps: Deps,
  operator: OperatorPrincipal,
  { tenant, agent, request }: { readonly tenant: TenantName; readonly agent: string; readonly request: unknown },
): Promise<Result<Explanation>> {
  const snapshot = await seenNow(deps, operator, tenant);
  if (!snapshot.ok) return snapshot;
  const parsed = parseAccessRequest(request);
  return parsed.ok ? explainAt(deps, snapshot.value, agent, parsed.value) : parsed;
}

/** The page of one client, by the active policy and those who are enrolled there. */
export async function summarizeAt(
  deps: Deps,
  operator: OperatorPrincipal,
  tenant: TenantName,
): Promise<Result<Summary>> {
  const snapshot = await seenNow(deps, operator, tenant);
  if (!snapshot.ok) return snapshot;
  const policy = await policyOf(deps, snapshot.value);
  if (!policy.ok) return policy;
  return ok(summarize({ ...policy.value, worlds: [registeredWorld(snapshot.value)], tenant, now: deps.clock() }));
}

/** Whoever neither oversees nor administers there is told of nothing. */
async function seenAt(deps: Deps, operator: OperatorPrincipal, tenant: TenantName): Promise<Result<Snapshot>> {
  const snapshot = await deps.store.snapshot(tenant);
  if (snapshot === null || functionAt(snapshot, operator.person, deps.clock()) === null) return err(NOTHING_HERE);
  const standing = standingAt(operator, snapshot, deps.clock(), ['read', 'administer']);
  return standing.ok ? ok(snapshot) : standing;
}

/** One who has lost the function meanwhile, on another node, sees nothing any more. */
export function seenNow(deps: Deps, operator: OperatorPrincipal, tenant: TenantName): Promise<Result<Snapshot>> {
  deps.store.forget(tenant);
  return seenAt(deps, operator, tenant);
}

async function explainAt(
  deps: Deps,
  snapshot: Snapshot,
  agent: string,
  request: AccessRequest,
  ordered = false,
): Promise<Result<Explanation>> {
  const enrolled = snapshot.agents.get(agent as AgentName);
  if (enrolled === undefined) return err(NOTHING_HERE);
  const policy = await policyOf(deps, snapshot);
  if (!policy.ok) return policy;
  const principal = registeredAs(snapshot, enrolled);
  return ok(explain(policy.value, { snapshot, principal, request, now: deps.clock(), manyTenants: false, ordered }));
}

async function policyOf(deps: Deps, { deployment }: Snapshot): Promise<Result<Policy>> {
  const policy = await activePolicy(deps, deployment);
  return policy === null ? err(failure('policy_fault', 'no policy is active')) : ok(policy);
}
