/**
 * Answers of the engine, kept by input, policy version and set. The input holds nothing that changes by the second,
 * so that the same facts have the same answer for as long as the version stands.
 */
import type { Evaluation } from '../core/policy.ts';

/** About a kilobyte each. */
const MOST_ANSWERS = 8192;

export interface Answers {
  /** @param key the set, which names its version, and the input's bytes. */
  of(key: string, evaluate: () => Evaluation): Evaluation;
  readonly size: number;
}

/** Bounded: the one unused for longest goes. */
export function createAnswers(most = MOST_ANSWERS): Answers {
  const kept = new Map<string, Evaluation>();
  return {
    get size() {
      return kept.size;
    },
    of(key, evaluate) {
      const known = kept.get(key);
      if (known !== undefined) {
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      const answer = evaluate();
      // A fault may pass: it denies now, and is looked at again.
      if (answer.errors.length === 0) kept.set(key, answer);
      if (kept.size > most) kept.delete(kept.keys().next().value ?? '');
      return answer;
    },
  };
}

/** For measuring what they are worth. */
export const keepNoAnswers: Answers = { size: 0, of: (_key, evaluate) => evaluate() };
