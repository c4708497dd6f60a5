/**
 * Whose call it is and what it may be: the lease of a token, as far as it does not change, its agent as the snapshot has
 * it, and the tool. Whether the lease lives is for the commit that counts the use.
 */
import { blockableOf, blockOver } from '../../core/block.ts';
import type { Block } from '../../core/block.ts';
import { keep } from '../../core/gateway/kept.ts';
import type { KeptLease } from '../../core/gateway/kept.ts';
import { gatewaySpecification } from '../../core/gateway/specification.ts';
import type { GatewaySpecification } from '../../core/gateway/specification.ts';
import type { AgentName, LeaseId } from '../../core/ids.ts';
import type { Lease } from '../../core/lease.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { unauthenticated } from '../../authenticate/auth-failure.ts';
import type { AuthFailure } from '../../authenticate/auth-failure.ts';
import { agentInStanding } from '../../authenticate/principal.ts';
import type { AgentPrincipal } from '../../authenticate/principal.ts';
import type { Deps } from '../../deps.ts';
import { aliveNow } from '../alive.ts';
import type { Alive } from '../alive.ts';
import { toolFor } from './key.ts';
import type { Tool } from './key.ts';
import { verifyLeaseToken } from './token.ts';

export interface Calling {
  readonly lease: Lease;
  readonly specification: GatewaySpecification;
  readonly principal: AgentPrincipal;
  readonly snapshot: Snapshot;
  readonly tool: Tool;
  /** The kill switch that stands in its way. */
  readonly block: Block | null;
}

export interface NotCalling extends AuthFailure {
  /** Where the token is its own, and it may not be used. */
  readonly lease: Lease | null;
}

export async function callingOf(
  deps: Deps,
  snapshot: Snapshot,
  id: LeaseId,
  token: string,
): Promise<Result<Calling, NotCalling>> {
  const agent = await verifyLeaseToken(deps, snapshot, id, token);
  if (!agent.ok) return notCalling(agent, null);
  const kept = await leaseOf(deps, snapshot, id, agent.value);
  if (kept === null) return notCalling(LEASE_OVER, null);
  const { lease, version } = kept;
  const tool = version === null ? null : toolFor(snapshot, version);
  if (tool === null) return notCalling(LEASE_OVER, lease);
  const now = deps.clock();
  const standing = agentInStanding(snapshot, lease.agent, 'session', now);
  if (!standing.ok) return notCalling(unauthenticated(standing.error.why), lease);
  const principal = standing.value;
  const block = blockOver(snapshot.blocks, blockableOf(lease, principal.agent), now);
  return ok({ lease, specification: specificationOf(lease), principal, snapshot, tool, block });
}

const notCalling = (why: Result<never, AuthFailure>, lease: Lease | null): Result<never, NotCalling> =>
  why.ok ? why : err({ ...why.error, lease });

export const LEASE_OVER = unauthenticated('the lease is over, or was never this token’s');

/** Some kilobytes each. */
const MOST_LEASES = 4096;

/** `version`: none where it may not be used any more. */
type Found = Omit<KeptLease, 'version'> & { readonly version: KeptLease['version'] | null };

async function leaseOf(deps: Deps, snapshot: Snapshot, id: LeaseId, agent: AgentName): Promise<Found | null> {
  const { leases } = deps.gateway;
  const known = leases.get(id);
  const lease = known?.lease ?? (await deps.store.lease(snapshot.tenant.name, id));
  if (lease?.tenant !== snapshot.tenant.name || lease.agent !== agent) return null;
  if (deps.clock() < lease.expiresAt) {
    const kept = known ?? (await withVersion(deps, snapshot, lease));
    if (kept !== null) keep(leases, id, kept, MOST_LEASES);
    return kept ?? { lease, version: null };
  }
  leases.delete(id);
  return { lease, version: null };
}

async function withVersion({ store }: Deps, { tenant, targets }: Snapshot, lease: Lease): Promise<KeptLease | null> {
  if (lease.state !== 'active' || lease.provider !== 'http') return null;
  const newest = targets.get(lease.target);
  const version =
    newest?.version === lease.targetVersion
      ? newest
      : await store.target(tenant.name, lease.target, lease.targetVersion);
  return version === null ? null : { lease, version };
}

const specifications = new WeakMap<Lease, GatewaySpecification>();

function specificationOf(lease: Lease): GatewaySpecification {
  const known = specifications.get(lease) ?? gatewaySpecification.parse(lease.specification);
  specifications.set(lease, known);
  return known;
}

/** As the store has it now, with a use left and under no block; for what is done before the use is counted. */
export const usableNow = (deps: Deps, { tenant, id }: Lease): Promise<Alive | null> => aliveNow(deps, tenant, id);
