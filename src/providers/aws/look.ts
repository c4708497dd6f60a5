/**
 * Looks whether a session is dead: with the session itself, in every region where it may be used. One refusal is no
 * proof, since a denial reaches AWS's hosts one after the other.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { Sighting, Subject } from '../../core/provider.ts';
import { after, between, instant, milliseconds, seconds, toRfc3339 } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import { keyPairOf } from './config.ts';
import type { KeyPair } from './config.ts';
import type { DenialReason } from './fault.ts';
import { probe } from './probe.ts';
import type { Answer } from './probe.ts';
import { PROBE } from './policy.ts';
import type { Site } from './site.ts';
import { referenceOf, sessionOf } from './specification.ts';
import type { SessionReference, SessionSpecification } from './specification.ts';

const REFUSED_IN_A_ROW = 3;
const PROBE_PAUSE = milliseconds(250);
/** A denial is usually everywhere within seconds; what takes longer is looked at again later. */
const WATCH_MS = 2_000;
/** How far AWS's clock may lag, at the most. */
const MARGIN = seconds(90);

export async function lookAt(site: Site, subject: Subject): Promise<Sighting> {
  const session = subject.specification === null ? null : sessionOf(subject.specification);
  const reference = referenceOf(subject.reference);
  const keys = subject.secret === null ? null : keyPairOf(subject.secret.reveal());
  if (session === null || reference === null || keys === null) {
    // AWS lists no sessions. If there is one, its own policy ends it with the lease.
    return {
      seen: 'unseen',
      why: 'AWS tells nobody which sessions there are, and its keys are not known',
      forGood: true,
    };
  }
  const answers = await watch(site, keys, session.regions);
  return judge(site, { subject, session, reference }, answers);
}

/** Until it is refused everywhere often enough, or that has taken too long. */
async function watch(site: Site, keys: KeyPair, regions: readonly string[]): Promise<readonly Answer[]> {
  const began = site.clock();
  for (let inARow = 0; ;) {
    const answers = await probe(site, keys, regions);
    if (answers.some(({ is }) => is === 'unknown')) return answers;
    inARow = answers.every(({ is }) => is !== 'let through') ? inARow + 1 : 0;
    if (inARow >= REFUSED_IN_A_ROW) return answers;
    if (inARow === 0 && between(began, site.clock()) >= WATCH_MS) return answers;
    await site.pause(PROBE_PAUSE);
  }
}

interface Looked {
  readonly subject: Subject;
  readonly session: SessionSpecification;
  readonly reference: SessionReference;
}

function judge(site: Site, { subject, session, reference }: Looked, answers: readonly Answer[]): Sighting {
  const open = answers.filter(({ is }) => is === 'let through').map(({ region }) => region);
  if (open.length > 0) return { seen: 'present', evidence: { let_through_in: open } };
  const now = site.clock();
  const isPast = now >= after(subject.expiresAt, MARGIN);
  const unseen = (why: string, forGood = isPast): Sighting => ({ seen: 'unseen', why, forGood });
  const doubt = answers.map((answer) => doubtIn(answer, reference, now)).find((why) => why !== null);
  if (doubt !== undefined) return unseen(doubt);
  if (!reference.probed && now < subject.expiresAt) return unseen('it was never seen to be let through', true);
  if (session.outliving.length > 0) {
    return unseen(`its class may ${session.outliving.join(', ')}, and what that gave is not to be seen`, true);
  }
  return { seen: 'gone', evidence: evidenceOf(reference, answers) };
}

/** Refused so, the probe says nothing of the session: all else may go on, until the denial is everywhere. */
const NOT_BY_THE_DENIAL: Partial<Record<DenialReason, (region: string) => string>> = {
  absent: (region) => `${region} refuses it for want of a permission, not by the denial`,
  elsewhere: (region) => `${region} refuses it by a policy of the organisation or the like, not by the denial`,
};

/** Why an answer, which is no "let through", proves nothing; `null` where it does. */
function doubtIn(answer: Answer, reference: SessionReference, now: Instant): string | null {
  switch (answer.is) {
    case 'let through':
      return null;
    case 'unknown':
      return answer.why;
    case 'expired':
      return now >= instant(Date.parse(reference.session_ends) - MARGIN * 1000)
        ? null
        : `${answer.region} calls it expired before its time`;
    case 'refused':
      return NOT_BY_THE_DENIAL[answer.reason]?.(answer.region) ?? null;
  }
}

function evidenceOf(reference: SessionReference, answers: readonly Answer[]): JsonObject {
  return {
    by: `the session itself, refused ${REFUSED_IN_A_ROW} times in a row in every allowed region`,
    probe: PROBE,
    account: reference.account,
    user_id: reference.user_id,
    regions: answers.map((answer) => ({
      region: answer.region,
      answer: answer.is === 'refused' ? `refused, reason ${answer.reason}` : answer.is,
    })),
    session_ends: toRfc3339(instant(Date.parse(reference.session_ends))),
  };
}
