/**
 * A change of registers that may not happen: thrown inside its transaction, so that nothing of it stays, and caught at
 * its edge. Also what the database itself refuses, in the same words.
 */
import type { Unmet } from '../../core/change.ts';
import { codeOf } from '../database.ts';

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly unmet: Unmet;

  constructor(unmet: Unmet) {
    super(unmet.unmet);
    this.unmet = unmet;
  }
}

export const refuse = (unmet: Unmet): never => {
  throw new Refused(unmet);
};

const REFERENCE = '23503';
const UNIQUE = '23505';
const CHECK = '23514';
/** Raised by the trigger of memberships; its detail is the function held. */
const SECOND_FUNCTION = 'BV001';

/** Why a change did not happen, or `null` for a fault. */
export function unmetOf(error: unknown): Unmet | null {
  if (error instanceof Refused) return error.unmet;
  const { constraint_name: constraint = '', detail = '' } = (error ?? {}) as {
    readonly constraint_name?: string;
    readonly detail?: string;
  };
  switch (codeOf(error)) {
    case SECOND_FUNCTION:
      return { unmet: 'second_function', held: detail };
    case CHECK:
      return constraint === 'memberships_agent_executes' ? { unmet: 'second_function', held: 'execution' } : null;
    case UNIQUE:
      return { unmet: 'taken', by: TAKEN[constraint] ?? constraint };
    case REFERENCE:
      return { unmet: 'missing', what: MISSING.find(([of]) => constraint.includes(of))?.[1] ?? constraint };
    case null:
    default:
      return null;
  }
}

const TAKEN: Readonly<Record<string, string>> = {
  operators_subject: 'subject of another operator',
  issuers_url: 'url of another issuer',
  enrolments_key_of_one: 'key of another agent here',
};

const MISSING: readonly (readonly [constraint: string, what: string])[] = [
  ['persons_name', 'person'],
  ['agents_name', 'agent'],
  ['issuers_name', 'issuer'],
  ['tenants_name', 'tenant'],
];
