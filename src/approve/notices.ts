/** What people are told of an approval, enqueued in the commit of what it tells of, and told in that order. */
import { askedSoFar, beginning } from '../core/approval.ts';
import type { Approval, ApprovalTerms } from '../core/approval.ts';
import type { ApprovalMove, NewWork } from '../core/change.ts';
import type { PersonName } from '../core/ids.ts';
import type { AskedFor, NoticeFacts } from '../core/notice.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { noticeWork } from './tell.ts';

type Telling = Pick<Deps, 'channels' | 'clock' | 'random'>;

const askOf = ({ agent, task, tier, binding, asked }: ApprovalTerms): AskedFor => ({
  agent,
  task,
  tier,
  resource: binding.resource,
  reason: typeof asked['reason'] === 'string' ? asked['reason'] : '',
});

/** Of an approval that begins with what an agent asked for. */
export function askedNotice(deps: Telling, approval: ApprovalTerms): readonly NewWork[] {
  const { step, stepEndsAt, asks } = beginning(approval);
  const name = approval.route[step]?.name ?? '';
  return notice(deps, approval, 1, { kind: 'asked', step: name, until: stepEndsAt, ...aboutOf(approval, asks) });
}

/** Of a narrower one that the agent has taken: until then its people could say no alone. */
export const acceptedNotice = (deps: Telling, approval: Approval): readonly NewWork[] =>
  notice(deps, approval, approval.version + 1, {
    kind: 'asked',
    step: approval.route[approval.step]?.name ?? '',
    until: approval.stepEndsAt,
    ...aboutOf(approval, askedSoFar(approval)),
  });

export function escalatedNotice(
  deps: Telling,
  approval: Approval,
  { step = approval.step, asks = [], version }: ApprovalMove,
  until: Instant,
): readonly NewWork[] {
  const name = approval.route[step]?.name ?? '';
  return notice(deps, approval, version + 1, { kind: 'escalated', step: name, until, ...aboutOf(approval, asks) });
}

export const expiredNotice = (deps: Telling, approval: Approval): readonly NewWork[] =>
  notice(deps, approval, approval.version + 1, { kind: 'expired', ...aboutOf(approval, askedSoFar(approval)) });

/** Of a word that decides; one of several that it takes is told with the last. */
export function answeredNotice(deps: Telling, approval: Approval, move: ApprovalMove): readonly NewWork[] {
  const by = (move.votes ?? []).map(({ person }) => person);
  const about = aboutOf(approval, askedSoFar(approval));
  const nth = approval.version + 1;
  switch (move.to) {
    case 'approved':
      return notice(deps, approval, nth, { kind: 'answered', verdict: 'approved', by, because: null, ...about });
    case 'rejected': {
      const because = move.rejection?.reason ?? null;
      return notice(deps, approval, nth, { kind: 'answered', verdict: 'rejected', by, because, ...about });
    }
    case 'superseded': {
      const author = by.at(-1);
      return author === undefined ? [] : notice(deps, approval, nth, { kind: 'narrowed', by: author, ...about });
    }
    case 'pending':
    case 'expired':
    case 'cancelled':
    case 'redeemed':
    case 'revoked':
      return [];
  }
}

const aboutOf = (approval: ApprovalTerms, tell: readonly PersonName[]) => ({
  approval: approval.id,
  ask: askOf(approval),
  tell,
});

const notice = (deps: Telling, { tenant, id }: ApprovalTerms, nth: number, facts: NoticeFacts): readonly NewWork[] =>
  noticeWork(deps, tenant, facts, { order: { of: id, nth } });
