/** The way of an approval among people, as they are shown it: where it stands, and who was passed over. */
import type { Approval } from '../core/approval.ts';
import { toRfc3339 } from '../core/time.ts';

export const whenRouted = ({ route, step, stepEndsAt, votes }: Approval) => ({
  step,
  step_ends_at: toRfc3339(stepEndsAt),
  steps: route.map(({ name, within, quorum, asks, backups, skipped }) => ({
    name,
    within_s: within,
    quorum: quorum.of === 'any' ? quorum.count : quorum.groups.map((group) => [...group]),
    asks: [...asks],
    backups: [...backups],
    skipped: skipped.map(({ person, why }) => ({ person, why })),
  })),
  answered: votes.map(({ person, verdict, at }) => ({ person, verdict, at: toRfc3339(at) })),
});
