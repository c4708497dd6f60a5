/** The limits of the active policy, as one request meets them: how often an agent asks, what it may hold at once. */
import type { LiveBudget, Within } from '../core/change.ts';
import { seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import type { Asking } from '../attribute/record.ts';
import type { Ask, Forbid, Permit } from '../decide/decision.ts';
import { denial, forbid } from '../decide/denial.ts';
import type { Deps } from '../deps.ts';

export type Budget = LiveBudget | 'requests_per_minute';

/** A budget that is full, and how long it is worth waiting for. */
export interface Full {
  readonly budget: Budget;
  readonly retryAfter: Seconds;
}

/** Counts one request. @returns `null` while there is room for it. */
export async function rateOf(deps: Deps, { principal, snapshot }: Pick<Asking, 'principal' | 'snapshot'>) {
  const { policy } = snapshot.deployment;
  const perMinute = policy === null ? null : (await deps.bundles.at(policy)).budgets.requestsPerMinute;
  const wait =
    perMinute === null ? null : deps.rates.take({ tenant: principal.tenant, agent: principal.agent.name }, perMinute);
  return wait === null ? null : ({ budget: 'requests_per_minute', retryAfter: wait } satisfies Full);
}

/** What the commit of a decision must stay within. */
export async function withinOf(
  deps: Deps,
  asking: Asking,
  { effect, approval, execution }: Permit | Ask,
): Promise<Within> {
  const { budgets, manyTenants } = await deps.bundles.at(approval.policy);
  const { agent, tenant } = asking.principal;
  const added = addedBy(effect, execution).map((budget) => [budget, budgets.live[budget]] as const);
  return {
    budgets: Object.fromEntries(added.filter(([, most]) => most !== undefined)),
    spread: {
      owner: agent.owner,
      agent: agent.name,
      task: execution.task,
      place: deps.placeOf(tenant),
      ...manyTenants,
      asks: effect === 'ask',
    },
  };
}

function addedBy(effect: 'permit' | 'ask', { target }: Permit['execution']): readonly LiveBudget[] {
  if (effect === 'ask') return ['open_approvals'];
  return target.provider === 'postgres' ? ['live_leases', 'live_logins'] : ['live_leases'];
}

/** Until the first of what fills it ends by itself, which it may do sooner. */
export const waitUntil = (until: Instant | null, now: Instant): Seconds =>
  seconds(Math.max(1, Math.ceil(((until ?? now) - now) / 1000)));

/** A refusal like others, of which the caller is told when to come back. */
export const fullDenial = ({ snapshot }: Asking, { budget }: Full): Forbid =>
  forbid({
    ...denial('too_many_requests', `the agent has no room left here: ${WORDS[budget]}`, {
      because: `budget:${budget}`,
      hint: 'Complete what is done, or come back when Retry-After is over.',
    }),
    policy: snapshot.deployment.policy,
  });

const WORDS: Readonly<Record<Budget, string>> = {
  requests_per_minute: 'requests a minute',
  live_leases: 'leases that live at once',
  live_logins: 'database logins that live at once',
  open_approvals: 'questions to people that wait for their answer',
};
