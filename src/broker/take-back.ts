/** A yes is taken back, until the agent has come for it. */
import type { Approval } from '../core/approval.ts';
import { makeEntry } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { ApprovalId, PersonName, TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { RoleFunction } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import { approvalEntry } from '../approve/record.ts';
import { READS_ONLY } from '../authenticate/act.ts';
import type { ConsoleCaller } from '../authenticate/console.ts';
import { functionAt, readsAlone } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';
import { again, done, trying } from './callers.ts';
import type { Step } from './callers.ts';

/** Whether this person may take back a yes that stands. */
export const mayTakeBack = (
  approval: Approval,
  person: PersonName,
  { snapshot, now }: { readonly snapshot: Snapshot; readonly now: Instant },
): boolean => isTheirs(approval, person, functionAt(snapshot, person, now)) && !readsAlone(snapshot, person, now);

/** Oversight's, and of who gave it. */
const isTheirs = ({ votes }: Approval, person: PersonName, held: RoleFunction | null): boolean =>
  held === 'oversight' ||
  (held === 'approval' && votes.some((vote) => vote.person === person && vote.verdict === 'approve'));

interface Here {
  readonly tenant: TenantName;
  readonly approval: ApprovalId;
}

/**
 * A yes is taken back, as long as nothing came of it: by one of those who gave it, or by oversight. Taking away takes
 * one, and no passkey; and what changed elsewhere meanwhile stands in nobody's way.
 */
export const revokeApproval = (deps: Deps, caller: ConsoleCaller, here: Here): Promise<Result<Approval>> =>
  trying<Approval>(deps, here.tenant, (snapshot) => takeBack(deps, caller, here, snapshot), NOTHING_HERE);

async function takeBack(
  deps: Deps,
  caller: ConsoleCaller,
  { tenant, approval: id }: Here,
  snapshot: Snapshot,
): Promise<Step<Approval>> {
  const approval = await deps.store.approval(tenant, id);
  if (approval === null) return done(err(NOTHING_HERE));
  const at = deps.clock();
  const held = functionAt(snapshot, caller.person, at);
  if (!isTheirs(approval, caller.person, held)) return done(err(NOTHING_HERE));
  if (readsAlone(snapshot, caller.person, at)) return done(err(READS_ONLY));
  const entry = approvalEntry(approval, snapshot, {
    kind: 'approval.revoked',
    at,
    actor: { kind: 'operator', name: caller.operator, person: caller.person, by: caller.by },
    facts: { because: held === 'oversight' ? 'oversight' : 'taken_back' },
  });
  const move = { from: 'approved', to: 'revoked', version: approval.version, decidedAt: at } as const;
  const when = { epochs: snapshot.epochs, oneUse: null, counts: null };
  const change = { kind: 'approval.move', tenant, approval: id, move, when, time: 'before_end', next: null } as const;
  const written = await deps.store.commit({ ...change, fence: null, work: [] }, [makeEntry(entry, deps.random)]);
  if (written.ok) return done(ok((await deps.store.approval(tenant, id)) ?? approval));
  if (written.error.unmet === 'moved') return again;
  return done(err(failure('approval_over', 'it cannot be taken back any more', { hint: 'Revoke the lease instead.' })));
}
