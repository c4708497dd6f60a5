/**
 * Signs that people say yes without looking: how long they took, how often it was a yes, and how many they answered in
 * one go. They prove nothing; oversight asks. Pure, over what was said of late.
 */
import type { Vote } from '../core/approval.ts';
import type { PersonName } from '../core/ids.ts';

export type Said = Pick<Vote, 'person' | 'verdict' | 'at' | 'tookMs'>;

/** Nobody reads a decision package in less. */
const TOO_FAST_MS = 10_000;
/** Answers that follow each other within so long, and as many as this, were given in one go. */
const BATCH_GAP_MS = 20_000;
const BATCH_LEAST = 3;

export interface Signs {
  readonly person: PersonName;
  readonly decisions: number;
  readonly approved: number;
  readonly narrowed: number;
  readonly rejected: number;
  /** 0 to 1; a narrower answer is none. */
  readonly approvalRate: number;
  readonly medianMs: number;
  readonly underTenSeconds: number;
  readonly batches: number;
  readonly largestBatch: number;
}

/** Who answered the most comes first. */
export function signsOf(said: readonly Said[]): readonly Signs[] {
  const persons = [...new Set(said.map(({ person }) => person))];
  return persons
    .map((person) =>
      signsOfOne(
        person,
        said.filter((one) => one.person === person),
      ),
    )
    .toSorted((a, b) => b.decisions - a.decisions || (a.person < b.person ? -1 : 1));
}

function signsOfOne(person: PersonName, said: readonly Said[]): Signs {
  const count = (verdict: Vote['verdict']): number => said.filter((one) => one.verdict === verdict).length;
  const batches = runsOf(said).filter((length) => length >= BATCH_LEAST);
  return {
    person,
    decisions: said.length,
    approved: count('approve'),
    narrowed: count('narrow'),
    rejected: count('reject'),
    approvalRate: count('approve') / said.length,
    medianMs: medianOf(said.map(({ tookMs }) => tookMs)),
    underTenSeconds: said.filter(({ tookMs }) => tookMs < TOO_FAST_MS).length,
    batches: batches.length,
    largestBatch: Math.max(0, ...batches),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = low] = sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** How many answers are in each run without a longer gap. */
function runsOf(said: readonly Said[]): readonly number[] {
  const runs: number[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const { at } of said.toSorted((a, b) => a.at - b.at)) {
    if (at - before > BATCH_GAP_MS) runs.push(0);
    runs.push((runs.pop() ?? 0) + 1);
    before = at;
  }
  return runs;
}
