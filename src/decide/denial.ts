/** How a refusal is put together: a code and words for the agent, rules and reasons for the ledger. */
import type { FailureCode } from '../core/failure.ts';
import type { Denial, Forbid } from './decision.ts';

export const denial = (
  code: FailureCode,
  detail: string,
  more: Partial<Omit<Denial, 'code' | 'detail'>> = {},
): Denial => ({ code, detail, rules: [], because: '', hint: null, path: null, policy: null, tell: [], ...more });

export const forbid = (reason: Denial): Forbid => ({ effect: 'forbid', reason });
