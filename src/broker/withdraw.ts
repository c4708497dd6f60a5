/** What an agent may say to its own ask: that it takes a narrower answer, or needs none any more. */
import type { ApprovalMove, NewWork } from '../core/change.ts';
import { stateAt } from '../core/approval.ts';
import type { Approval } from '../core/approval.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft, EntryKind, Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { RequestId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { acceptedNotice } from '../approve/notices.ts';
import { approvalEntry } from '../approve/record.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';

export interface Said {
  readonly approval: Approval;
  readonly receipt: Receipt;
}

/** Takes what an approver would say yes to instead: from here on they can, and are told so. */
export const acceptNarrower = (deps: Deps, caller: AgentPrincipal, request: RequestId): Promise<Result<Said>> =>
  say(deps, caller, request, (approval, at) => {
    if (approval.narrows === null || approval.acceptedAt !== null) return NOTHING_TO_TAKE;
    if (stateAt(approval, at) !== 'pending') return over(approval, at);
    const move = { from: 'pending', to: 'pending', version: approval.version, acceptedAt: at } as const;
    return { kind: 'approval.accepted', move, work: acceptedNotice(deps, approval) };
  });

/** Needs no answer any more; one that was given, and not redeemed, is taken back. */
export const withdraw = (deps: Deps, caller: AgentPrincipal, request: RequestId): Promise<Result<Said>> =>
  say(deps, caller, request, (approval, at) => {
    const state = stateAt(approval, at);
    const { version } = approval;
    if (state === 'pending') {
      const move = { from: 'pending', to: 'cancelled', version, decidedAt: at } as const;
      return { kind: 'approval.withdrawn', move, work: [] };
    }
    if (state === 'approved') {
      return { kind: 'approval.withdrawn', move: { from: 'approved', to: 'revoked', version }, work: [] };
    }
    return over(approval, at);
  });

const NOTHING_TO_TAKE = failure('approval_waits', 'nothing narrower was offered, or it was taken already', {
  hint: 'See what the request says of its approval.',
});

const over = (approval: Approval, at: Instant): Failure =>
  failure('approval_over', `the approval is ${stateAt(approval, at)}`, { hint: 'Ask anew, if it is still needed.' });

interface Saying {
  readonly kind: Extract<EntryKind, 'approval.accepted' | 'approval.withdrawn'>;
  readonly move: ApprovalMove;
  readonly work: readonly NewWork[];
}

async function say(
  deps: Deps,
  { tenant, agent, by }: AgentPrincipal,
  request: RequestId,
  what: (approval: Approval, at: Instant) => Saying | Failure,
): Promise<Result<Said>> {
  const kept = await deps.store.request(tenant, request);
  const approval = kept?.approval ?? null;
  const snapshot = await deps.store.snapshot(tenant);
  if (kept?.agent !== agent.name || approval === null || snapshot === null) return err(NOTHING_HERE);
  const at = deps.clock();
  const saying = what(approval, at);
  if ('code' in saying) return err(saying);
  const entry = approvalEntry(approval, snapshot, {
    kind: saying.kind,
    at,
    actor: { kind: 'agent', name: agent.name, by },
  });
  const said = await commitSaying(deps, approval, saying, entry);
  if (said === null) return err(failure('contended', 'it was answered at this very moment', { hint: 'Look again.' }));
  return ok({ approval: (await deps.store.approval(tenant, approval.id)) ?? approval, receipt: said });
}

async function commitSaying(
  deps: Deps,
  { tenant, id }: Approval,
  { move, work }: Saying,
  draft: EntryDraft,
): Promise<Receipt | null> {
  const common = { kind: 'approval.move', tenant, approval: id, when: null, time: 'before_end' } as const;
  const change = { ...common, move, next: null, fence: null, work };
  const written = await deps.store.commit(change, [makeEntry(draft, deps.random)]);
  return written.ok ? (written.value.receipts[0] ?? null) : null;
}
