/**
 * What operators do, which function each act takes, and which of them a local token can be used for.
 */
import { failure } from '../core/failure.ts';
import type { RoleFunction } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { OperatorPrincipal } from './principal.ts';

interface Act {
  readonly function: RoleFunction;
  /** Whether a local token does. */
  readonly local: boolean;
}

/** SURFACE, "The deployment": administration, and of oversight reading, revoking, raising blocks and pausing. */
export const ACTS = {
  administer: { function: 'administration', local: true },
  /** As the first or the second of two. */
  'change.word': { function: 'administration', local: false },
  'passkey.enrol_first': { function: 'administration', local: true },
  'passkey.enrol': { function: 'administration', local: false },
  read: { function: 'oversight', local: true },
  revoke: { function: 'oversight', local: true },
  'block.raise': { function: 'oversight', local: true },
  'pause.start': { function: 'oversight', local: true },
  'pause.end': { function: 'oversight', local: false },
  'block.lift': { function: 'oversight', local: false },
  'situation.set': { function: 'oversight', local: false },
  'incident.end': { function: 'oversight', local: false },
  reverse: { function: 'oversight', local: false },
  'review.open': { function: 'oversight', local: false },
  'review.done': { function: 'oversight', local: false },
  'breaker.reset': { function: 'oversight', local: false },
  verdict: { function: 'oversight', local: false },
  approve: { function: 'approval', local: false },
} as const satisfies Record<string, Act>;

export type OperatorAct = keyof typeof ACTS;

/** What changes nothing. */
export const READS: readonly OperatorAct[] = ['read'];

/** Where the act has effect: `functionAt` and `readsAlone`. */
export interface Held {
  readonly held: RoleFunction | null;
  readonly alone: boolean;
}

export function mayUse(principal: OperatorPrincipal, act: OperatorAct, { held, alone }: Held): Result<void> {
  const needs = ACTS[act];
  if (held !== needs.function) {
    return err(
      failure('function_needed', `This takes ${needs.function}`, {
        hint: `Ask somebody who holds ${needs.function} here.`,
        members: { function: needs.function },
      }),
    );
  }
  if (alone && !READS.includes(act)) return err(READS_ONLY);
  if (principal.by === 'local' && !needs.local) {
    return err(
      failure('local_token_refused', 'A local token cannot be used for this', {
        hint: 'Sign in at the operators’ issuer, and call with its token.',
      }),
    );
  }
  return ok(undefined);
}

export const READS_ONLY = failure('reads_only', 'your role here reads, and does nothing else', {
  hint: 'Ask somebody who holds oversight here and acts by it.',
});

/** No person's name: it has characters that a name cannot have. */
const WHOEVER_HOLDS_THE_KEY = '(deployment key)';

/**
 * Who a principal is for a rule that takes two persons: all local tokens are one, and after set-up nobody.
 */
export function oneOfTwo({ by, person }: OperatorPrincipal, inSetup: boolean): string | null {
  if (by !== 'local') return person;
  return inSetup ? WHOEVER_HOLDS_THE_KEY : null;
}
