/**
 * What oversight writes down: verdicts on what was done, pauses, orders to take back, reviews that are owed, and circuit
 * breakers that have tripped. None of it approves, executes or changes policy.
 */
import type { JsonObject } from './canonical.ts';
import type { FailureCode } from './failure.ts';
import type {
  AgentName,
  BlockId,
  LeaseId,
  OrderId,
  PauseId,
  PersonName,
  RequestId,
  ReviewId,
  RoleName,
  TaskName,
  TenantName,
  TripId,
  VerdictId,
} from './ids.ts';
import type { Instant } from './time.ts';

export const VERDICTS = ['correct', 'false_positive', 'false_negative', 'reversed', 'caused_incident'] as const;
export type VerdictKind = (typeof VERDICTS)[number];

/** What a person of oversight makes of a finished lease; never mixed with the agent's own outcome. The last one counts. */
export interface Verdict {
  readonly id: VerdictId;
  readonly tenant: TenantName;
  readonly lease: LeaseId;
  readonly verdict: VerdictKind;
  /** Where more of it stands: a ticket, an incident. */
  readonly reference: string;
  readonly by: PersonName;
  readonly at: Instant;
}

/** Who acts where no person does. No name of a person is taken for it: it has characters that a name cannot have. */
export const BROKER = '(broker)' as PersonName;

/** While it stands at a tenant, everything there is of tier 3. `tenant` null: at all, also those to come. */
export interface Pause {
  readonly id: PauseId;
  readonly tenant: TenantName | null;
  /** {@link BROKER} where a breaker tripped. */
  readonly author: PersonName;
  readonly from: Instant;
}

export interface KeptPause extends Omit<Pause, 'tenant'> {
  readonly reason: string;
  /** Everywhere it has one place, whose tenant is null. */
  readonly places: readonly {
    readonly tenant: TenantName | null;
    readonly endedAt: Instant | null;
    readonly endedBy: PersonName | null;
  }[];
}

/** A reversal that oversight ordered, which the agent asks for itself, once, naming it. */
export interface Order {
  readonly id: OrderId;
  readonly tenant: TenantName;
  /** What it takes back. */
  readonly lease: LeaseId;
  readonly agent: AgentName;
  /** The class that takes it back. */
  readonly task: TaskName;
  /** As the lease was asked for. */
  readonly resource: string;
  readonly parameters: JsonObject;
  readonly by: PersonName;
  readonly reason: string;
  readonly at: Instant;
  readonly until: Instant;
}

export interface KeptOrder extends Order {
  /** The request that took it. */
  readonly request: RequestId | null;
}

export const REVIEWS = ['break_glass', 'reversal', 'lease'] as const;
export type ReviewKind = (typeof REVIEWS)[number];

/** Somebody else has to look at it, and say so in words. It stays on the list until then. */
export interface Review {
  readonly id: ReviewId;
  readonly tenant: TenantName;
  readonly what: ReviewKind;
  /** The id of what it is about: an assignment, an order or a lease. */
  readonly about: string;
  readonly agent: AgentName | null;
  /** Of broken glass, what it gave; `null` in what is about something else, or is from before it was kept. */
  readonly role: RoleName | null;
  readonly openedBy: PersonName;
  readonly reason: string;
  readonly at: Instant;
  /** It cannot be done before: what it is about is not over. */
  readonly from: Instant;
  readonly due: Instant;
  /** Those who had a hand in it. */
  readonly notBy: readonly PersonName[];
}

export interface KeptReview extends Review {
  readonly done: { readonly by: PersonName; readonly at: Instant; readonly words: string } | null;
}

/** What a breaker counts, of one agent and task class at a tenant. */
export const SIGNALS = ['failed', 'verdicts', 'refused', 'reversed', 'rate'] as const;
export type Signal = (typeof SIGNALS)[number];

/** In words for people, after their number. */
export const SIGNAL_WORDS: Readonly<Record<Signal, string>> = {
  failed: 'runs that it calls failed',
  verdicts: 'verdicts against it',
  refused: 'refusals',
  reversed: 'runs taken back',
  rate: 'requests',
};

/** What oversight says of a lease that counts against who did it; `reversed` is a sign of its own. */
export const BAD_VERDICTS: readonly VerdictKind[] = ['false_positive', 'false_negative', 'caused_incident'];

/** Of what was asked for itself. That something is stopped, full or without people says nothing of who asks. */
export const COUNTED_REFUSALS: readonly FailureCode[] = [
  'not_permitted',
  'forbidden_by_rule',
  'role_needed',
  'no_role',
  'humans_only',
  'invalid_parameters',
  'target_unknown',
  'uses_not_countable',
  'ttl_not_possible',
];

/** Tripped to `ask`, it raises the tier there until a person resets it; to `block`, a block stands until it is lifted. */
export interface Trip {
  readonly id: TripId;
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly task: TaskName;
  /** Of the policy, by which it tripped, and what that counts. */
  readonly breaker: string;
  readonly signal: Signal;
  readonly to: 'ask' | 'block';
  /** As many as there were of each that had reached its limit. */
  readonly counts: Readonly<Partial<Record<Signal, number>>>;
  /** When it was counted: what ended since then stands against it. */
  readonly from: Instant;
  readonly block: BlockId | null;
}

export interface KeptTrip extends Trip {
  readonly ended: { readonly by: PersonName; readonly at: Instant } | null;
}
