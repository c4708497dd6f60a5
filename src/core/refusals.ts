/**
 * Counts refusals that are alike. The first of a kind is written whole; those that follow within a window are counted
 * and written together, so that a storm of them costs no unbounded writes and the first one stays in sight.
 */
import type { AgentName, PersonName, TenantName } from './ids.ts';

export interface RefusalKind {
  /** What was refused: an access request, or a call through the gateway. */
  readonly of: 'request' | 'call';
  readonly tenant: TenantName;
  readonly agent: AgentName;
  /** Accountable for the agent: a refusal under another owner is of another kind. */
  readonly accountable: PersonName;
  /** Empty where those of all task classes are alike; and so is the resource. */
  readonly task: string;
  readonly resource: string;
  readonly code: string;
  /** The rules that decided, joined; or the budget that is full; or the target that was called. */
  readonly rules: string;
}

export interface CountedRefusals {
  readonly kind: RefusalKind;
  readonly count: number;
}

export interface Refusals {
  /** Whether one of this kind stands in the ledger already, within the window: then this one was counted. */
  repeats(kind: RefusalKind): boolean;
  /** One of this kind was written whole: those that follow are counted. */
  wrote(kind: RefusalKind): void;
  /** What was counted and is to be written now; empties the count. */
  take(): readonly CountedRefusals[];
  /** Counts again what could not be written. */
  giveBack(counted: CountedRefusals): void;
}
