/**
 * What people are told, as it waits in the queue: names, ids and times, and of the agent's words only what is shown.
 * No secret, and nothing that decides. What it says in words is made when it is told.
 */
import type {
  AgentName,
  ApprovalId,
  AssignmentId,
  BlockId,
  LeaseId,
  PauseId,
  PersonName,
  RequestId,
  RoleName,
  TaskName,
  TripId,
} from './ids.ts';
import type { Signal, Trip } from './oversight.ts';
import type { Instant, Seconds } from './time.ts';

/** What was asked for, as every notice of an approval tells it. */
export interface AskedFor {
  readonly agent: AgentName;
  readonly task: TaskName;
  readonly tier: number;
  /** The agent's words, as are `reason`. */
  readonly resource: string;
  readonly reason: string;
}

interface OfApproval {
  readonly approval: ApprovalId;
  readonly ask: AskedFor;
  /** Who is told. */
  readonly tell: readonly PersonName[];
}

export type NoticeFacts =
  /** The first step's people are asked, or a later one's. */
  | ({ readonly kind: 'asked' | 'escalated'; readonly step: string; readonly until: Instant } & OfApproval)
  /** `because`: the reason of a rejection. */
  | ({
      readonly kind: 'answered';
      readonly verdict: 'approved' | 'rejected';
      readonly by: readonly PersonName[];
      readonly because: string | null;
    } & OfApproval)
  /** Somebody would have less, which the agent has yet to take. */
  | ({ readonly kind: 'narrowed'; readonly by: PersonName } & OfApproval)
  | ({ readonly kind: 'expired' } & OfApproval)
  /** Tier 2: it was done, and may be reversed. */
  | {
      readonly kind: 'acted';
      readonly lease: LeaseId;
      readonly agent: AgentName;
      readonly task: TaskName;
      readonly resource: string;
      /** 0 to 1, the agent's own. */
      readonly confidence: number | null;
      readonly reviewBy: Instant;
      readonly tell: readonly PersonName[];
    }
  /** A rule wants it told that it forbade. */
  | {
      readonly kind: 'refused';
      readonly request: RequestId;
      readonly agent: AgentName;
      readonly task: TaskName;
      readonly resource: string;
      readonly rules: readonly string[];
      readonly tell: readonly PersonName[];
    }
  /** Somebody gave an agent what it may not have otherwise, for a short time: the others hear of it at once. */
  | {
      readonly kind: 'glass_broken';
      readonly assignment: AssignmentId;
      readonly agent: AgentName | null;
      readonly role: RoleName;
      readonly by: PersonName;
      /** Theirs. */
      readonly reason: string;
      readonly until: Instant;
      readonly tell: readonly PersonName[];
    }
  /** A circuit breaker: from now on it asks there, or is stopped. */
  | {
      readonly kind: 'tripped';
      readonly trip: TripId;
      readonly agent: AgentName;
      readonly task: TaskName;
      readonly signal: Signal;
      readonly count: number;
      readonly within: Seconds;
      readonly to: Trip['to'];
      readonly block: BlockId | null;
      readonly tell: readonly PersonName[];
    }
  /** So many breakers have tripped that everything is paused everywhere. */
  | {
      readonly kind: 'all_paused';
      readonly pause: PauseId;
      readonly trips: number;
      readonly tenants: number;
      readonly tell: readonly PersonName[];
    }
  /** The client's own contact hears of what was done there, at once. */
  | {
      readonly kind: 'done_at_client';
      readonly lease: LeaseId;
      readonly agent: AgentName;
      readonly task: TaskName;
      readonly resource: string;
      readonly tier: number;
      readonly at: Instant;
      readonly address: string;
    };

export const NOTICE_KINDS = [
  'asked',
  'escalated',
  'answered',
  'narrowed',
  'expired',
  'acted',
  'refused',
  'glass_broken',
  'tripped',
  'all_paused',
  'done_at_client',
  'digest',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Its place among the notices of one thing: none is told before those of a lower number. */
export interface NoticeOrder {
  readonly of: string;
  readonly nth: number;
}
