/**
 * Counts refusals that are alike. The first of a kind is written whole; those that follow within a window are counted
 * and written together, so that a storm of them costs no unbounded writes and the first one stays in sight.
 */
import type { AgentName, TenantName } from './ids.ts';

export interface RefusalKind {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly task: string;
  readonly resource: string;
  readonly code: string;
  /** The rules that decided, joined. */
  readonly rules: string;
}

export interface CountedRefusals {
  readonly kind: RefusalKind;
  readonly count: number;
}

export interface Refusals {
  /** Whether this one is to be written whole; otherwise it was counted. */
  first(kind: RefusalKind): boolean;
  /** What was counted and is to be written now; empties the count. */
  take(): readonly CountedRefusals[];
}
