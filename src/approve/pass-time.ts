/** The outbox's part of an approval: at the end of each step, and of its time, it is looked at once. */
import type { Approval } from '../core/approval.ts';
import type { ApprovalMove, WorkFence, WorkTask } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { Instant } from '../core/time.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { approvalWork } from './approval.ts';
import { passing } from './escalate.ts';
import { escalatedNotice, expiredNotice } from './notices.ts';
import { approvalEntry } from './record.ts';

/** Over, or when to look again. */
export type Passed = { readonly dead: true } | { readonly dead: false; readonly why: string; readonly until: Instant };

const SOON_MS = 1_000;

export async function passTime(
  deps: Deps,
  { tenant, approval: id }: Extract<WorkTask, { readonly task: 'approval' }>,
  fence: WorkFence,
): Promise<Passed> {
  const approval = await deps.store.approval(tenant, id);
  if (approval === null) throw new Error(`work names the approval ${id}, which is not in the store`);
  const now = deps.clock();
  const passed = passing(approval, now);
  switch (passed.what) {
    case 'nothing':
      return { dead: true };
    case 'wait':
      return { dead: false, why: 'its time has not come', until: passed.until };
    case 'escalate':
      return write(deps, approval, passed.move, { fence, next: passed.next });
    case 'expire':
      return write(deps, approval, passed.move, { fence, next: null });
  }
}

/** What is to be watched next, and who is told. A yes that nobody came for is told to nobody: the agent knows. */
function workOf(deps: Deps, approval: Approval, move: ApprovalMove, next: Instant | null) {
  if (next !== null) return [approvalWork(deps, approval, next), ...escalatedNotice(deps, approval, move, next)];
  return approval.state === 'pending' ? expiredNotice(deps, approval) : [];
}

/** With it the work is done: what comes next is work of its own. */
async function write(
  deps: Deps,
  approval: Approval,
  move: ApprovalMove,
  { fence, next }: { readonly fence: WorkFence; readonly next: Instant | null },
): Promise<Passed> {
  const at = deps.clock();
  const { tenant, id } = approval;
  const snapshot = await deps.store.snapshot(tenant);
  // A tenant that was removed: nothing of it is asked of anybody.
  if (snapshot === null) return { dead: true };
  const entry = makeEntry(
    approvalEntry(approval, snapshot, {
      kind: next === null ? 'approval.expired' : 'approval.escalated',
      at,
      actor: { kind: 'broker', name: deps.node },
      facts:
        next === null
          ? { from: approval.state }
          : { step: move.step ?? 0, asks: [...(move.asks ?? [])], until: toRfc3339(next) },
    }),
    deps.random,
  );
  const written = await deps.store.commit(
    {
      kind: 'approval.move',
      tenant,
      approval: id,
      move,
      when: null,
      time: next === null ? 'after_end' : 'before_end',
      next: null,
      fence,
      work: workOf(deps, approval, move, next),
    },
    [entry],
  );
  if (written.ok || written.error.unmet === 'fenced') return { dead: true };
  return { dead: false, why: `overtaken: ${written.error.unmet}`, until: (at + SOON_MS) as Instant };
}
