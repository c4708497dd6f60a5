/**
 * Everything that can be written, as one closed union. Each comes with its ledger entries to `store.commit`, and is
 * done whole or not at all.
 */
import type { ApprovalState, ApprovalTerms, Rejection, Vote } from './approval.ts';
import type { BlockOf } from './block.ts';
import type { JsonObject } from './canonical.ts';
import type { Receipt } from './entry.ts';
import type {
  AgentName,
  ApprovalId,
  BlockId,
  LeaseId,
  OrderId,
  PersonName,
  RequestId,
  TargetName,
  TaskName,
  TenantName,
  WorkId,
} from './ids.ts';
import type { NoticeFacts, NoticeOrder } from './notice.ts';
import type { Proposal, ProposalState } from './proposal.ts';
import type { Death, LeaseState, LeaseTerms, Outcome, RevocationCause } from './lease.ts';
import type { SealedSecret } from './seal.ts';
import type { Epochs } from './snapshot.ts';
import type { Instant, Milliseconds, Seconds } from './time.ts';
import type { Counted, Idempotency, OneUse } from './change/once.ts';
import type { Confirmation, RegisterChange } from './change/register.ts';

/** The claim of a change of registers. */
export interface RegisterClaim extends Idempotency {
  /** Within which the key is unique: a tenant, or (`null`) the deployment. */
  readonly place: TenantName | null;
  /** What the change makes, beside its receipts; `null` where they are the whole of its answer. Never a secret. */
  readonly made: object | null;
}

/** What was done under a key, to be answered again. */
export interface DoneBefore {
  readonly receipts: readonly Receipt[];
  readonly made: object | null;
}

export const EFFECTS = ['permit', 'ask', 'forbid'] as const;
export type Effect = (typeof EFFECTS)[number];

/** A request as it is kept: what was asked and how it was decided. */
export interface RequestRow {
  readonly id: RequestId;
  readonly agent: AgentName;
  readonly task: TaskName;
  readonly resource: string;
  readonly hash: string;
  readonly effect: Effect;
  /** The decision as callers see it. */
  readonly decision: JsonObject;
  /** The request as asked, without secrets (it carries none). */
  readonly asked: JsonObject;
  readonly at: Instant;
  readonly policy: string;
}

/** What becomes of an approval; absent members stay as they are. */
export interface ApprovalMove {
  readonly from: ApprovalState;
  readonly to: ApprovalState;
  /** As it was read: moved on that, or not at all. */
  readonly version: number;
  readonly votes?: readonly Vote[];
  readonly step?: number;
  readonly stepEndsAt?: Instant;
  /** Who is asked from here on. */
  readonly asks?: readonly PersonName[];
  readonly acceptedAt?: Instant;
  readonly decidedAt?: Instant;
  readonly redeemBy?: Instant;
  readonly rejection?: Rejection;
}

/** Work that a change leaves to be done, enqueued in its own transaction. */
export type WorkTask =
  /** An `opening` lease whose mint may have been lost: fence, look, and say what it is. */
  | ({ readonly task: 'reconcile' } & WorkAtTarget)
  /** A `revoking` lease: end it at its provider, look until it is gone. */
  | ({ readonly task: 'kill' } & WorkAtTarget)
  /** A dead login that could not be dropped, or a fence that is over. */
  | ({ readonly task: 'clean' } & WorkAtTarget)
  /** People are told. `by`: until then, or what they would be told of asks until they can be. */
  | {
      readonly task: 'notice';
      readonly tenant: TenantName;
      readonly notice: NoticeFacts;
      readonly order: NoticeOrder | null;
      readonly by: Instant | null;
    }
  /** The client's own contact hears what was done there in this time. */
  | { readonly task: 'digest'; readonly tenant: TenantName; readonly from: Instant; readonly until: Instant }
  /** Everything live that rests on what was taken away is ended: what was decided before that, and nothing since. */
  | {
      readonly task: 'cascade';
      readonly tenant: TenantName | null;
      readonly over: LeaseFilter;
      /** The epoch that the change raised, which the store knows: leases decided under an older one. */
      readonly since?: Partial<Epochs>;
    }
  /** Everything live, there or everywhere, that would not be given any more is ended: of what was decided before. */
  | {
      readonly task: 'reassess';
      readonly tenant: TenantName | null;
      readonly since?: Partial<Epochs>;
      /** Those up to here were looked at. */
      readonly after?: LeaseId;
      /** Of those, some could not be ended: all are looked at once more. */
      readonly again?: boolean;
    }
  /** What lives inside a block is ended, the most dangerous first, and seen dead. */
  | {
      readonly task: 'enforce';
      readonly tenant: null;
      readonly block: BlockId;
      readonly of: BlockOf;
      readonly agents: readonly AgentName[];
      readonly tenants: readonly TenantName[];
      /** The epoch that raised it: once it is lifted, what was decided since is none of its business. */
      readonly since?: Partial<Epochs>;
      /** Where it was asked for: whatever whole targets gave before this moment ends too, and whether that is done. */
      readonly all?: { readonly before: Instant; readonly is: 'to do' | 'done' };
    }
  /** The step of an approval, or its time, is over: the next are asked, or nobody any more. */
  | { readonly task: 'approval'; readonly tenant: TenantName; readonly approval: ApprovalId }
  /** The time of a policy is over: what it widened is taken back, unless another took its place. */
  | { readonly task: 'narrow'; readonly tenant: null; readonly policy: string };

/** It names its target, as it was then, by which the queue keeps one that is dead from holding up the others. */
export interface WorkAtTarget {
  readonly tenant: TenantName;
  readonly lease: LeaseId;
  readonly target: TargetName;
  /** Absent in what was left before it was kept. */
  readonly version?: number;
}

export interface NewWork {
  readonly id: WorkId;
  readonly due: Instant;
  readonly what: WorkTask;
}

/** Which live leases. `null` members do not narrow. */
export interface LeaseFilter {
  readonly tenant: TenantName | null;
  readonly agent: AgentName | null;
  readonly owner: PersonName | null;
  readonly target: TargetName | null;
  readonly role: string | null;
}

/** What must be so for the change to happen, beside what each kind says of itself. */
export interface Conditions {
  /** Neither epoch has moved. */
  readonly epochs: Epochs;
  /** Never used before. Spent once the epochs held, whatever else fails. */
  readonly oneUse: OneUse | null;
  readonly idempotency: Idempotency | null;
  /** For what opens a lease, or asks; absent: there is no limit. */
  readonly within?: Within;
  /** For the same: the order that its request takes, which no other has taken and whose time is not over. */
  readonly takes?: OrderId;
}

/** What an agent holds at a tenant that a policy may limit: counted where it is added to, so that it is exact. */
export const LIVE_BUDGETS = ['live_leases', 'live_logins', 'open_approvals'] as const;
export type LiveBudget = (typeof LIVE_BUDGETS)[number];

export interface Within {
  /** No more than so many at once, of those that the change adds to. */
  readonly budgets: Readonly<Partial<Record<LiveBudget, number>>>;
  readonly spread: Spread | null;
}

/** One task class at many tenants: by how few it may be done, within how long, before it asks. */
export interface Spread {
  readonly owner: PersonName;
  readonly agent: AgentName;
  readonly task: TaskName;
  /** A keyed hash of the tenant. */
  readonly place: string;
  readonly most: number;
  readonly lookback: Seconds;
  /** It asks already, so it counts and is never refused for it. */
  readonly asks: boolean;
}

/** Changes in the life of a request, at one tenant. They are committed in groups. */
export type LifeChange = { readonly tenant: TenantName } & (
  | { readonly kind: 'session.open'; readonly when: Conditions }
  /** A request that got nothing. */
  | {
      readonly kind: 'request.refuse';
      readonly when: Conditions;
      readonly request: RequestRow;
      readonly work: readonly NewWork[];
    }
  | {
      readonly kind: 'request.ask';
      readonly when: Conditions;
      readonly request: RequestRow;
      readonly approval: ApprovalTerms;
      readonly work: readonly NewWork[];
    }
  /** Intent (`opening`), or a local mint that opens and activates in one (`active`). */
  | {
      readonly kind: 'lease.open';
      readonly when: Conditions;
      readonly request: RequestRow;
      /** The approval that it spends, as it was read, whose request is kept already: only while it may be redeemed. */
      readonly redeems: { readonly approval: ApprovalId; readonly version: number } | null;
      readonly lease: LeaseTerms;
      readonly state: 'opening' | 'active';
      readonly secret: SealedSecret | null;
      readonly work: readonly NewWork[];
    }
  /**
   * The mint's outcome: only from `opening`, with the epochs unmoved. Enqueues `work`, a tier 2 notice, if any; `over`,
   * the reconciler's, has nothing left to do and goes with it.
   */
  | {
      readonly kind: 'lease.activate';
      readonly lease: LeaseId;
      readonly epochs: Epochs;
      readonly at: Instant;
      readonly reference: JsonObject | null;
      readonly secret: SealedSecret | null;
      /** When its use is first looked at; `null` where it is not seen. */
      readonly lookAt: Instant | null;
      readonly work: readonly NewWork[];
      readonly over: WorkId;
    }
  /**
   * It is about to be used once more: only from `active`, before its end, with a use left and the epochs unmoved. The
   * last one is told by the count that is read back.
   */
  | { readonly kind: 'lease.use'; readonly lease: LeaseId; readonly epochs: Epochs; readonly at: Instant }
  /** Seen never to have been minted, behind the fence: only from `opening`. */
  | {
      readonly kind: 'lease.fail';
      readonly lease: LeaseId;
      /** The approval that it spent, which may be redeemed again if still in time. */
      readonly reopens: ApprovalId | null;
      readonly at: Instant;
      readonly fence: WorkFence | null;
      readonly work: readonly NewWork[];
    }
  /**
   * From `opening` or `active`: the revocation is committed. With a `death`, which only a local credential has in the
   * same commit, it is `revoked` at once; otherwise `work` says who kills it.
   */
  | {
      readonly kind: 'lease.revoke';
      readonly lease: LeaseId;
      readonly at: Instant;
      readonly cause: RevocationCause;
      readonly outcome: Outcome | null;
      /** The kill switch that ends it. */
      readonly block?: BlockId | null;
      readonly reference: JsonObject | null;
      readonly secret: SealedSecret | null;
      readonly death: Death | null;
      readonly exposure: Milliseconds | null;
      readonly work: readonly NewWork[];
    }
  /**
   * A mint that landed when the end of its lease was committed already: only from `revoking`, and once. Keeps what the
   * kill finds it by and looks with, which `work` then does.
   */
  | {
      readonly kind: 'lease.land';
      readonly lease: LeaseId;
      readonly reference: JsonObject | null;
      readonly secret: SealedSecret | null;
      readonly work: readonly NewWork[];
    }
  /**
   * From `revoking`: death was seen, or cannot be. Either by the attempt that holds the work, or by whoever revoked it
   * and killed it at once: then the work that waits, `over`, goes with it.
   */
  | {
      readonly kind: 'lease.bury';
      readonly lease: LeaseId;
      readonly death: Death;
      readonly exposure: Milliseconds;
      readonly fence: WorkFence | null;
      readonly over: WorkId | null;
      readonly work: readonly NewWork[];
    }
  /** What the agent reports of a lease that was already ending. */
  | { readonly kind: 'lease.report'; readonly lease: LeaseId; readonly outcome: Outcome }
  /** Facts that change nothing but the ledger. They hold whatever has moved since, as long as the tenant is there. */
  | { readonly kind: 'ledger.note' }
);

/** Work is finished only by the attempt that holds it: an older one, waking late, changes nothing. */
export interface WorkFence {
  readonly work: WorkId;
  readonly attempt: number;
}

/**
 * People, the agent or time do something about an approval: only as it was read, and only in the time that it has.
 * Committed alone: people answer a few times a minute.
 */
export interface ApprovalChange {
  readonly kind: 'approval.move';
  readonly tenant: TenantName;
  readonly approval: ApprovalId;
  readonly move: ApprovalMove;
  /** What a person's word rests on; `null` for what rests on nobody's standing: time, and the agent's own withdrawal. */
  readonly when: (Pick<Conditions, 'epochs' | 'oneUse'> & { readonly counts: Counted | null }) | null;
  /** Before its end, by the database's clock after the lock; or only once that has come. */
  readonly time: 'before_end' | 'after_end' | 'any';
  /** The narrower one that takes its place. */
  readonly next: ApprovalTerms | null;
  readonly fence: WorkFence | null;
  readonly work: readonly NewWork[];
}

export interface RegisterCommand {
  readonly kind: 'register';
  readonly change: RegisterChange;
  /** Everything live that rests on what is taken away: enqueued in the same transaction. */
  readonly work: readonly NewWork[];
  /** The deployment epoch that the author's standing was read under; the change happens only if it has not moved. */
  readonly deploymentEpoch: number | null;
  /** The same of the tenant that it changes, where the standing or the tenant was read there; 0: there was none. */
  readonly tenantEpoch?: number | null;
  /** What the change was proposed as, where it takes two. */
  readonly confirms?: Confirmation;
  /** What was done by one, and is to be looked at by another. */
  readonly owes?: Proposal;
  /** Never used before: the nonces of what was signed for it. */
  readonly spends?: readonly OneUse[];
  /** Of the passkey that signed for it. */
  readonly counts?: Counted | null;
  /** Claimed in the same transaction, and remembered with the receipts. */
  readonly idempotency?: RegisterClaim | null;
}

/** A refusal that was counted with others of its kind beyond the first. */
export interface RepeatedRefusal {
  readonly kind: 'refusal.count';
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly task: string;
  readonly resource: string;
  readonly code: string;
  readonly count: number;
}

/** A channel has taken a notice: the work is over, if this attempt still holds it. */
export interface NoticeTold {
  readonly kind: 'notice.told';
  readonly tenant: TenantName;
  readonly fence: WorkFence;
}

export type Change = LifeChange | ApprovalChange | RegisterCommand | RepeatedRefusal | NoticeTold;

export interface Committed {
  readonly receipts: readonly Receipt[];
  /** The version given to a target that was put. */
  readonly version?: number;
}

/** Why a change did not happen. Nothing of it was written, except a `oneUse` whose other conditions failed. */
export type Unmet =
  /** An epoch moved: read again, decide again. */
  | { readonly unmet: 'moved' }
  | { readonly unmet: 'replayed' }
  /** The idempotency key was claimed before, with this body (`same`) or another; and what it was claimed for. */
  | {
      readonly unmet: 'claimed';
      readonly same: boolean;
      readonly request: RequestId | null;
      /** Of a change of registers: `null` where the body is another. */
      readonly done: DoneBefore | null;
    }
  /** As much is live as may be; `until` is the earliest end of it, unless something ends before. */
  | { readonly unmet: 'budget'; readonly budget: LiveBudget; readonly until: Instant | null }
  /** The same is being done at so many tenants that it must ask: decide again. */
  | { readonly unmet: 'spread' }
  /** The lease, or the approval, is not in a state that this moves from. */
  | { readonly unmet: 'state'; readonly state: LeaseState | null }
  /** The approval is not as it was read, or its time is over (or has not come). */
  | { readonly unmet: 'approval' }
  /** The order was taken by another request, or its time is over. */
  | { readonly unmet: 'order' }
  /** Another attempt holds the work. */
  | { readonly unmet: 'fenced' }
  | { readonly unmet: 'retired' }
  | { readonly unmet: 'taken'; readonly by: string }
  | { readonly unmet: 'second_function'; readonly held: string }
  | { readonly unmet: 'in_use'; readonly by: string }
  | { readonly unmet: 'missing'; readonly what: string }
  /** The proposal is not open, passed its end, or is another than was seen. */
  | { readonly unmet: 'proposal'; readonly why: ProposalState | 'expired' | 'hash' };
