/**
 * A decision as it is written down, each of its parts in fields of its own, and as its caller sees it. What people may
 * have written (parameters, the resource) stays out of the ledger's leaf.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Declared } from '../core/lease.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Ask, Decision, Denial, Duties, Execution, Forbid, Permit } from './decision.ts';

export interface LedgerFields {
  readonly approval: JsonObject;
  readonly execution: JsonObject;
  readonly oversight: JsonObject;
}

export function ledgerFields(decision: Decision): LedgerFields {
  if (decision.effect === 'forbid') {
    return { approval: denialFields(decision), execution: {}, oversight: toldFields(decision) };
  }
  return {
    approval: approvalFields(decision),
    execution: executionFields(decision.execution),
    oversight: oversightFields(decision.oversight),
  };
}

function approvalFields(decision: Permit | Ask): JsonObject {
  const { rules, policy } = decision.approval;
  const common = { effect: decision.effect, rules: [...rules], policy };
  if (decision.effect !== 'ask') return common;
  const { deadline, approvers, route } = decision.approval;
  return { ...common, deadline: toRfc3339(deadline), approvers: [...approvers], route };
}

const denialFields = ({ reason }: Forbid): JsonObject => ({
  effect: 'forbid',
  code: reason.code,
  rules: [...reason.rules],
  ...(reason.policy === null ? {} : { policy: reason.policy }),
  ...(reason.because === '' ? {} : { because: reason.because }),
});

const toldFields = ({ reason: { tell } }: Forbid): JsonObject => (tell.length === 0 ? {} : { notify: [...tell] });

const executionFields = (execution: Execution): JsonObject => ({
  task: execution.task,
  role: execution.role,
  provider: execution.target.provider,
  target: execution.target.name,
  target_version: execution.target.version,
  tier: execution.tier,
  raised: execution.raised.map((raise) => ({ ...raise })),
  ttl: execution.ttl,
  ...(execution.usesCounted ? { uses: execution.uses } : {}),
  narrowed: execution.narrowed.map((narrowing) => ({ ...narrowing })),
  not_enforced: [...execution.notEnforced],
  death: deathFields(execution.declared),
});

/** What may be hoped for when it ends, told beforehand to whoever answers for it; `evidence: null` can't be proven. */
export const deathFields = ({ revokes, evidence, expiryEndsUse }: Declared): JsonObject => ({
  revoked: revokes === 'commit' || revokes === 'never' ? revokes : { within_s: revokes.within },
  evidence,
  expiry_ends_use: expiryEndsUse,
});

const oversightFields = ({ overseers, notify, notifyBy, reviewBy }: Duties): JsonObject => ({
  overseers: [...overseers],
  notify: [...notify],
  ...(notifyBy === null ? {} : { notify_by: toRfc3339(notifyBy) }),
  review_by: toRfc3339(reviewBy),
});

/** As its caller sees it. The rules of a forbid stay in the ledger. */
export function publicDecision(decision: Decision): JsonObject {
  if (decision.effect === 'forbid') {
    const told = decision.reason.tell.length === 0 ? {} : { oversight: toldFields(decision) };
    return { effect: 'forbid', reason: publicReason(decision.reason), ...told };
  }
  const { resource, parameters } = decision.execution;
  return {
    effect: decision.effect,
    approval: approvalFields(decision),
    execution: { ...executionFields(decision.execution), resource, parameters },
    oversight: oversightFields(decision.oversight),
  };
}

const publicReason = ({ code, detail, hint, path }: Denial): JsonObject => ({
  code,
  detail,
  ...(hint === null ? {} : { hint }),
  ...(path === null ? {} : { path }),
});
