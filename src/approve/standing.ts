/**
 * Who may answer, as they stand at this moment. It counts persons: what they were of the agent when it was asked, and
 * what they are of it now.
 */
import { askedSoFar, isEnoughFor, stateAt, yesOf } from '../core/approval.ts';
import type { Approval, Vote } from '../core/approval.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle } from '../decide/bundle/model.ts';
import { hasLevel } from '../decide/routing.ts';
import { involvedIn, standingFor } from '../decide/segregation.ts';

export interface Moment {
  readonly bundle: Bundle;
  readonly snapshot: Snapshot;
  readonly now: Instant;
}

/** Those who hold approval here now, at the level that it takes, and had no part in it then, nor have one now. */
export function approversOf(
  approval: Pick<Approval, 'agent' | 'task' | 'involved'>,
  moment: Moment,
): readonly PersonName[] {
  const enrolled = moment.snapshot.agents.get(approval.agent);
  const now = enrolled === undefined ? [] : involvedIn({ agent: enrolled.agent, launchedBy: null }, moment.now);
  const { persons } = standingFor('approval', new Set([...approval.involved, ...now]), moment);
  return persons.filter((person) => hasLevel(moment.bundle, approval.task, person));
}

/** Whether a yes takes a passkey that never leaves its device. A no takes any. */
export const isDeviceBound = ({ tier }: Pick<Approval, 'tier'>, { routes }: Bundle): boolean =>
  routes.deviceBound.some((one) => one === tier);

/** Why this person may not say yes, no or less to it, or `null`. */
export function whyMayNotAnswer(approval: Approval, person: PersonName, moment: Moment): Failure | null {
  const { snapshot, now } = moment;
  const state = stateAt(approval, now);
  if (state !== 'pending') {
    return failure('approval_over', `it is not open any more: ${state}`, { hint: 'Nothing is left to decide.' });
  }
  const enrolled = snapshot.agents.get(approval.agent);
  const involved = enrolled === undefined ? [] : involvedIn({ agent: enrolled.agent, launchedBy: null }, now);
  if (approval.involved.includes(person) || [...involved].includes(person)) {
    return failure('in_conflict', 'you own this agent, owned it of late, or launched what it asks for', {
      hint: 'Another person must decide.',
    });
  }
  if (!approversOf(approval, moment).includes(person)) {
    return failure('function_needed', 'you do not hold approval at this tenant, or not at the level that this takes', {
      hint: 'An administrator assigns it, and another confirms.',
    });
  }
  if (!askedSoFar(approval).includes(person)) {
    return failure('not_asked', 'it has not come to you', { hint: 'Those who are asked now are named on its page.' });
  }
  const standing = yesStanding(approval, moment);
  // Where those that came to count again are enough, any of them says so.
  if (standing.includes(person) && !isEnoughFor(approval, standing)) {
    return failure('answered_before', 'you have said your word', { hint: 'Another person must say theirs.' });
  }
  return null;
}

/** Those whose yes counts at this moment: they may say it still, and the passkey that signed it is theirs still. */
export function yesStanding(approval: Approval, moment: Moment): readonly PersonName[] {
  const mayStill = approversOf(approval, moment);
  const isBound = isDeviceBound(approval, moment.bundle);
  const signed = approval.votes.filter((vote) => isSignedStill(vote, moment.snapshot, isBound));
  return [...new Set(yesOf(signed))].filter((person) => mayStill.includes(person));
}

/**
 * A passkey that was taken away, lost or stolen, has signed nothing that is not spent yet; nor has one that leaves its
 * device, where policy has come to take none.
 */
function isSignedStill(vote: Vote, { deployment }: Snapshot, isBound: boolean): boolean {
  const passkey = deployment.passkeys.get(vote.passkey);
  return passkey?.person === vote.person && (passkey.deviceBound || !isBound);
}
