/**
 * Time passes over an approval: the next in its way are asked, or it expires. It never goes back to the agent, never to
 * a lower level, and never to yes.
 */
import type { Approval } from '../core/approval.ts';
import type { ApprovalMove } from '../core/change.ts';
import { earliest } from '../core/time.ts';
import { stepAt } from '../core/route.ts';
import type { Instant } from '../core/time.ts';

/** What is to be done about it now. */
export type Passing =
  | { readonly what: 'nothing' }
  /** Its time has not come. */
  | { readonly what: 'wait'; readonly until: Instant }
  | { readonly what: 'escalate'; readonly move: ApprovalMove; readonly next: Instant }
  | { readonly what: 'expire'; readonly move: ApprovalMove };

export function passing(approval: Approval, now: Instant): Passing {
  switch (approval.state) {
    case 'pending':
      return waiting(approval, now);
    case 'approved':
      return over(approval, approval.redeemBy ?? approval.expiresAt, now);
    // It may come back to `approved`: until then it is looked at again when that would be over.
    case 'redeemed':
      return approval.redeemBy !== null && now < approval.redeemBy
        ? { what: 'wait', until: approval.redeemBy }
        : { what: 'nothing' };
    case 'rejected':
    case 'expired':
    case 'cancelled':
    case 'superseded':
    case 'revoked':
      return { what: 'nothing' };
  }
}

function waiting(approval: Approval, now: Instant): Passing {
  const { route, askedAt, expiresAt, step, version } = approval;
  const at = stepAt(route, askedAt, now);
  if (at === null || now >= expiresAt) return over(approval, expiresAt, now);
  const next = earliest(expiresAt, at.endsAt);
  if (at.step === step) return { what: 'wait', until: next };
  const asks = route.slice(step + 1, at.step + 1).flatMap((reached) => reached.asks);
  const common = { from: 'pending', to: 'pending', version } as const;
  return { what: 'escalate', move: { ...common, step: at.step, stepEndsAt: at.endsAt, asks }, next };
}

function over({ state, version }: Approval, end: Instant, now: Instant): Passing {
  if (now < end) return { what: 'wait', until: end };
  return { what: 'expire', move: { from: state, to: 'expired', version, decidedAt: now } };
}
