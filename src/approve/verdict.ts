/** What one person's word makes of an approval. Pure: the commit finds out whether it was still so. */
import type { Json } from '../core/canonical.ts';
import { isEnoughFor } from '../core/approval.ts';
import type { Approval, RejectionReason, Vote } from '../core/approval.ts';
import type { ApprovalMove } from '../core/change.ts';
import type { PersonName } from '../core/ids.ts';
import { after } from '../core/time.ts';

/** A person's word, as it is signed. */
export type Word =
  | { readonly verdict: 'approve' }
  | { readonly verdict: 'reject'; readonly reason: RejectionReason; readonly words: string | null }
  | { readonly verdict: 'narrow'; readonly narrower: Narrower };

/** What an approver would say yes to instead. */
export interface Narrower {
  readonly ttl: number | null;
  readonly uses: number | null;
  /** Those that change. */
  readonly parameters: Readonly<Record<string, Json>>;
}

/**
 * One no is a no; a yes counts with those before it that count still; less than was asked takes the place of what was.
 *
 * @param standing those whose yes from before counts at this moment.
 */
export function moveOf(
  approval: Approval,
  word: Word,
  { vote, standing }: { readonly vote: Vote; readonly standing: readonly PersonName[] },
): ApprovalMove {
  const votes = [...approval.votes, vote];
  const common = { from: 'pending', version: approval.version, votes } as const;
  switch (word.verdict) {
    case 'reject': {
      const { reason, words } = word;
      return { ...common, to: 'rejected', decidedAt: vote.at, rejection: { reason, words, by: vote.person } };
    }
    case 'narrow':
      return { ...common, to: 'superseded', decidedAt: vote.at };
    case 'approve': {
      if (!isEnoughFor(approval, [...standing, vote.person])) return { ...common, to: 'pending' };
      return { ...common, to: 'approved', decidedAt: vote.at, redeemBy: after(vote.at, approval.redeemWithin) };
    }
  }
}
