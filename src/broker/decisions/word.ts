/** What a person says, as the statement that their passkey signs. */
import { REJECTION_REASONS } from '../../core/approval.ts';
import type { Json } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { newNonce } from '../../core/statement.ts';
import type { DecisionStatement } from '../../core/statement.ts';
import type { Word } from '../../approve/verdict.ts';
import type { ConsoleCaller } from '../../authenticate/console.ts';
import { openTicket } from '../../authenticate/ticket.ts';
import type { Ticket } from '../../authenticate/ticket.ts';
import type { Deps } from '../../deps.ts';

/** Another word than yes, about what was shown with `ticket`: what is to be signed for it. */
export function prepareWord(
  deps: Deps,
  caller: ConsoleCaller,
  { ticket, word }: { readonly ticket: string; readonly word: Word },
): Result<DecisionTicket> {
  const opened = openDecision(deps, ticket, caller);
  if (!opened.ok) return opened;
  const { approval_id, approver, tenant, package_hash } = opened.value.statement;
  const about = { approval_id, approver, tenant, package_hash, nonce: newNonce(deps.random) };
  const statement: DecisionStatement = { ...saying(word), ...about };
  return ok({ ...opened.value, statement });
}

function saying(word: Word) {
  switch (word.verdict) {
    case 'approve':
      return { purpose: 'approve', verdict: 'approved' } as const;
    case 'reject':
      return { purpose: 'reject', verdict: 'rejected', reason: word.reason, words: word.words } as const;
    case 'narrow': {
      const { ttl, uses, parameters } = word.narrower;
      return { purpose: 'narrow', verdict: 'narrowed', narrower: { ttl, uses, parameters } } as const;
    }
  }
}

/** The word that was signed, and no other. */
export function wordOf(statement: DecisionStatement): Word {
  switch (statement.purpose) {
    case 'approve':
      return { verdict: 'approve' };
    case 'reject': {
      const reason = REJECTION_REASONS.find((known) => known === statement.reason) ?? 'other';
      return { verdict: 'reject', reason, words: statement.words };
    }
    case 'narrow': {
      const { ttl, uses, parameters } = statement.narrower as {
        readonly ttl: number | null;
        readonly uses: number | null;
        readonly parameters: Readonly<Record<string, Json>>;
      };
      return { verdict: 'narrow', narrower: { ttl, uses, parameters } };
    }
  }
}

export type DecisionTicket = Ticket & { readonly statement: DecisionStatement };

export function openDecision(deps: Deps, text: string, caller: ConsoleCaller): Result<DecisionTicket> {
  const opened = openTicket(deps, text, caller.session);
  if (!opened.ok) return opened;
  const { statement } = opened.value;
  const isDecision =
    statement.purpose === 'approve' || statement.purpose === 'narrow' || statement.purpose === 'reject';
  if (isDecision && statement.approver === caller.person) return ok({ ...opened.value, statement });
  return err(failure('form_over', 'this form is about something else', { hint: 'Open the page again.' }));
}
