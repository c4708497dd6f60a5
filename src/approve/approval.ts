/**
 * An ask becomes a task that humans answer: an object of its own, with a way along which it escalates. Silence is never
 * a yes: whatever its people do not do, it expires.
 */
import type { ApprovalTerms, Binding } from '../core/approval.ts';
import type { NewWork } from '../core/change.ts';
import { newId } from '../core/ids.ts';
import type { ApprovalId, TenantName } from '../core/ids.ts';
import { seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Ask } from '../decide/decision.ts';
import { asAsked } from '../decide/request.ts';
import { involvedIn } from '../decide/segregation.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Deps } from '../deps.ts';

/** An agent that waits is there within seconds; one that polls comes within a quarter of an hour. */
export const REDEEM_WITHIN = seconds(15 * 60);

/** What is asked, by whom, and how it was decided. */
export interface Asked {
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
  readonly at: Instant;
}

export function approvalTerms(
  deps: Pick<Deps, 'random'>,
  { principal, request, at }: Asked,
  { approval, execution }: Ask,
  binding: Binding,
): ApprovalTerms {
  return {
    id: newId('apr', at, deps.random),
    tenant: principal.tenant,
    request: binding.request,
    agent: principal.agent.name,
    task: execution.task,
    tier: execution.tier,
    askedAt: at,
    expiresAt: approval.deadline,
    redeemWithin: REDEEM_WITHIN,
    asked: asAsked(request),
    binding,
    policy: approval.policy,
    rules: approval.rules,
    route: approval.steps,
    involved: [...involvedIn(principal, at)].toSorted(),
    plan: request.circumstances.plan ?? null,
    narrows: null,
  };
}

/** The next moment at which time itself does something about it. */
export const approvalWork = (
  { random }: Pick<Deps, 'random'>,
  of: { readonly tenant: TenantName; readonly id: ApprovalId },
  due: Instant,
): NewWork => ({
  id: newId('wrk', due, random),
  due,
  what: { task: 'approval', tenant: of.tenant, approval: of.id },
});
