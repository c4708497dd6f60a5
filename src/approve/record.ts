/** How what becomes of an approval is written down. Whose words it was stands with them; what was said, beside the leaf. */
import type { Approval, ApprovalTerms } from '../core/approval.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Actor, EntryDraft, EntryKind } from '../core/entry.ts';
import type { PersonName } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';

export interface ApprovalEvent {
  readonly kind: Extract<EntryKind, `approval.${string}`>;
  readonly at: Instant;
  readonly actor: Actor;
  readonly facts?: JsonObject;
  readonly said?: JsonObject;
  readonly seen?: JsonObject;
}

/** Accountable is the person who spoke; where nobody did, whoever owns the agent by then. */
export function approvalEntry(
  approval: Pick<Approval, 'id' | 'tenant' | 'request' | 'agent' | 'task'>,
  snapshot: Pick<Snapshot, 'agents' | 'deployment'>,
  { kind, at, actor, facts = {}, said = {}, seen = {} }: ApprovalEvent,
): EntryDraft {
  const owner = snapshot.agents.get(approval.agent)?.agent.owner ?? null;
  return {
    tenant: approval.tenant,
    kind,
    at,
    actor,
    accountable: actor.person ?? owner,
    request: approval.request,
    inSetup: snapshot.deployment.inSetup,
    facts: { approval: approval.id, task: approval.task, ...facts },
    said,
    seen,
  };
}

/** What is asked of whom, as the entry of the ask says it beside the decision's own `approval`: the way, and when it ends. */
export const routeFacts = ({ id, route, involved, redeemWithin }: ApprovalTerms): JsonObject => ({
  approval_id: id,
  route: route.map(({ name, within, quorum, asks, skipped }) => ({
    name,
    within_s: within,
    quorum: quorum.of === 'any' ? quorum.count : quorum.groups.map((group) => [...group]),
    asks: [...asks],
    skipped: skipped.map(({ person, why }) => ({ person, why })),
  })),
  involved: [...involved],
  redeem_within_s: redeemWithin,
});

/**
 * On whose word: each with the package that they were shown last, whose signature stands in the entry of their answer.
 *
 * @param standing those whose yes counts.
 */
export const redeemedFacts = ({
  approval: { votes },
  standing,
}: {
  readonly approval: Pick<Approval, 'votes'>;
  readonly standing: readonly PersonName[];
}): JsonObject => ({
  approvers: standing.map((person) => {
    const said = votes.findLast((vote) => vote.person === person && vote.verdict === 'approve');
    return { person, package_hash: said?.packageHash ?? null };
  }),
});
