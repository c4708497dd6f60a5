/**
 * What an approval binds, and whether what would be minted now is still that. Durations are in it: a yes to five minutes
 * is none to four.
 */
import { bindingHash } from '../core/approval.ts';
import type { Binding } from '../core/approval.ts';
import { canonicalDigest } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import type { RequestId } from '../core/ids.ts';
import type { Provider } from '../core/provider.ts';
import type { ProviderKind } from '../core/registers.ts';
import type { AccessRequest } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { proofDigest } from '../authenticate/principal.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Execution } from '../decide/decision.ts';
import { mintTermsOf } from '../decide/mint-terms.ts';
import { deathFields } from '../decide/record.ts';

export interface BoundTo {
  readonly id: RequestId;
  readonly principal: Pick<AgentPrincipal, 'tenant' | 'agent' | 'enrolment'>;
  readonly request: Pick<AccessRequest, 'hash'>;
  readonly snapshot: Snapshot;
}

/** Pure: `specify` gives the same for the same terms and version of the target. */
export function bindingOf(
  providers: ReadonlyMap<ProviderKind, Provider>,
  { id, principal: { tenant, agent, enrolment }, request, snapshot }: BoundTo,
  execution: Execution,
): Result<Binding> {
  const { target } = execution;
  const provider = providers.get(target.provider);
  if (provider === undefined) return err(failure('internal', 'the provider of this target is not built in'));
  const specification = provider.specify(mintTermsOf({ tenant, agent: agent.name, request: id }, execution), target);
  if (!specification.ok) return specification;
  return ok({
    tenant,
    request: id,
    agent: agent.name,
    proof: proofDigest(snapshot, enrolment),
    request_hash: request.hash,
    task: execution.task,
    role: execution.role,
    resource: execution.resource,
    parameters: execution.parameters,
    ttl: execution.ttl,
    uses: execution.uses,
    provider: target.provider,
    target: target.name,
    target_version: target.version,
    death: deathFields(execution.declared),
    not_enforced: execution.notEnforced,
    mint: canonicalDigest(specification.value),
  });
}

/** What is another now than what was approved, by the names of the binding's members; empty: it is the very same. */
export function differences(approved: Binding, now: Binding): readonly string[] {
  if (bindingHash(approved) === bindingHash(now)) return [];
  const members = Object.keys({ ...approved, ...now }) as (keyof Binding)[];
  return members.filter((member) => digestOf(approved, member) !== digestOf(now, member));
}

/** Another version of Brevet may have kept one without it. */
const digestOf = (binding: Partial<Binding>, member: keyof Binding): string => canonicalDigest(binding[member] ?? null);
