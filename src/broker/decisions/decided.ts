/** An ask as it would be decided at this moment. */
import type { Approval } from '../../core/approval.ts';
import { failure } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import type { PersonName } from '../../core/ids.ts';
import { isOrdered } from '../../core/request.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { bindingOf } from '../../approve/binding.ts';
import { whyInVain } from '../../approve/fit.ts';
import { yesStanding } from '../../approve/standing.ts';
import type { Moment } from '../../approve/standing.ts';
import type { Ask, Forbid, Permit } from '../../decide/decision.ts';
import { parseAccessRequest } from '../../decide/request.ts';
import type { Deps } from '../../deps.ts';
import { decideNow } from '../deciding.ts';

/** As it would be decided now: what a person would say yes to must be possible still. */
export async function decidedNow(deps: Deps, snapshot: Snapshot, approval: Approval): Promise<Result<Permit | Ask>> {
  const request = parseAccessRequest(approval.asked);
  const enrolled = snapshot.agents.get(approval.agent);
  if (!request.ok) return request;
  if (enrolled === undefined) return err(NOT_ENROLLED);
  const { launchedBy } = request.value;
  const principal = { kind: 'agent', tenant: approval.tenant, ...enrolled, by: 'session', launchedBy } as const;
  const as = { manyTenants: false, underWay: true, ordered: isOrdered(request.value) } as const;
  const decision = await decideNow(deps, { snapshot, principal, request: request.value, ...as });
  if (decision.effect !== 'forbid') return ok(decision);
  const hint =
    'Nothing can be approved that would not be given: wait until that has changed. Unanswered it ends by itself.';
  return err(failure('approval_over', `it would be refused now: ${await reasonOf(deps, decision)}`, { hint }));
}

const NOT_ENROLLED = failure('approval_over', 'the agent is not enrolled here any more');

/** As the rules say it to people, who decide here; an agent is told less. */
async function reasonOf({ bundles }: Deps, { reason: { rules, policy, detail } }: Forbid): Promise<string> {
  const bundle = policy === null ? null : await bundles.at(policy);
  const all = rules.flatMap((rule) => bundle?.rules.get(rule) ?? []);
  // One that asks would be met by a person's word.
  const said = all.flatMap(({ annotations }) => (annotations['obligation'] ? [] : (annotations['reason'] ?? [])));
  return said.length === 0 ? detail : said.join(' ');
}

/** Why this person's yes would be in vain as things are, since the agent would get nothing for it; or `null`. */
export function whyYesInVain(
  deps: Deps,
  {
    approval,
    decision,
    moment,
  }: { readonly approval: Approval; readonly decision: Permit | Ask; readonly moment: Moment },
  person: PersonName,
): Failure | null {
  const request = parseAccessRequest(approval.asked);
  const enrolled = moment.snapshot.agents.get(approval.agent);
  if (!request.ok) return request.error;
  if (enrolled === undefined) return NOT_ENROLLED;
  const principal = { tenant: approval.tenant, ...enrolled };
  const of = { id: approval.request, principal, request: request.value, snapshot: moment.snapshot };
  const binding = bindingOf(deps.providers, of, decision.execution);
  if (!binding.ok) return binding.error;
  return whyInVain({ approval, decision, binding: binding.value }, [...yesStanding(approval, moment), person]);
}
