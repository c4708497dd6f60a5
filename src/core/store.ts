/**
 * The port to what is kept. Facts are written in one place, `commit`; the queue of work has its own three verbs, which
 * write no fact.
 */
import type { Approval, Vote } from './approval.ts';
import type { BlockOf } from './block.ts';
import type { ChannelName, ChannelState } from './channel.ts';
import type {
  Change,
  Committed,
  DoneBefore,
  Effect,
  LeaseFilter,
  RegisterClaim,
  Unmet,
  WorkFence,
  WorkTask,
} from './change.ts';
import type { JsonObject } from './canonical.ts';
import type { ConsoleSession } from './console.ts';
import type { Entry } from './entry.ts';
import type {
  AgentName,
  ApprovalId,
  AssignmentId,
  BlockId,
  ChangeId,
  EntryId,
  LeaseId,
  OrderId,
  PauseId,
  PersonName,
  RequestId,
  ReviewId,
  RoleName,
  TargetName,
  TaskName,
  TenantName,
  TripId,
} from './ids.ts';
import type { KeptOrder, KeptPause, KeptReview, KeptTrip, Signal, Trip, Verdict } from './oversight.ts';
import type { Lease, LeaseState } from './lease.ts';
import type { NoticeOrder } from './notice.ts';
import type { Marks, MarksQuery } from './live.ts';
import type { KeptProposal } from './proposal.ts';
import type { Agent, Assignment, BundleFiles, ProviderKind, RoleFunction, TargetVersion, Tenant } from './registers.ts';
import type { RequestRow, Spread } from './change.ts';
import type { Result } from './result.ts';
import type { DeploymentSnapshot, Epochs, Snapshot } from './snapshot.ts';
import type { Instant, Milliseconds, Seconds } from './time.ts';
import type { Rounds } from './turns.ts';

/** The database does not answer, or went away in the middle: nothing may be said of what was asked. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export interface ClaimedWork extends WorkFence {
  readonly what: WorkTask;
  readonly enqueuedAt: Instant;
}

export interface KeptRequest extends RequestRow {
  readonly tenant: TenantName;
  readonly lease: LeaseId | null;
  /** The one that counts: a narrower answer takes the place of what it narrows. */
  readonly approval: Approval | null;
}

export interface Page {
  readonly limit: number;
  /** Rows after this id, newest first. */
  readonly before: string | null;
}

export interface AsksQuery {
  readonly person: PersonName;
  readonly limit: number;
  /** Those that end after it. */
  readonly after: { readonly due: Instant; readonly approval: ApprovalId } | null;
}

export interface LeaseQuery extends Page, LeaseFilter {
  readonly states: readonly LeaseState[] | null;
  readonly task?: TaskName | null;
}

export interface ExposureQuery {
  readonly within: readonly TenantName[];
  readonly since: Instant;
  /** The length of one span. */
  readonly every: Milliseconds;
}

/** What was ended in one span of time (`from`), or by one provider over all of it. */
export interface ExposureRow {
  readonly from: Instant | null;
  readonly provider: ProviderKind | null;
  readonly n: number;
  /** Of those, what nobody could see dead. */
  readonly unverifiable: number;
  readonly median: Milliseconds;
  /** 95 of 100 were no longer. */
  readonly high: Milliseconds;
  readonly worst: Milliseconds;
}

export interface KeptPolicy {
  readonly version: string;
  readonly functions: Readonly<Record<string, string>>;
  readonly addedAt: Instant;
}

/** Whose leases: those of any of these agents, under this owner, at this tenant. `null` members do not narrow. */
export interface Holding {
  readonly tenant: TenantName | null;
  readonly owner: PersonName | null;
  readonly agents: readonly AgentName[] | null;
}

export interface EndingQuery extends Page, Holding {
  readonly since: Instant;
}

/** What a mark found at a provider belongs to. */
export interface Standing {
  readonly tenant: TenantName;
  readonly state: LeaseState;
}

/** Where agents are enrolled, what they hold there, and when each role of theirs was last used for a lease. */
export interface Placements {
  readonly enrolments: readonly { readonly tenant: TenantName; readonly agent: AgentName }[];
  readonly assignments: readonly Assignment[];
  readonly uses: readonly {
    readonly tenant: TenantName;
    readonly agent: AgentName;
    readonly role: RoleName;
    readonly lastAt: Instant;
  }[];
}

/** An entry as it is read back, with what stands beside it. */
export interface KeptEntry {
  readonly id: EntryId;
  readonly kind: string;
  readonly at: Instant;
  readonly leaf: string;
  /** The entry's exact text. */
  readonly text: string;
  readonly said: JsonObject;
  readonly seen: JsonObject;
}

/** An entry as it is exported. */
export type Evidence = Pick<Entry, 'id' | 'kind' | 'text' | 'leaf' | 'values'>;

/** What a block would reach, or does: `agents` are those of its owner, vendor or model, or the one that it names. */
export interface Reach {
  readonly of: BlockOf;
  readonly tenants: readonly TenantName[];
  readonly agents: readonly AgentName[];
  /** What was decided under an older epoch alone: what came since was decided without it. */
  readonly since?: Partial<Epochs>;
  /** The same for a view that may be a moment off. */
  readonly openedBy?: Instant;
}

/** A block with each tenant at which it stands, or stood. */
export interface KeptBlock extends BlockOf {
  readonly id: BlockId;
  readonly agents: readonly AgentName[];
  readonly author: PersonName;
  readonly from: Instant;
  readonly until: Instant | null;
  readonly reason: string;
  readonly drill: boolean;
  /** Whatever the targets wholly inside gave before ends too, whoever made it. */
  readonly deniesRoles: boolean;
  /** When all that it reached was seen to be over. */
  readonly reportedAt: Instant | null;
  readonly places: readonly {
    readonly tenant: TenantName;
    readonly liftedAt: Instant | null;
    readonly liftedBy: PersonName | null;
  }[];
}

interface Counted {
  readonly tenant: TenantName;
  readonly provider: ProviderKind;
  readonly target: TargetName;
  readonly state: LeaseState;
  readonly n: number;
}

/** What a block ended, counted: of one target, one state and one way of being dead. */
export interface Toll extends Counted {
  readonly how: string | null;
  readonly worstExposure: Milliseconds;
  readonly firstRevokingAt: Instant | null;
  readonly lastDeathAt: Instant | null;
}

/** Across tenants. Whoever asks has named those that its caller oversees. */
export interface BlockReads {
  /** The agents that are enrolled at any of these. */
  enrolledAt(within: readonly TenantName[]): Promise<readonly AgentName[]>;
  /** Live leases inside it, the most dangerous first. */
  reached(
    reach: Reach,
    limit: number,
    except?: readonly LeaseId[],
  ): Promise<readonly { readonly tenant: TenantName; readonly lease: LeaseId }[]>;
  /** All that is not over inside it, counted. */
  unendedWithin(reach: Reach): Promise<readonly Counted[]>;
  toll(block: BlockId, within: readonly TenantName[]): Promise<readonly Toll[]>;
  /** What it ended, newest first. */
  ended(query: Page & { readonly block: BlockId; readonly within: readonly TenantName[] }): Promise<readonly Lease[]>;
  /** Those that it ended and that are not dead, the longest dying first. */
  survivors(block: BlockId, within: readonly TenantName[], limit: number): Promise<readonly Lease[]>;
  /** Why those were not dead when they were last tried, and how often that was. */
  whyAlive(
    leases: readonly LeaseId[],
  ): Promise<ReadonlyMap<LeaseId, { readonly why: string | null; readonly attempts: number }>>;
  /** Newest first; `standing`: those alone that are neither lifted nor over. */
  blocks(
    query: Page & { readonly within: readonly TenantName[]; readonly standing: boolean },
  ): Promise<readonly KeptBlock[]>;
  block(id: BlockId, within: readonly TenantName[]): Promise<KeptBlock | null>;
}

/** Across tenants, but where one is named. Whoever asks has named those that its caller oversees. */
export interface OversightReads {
  /** Oldest first: the last one counts. */
  verdicts(tenant: TenantName, lease: LeaseId): Promise<readonly Verdict[]>;
  /** Newest first, and with those that stand everywhere; `standing`: those alone that have not ended at some place. */
  pauses(
    query: Page & { readonly within: readonly TenantName[]; readonly standing: boolean },
  ): Promise<readonly KeptPause[]>;
  pause(id: PauseId, within: readonly TenantName[]): Promise<KeptPause | null>;
  order(tenant: TenantName, id: OrderId): Promise<KeptOrder | null>;
  /** The one that takes back what this lease did. */
  orderFor(tenant: TenantName, lease: LeaseId): Promise<KeptOrder | null>;
  /** Those that wait for an agent, the oldest first. */
  openOrders(tenant: TenantName, agent: AgentName): Promise<readonly KeptOrder[]>;
  orders(query: Page & { readonly within: readonly TenantName[] }): Promise<readonly KeptOrder[]>;
  /** What people said of approvals at these tenants since then. */
  said(within: readonly TenantName[], since: Instant): Promise<readonly Vote[]>;
  reviews(
    query: Page & { readonly within: readonly TenantName[]; readonly open: boolean },
  ): Promise<readonly KeptReview[]>;
  review(id: ReviewId, within: readonly TenantName[]): Promise<KeptReview | null>;
  trips(
    query: Page & { readonly within: readonly TenantName[]; readonly standing: boolean },
  ): Promise<readonly KeptTrip[]>;
  trip(id: TripId, within: readonly TenantName[]): Promise<KeptTrip | null>;
}

/** So many of one kind of sign. */
export interface Tally extends Pick<Trip, 'tenant' | 'agent' | 'task'> {
  readonly n: number;
}

/** What breakers look at, over all tenants. */
export interface BreakerReads {
  /**
   * How many there were since then of each agent and task class at a tenant, or since the last breaker of it was ended;
   * those alone with `least` of them.
   */
  tallies(signal: Signal, since: Instant, least: number): Promise<readonly Tally[]>;
  tripsStanding(): Promise<readonly Pick<Trip, 'tenant' | 'agent' | 'task' | 'to'>[]>;
  tripsBegun(since: Instant): Promise<readonly Pick<Trip, 'tenant' | 'agent' | 'task' | 'from'>[]>;
  /** When somebody last ended a pause of everything that breakers began. */
  spikeEnded(): Promise<Instant | null>;
}

export interface Store extends BlockReads, OversightReads, BreakerReads {
  /** Done whole, entries included, or not at all. Rejects with `StoreUnavailable` when nothing can be said. */
  commit(change: Change, entries: readonly Entry[]): Promise<Result<Committed, Unmet>>;

  /** The kept snapshot of a tenant, read anew once it has lapsed or was found stale; `null` where there is none. */
  snapshot(tenant: TenantName): Promise<Snapshot | null>;
  deployment(): Promise<DeploymentSnapshot>;
  /** Forgets what is kept, because a commit said `moved`. */
  forget(tenant: TenantName | null): void;
  /** The epochs as they are now, for a `no` that must not rest on a stale snapshot. */
  epochs(tenant: TenantName): Promise<Epochs | null>;
  /** The same for what rests on the deployment alone. */
  deploymentEpoch(): Promise<number>;
  bundle(version: string): Promise<BundleFiles | null>;

  /** What was done under an idempotency key that came with the same body; `null`: nothing, or nothing any more. */
  doneBefore(claim: Omit<RegisterClaim, 'made'>): Promise<DoneBefore | null>;

  /** The versions that are kept, the newest first, with the function of each role in it. */
  policies(): Promise<readonly KeptPolicy[]>;
  /** A change that takes two. Whoever asks has yet to be let see it. */
  proposal(change: ChangeId): Promise<KeptProposal | null>;
  /** Those of a tenant, or of the deployment (`null`), newest first. */
  proposals(query: Page & { readonly tenant: TenantName | null }): Promise<readonly KeptProposal[]>;

  /** The roles of all assignments, over all tenants; `lasting`: one of those has not ended. */
  rolesHeld(): Promise<
    readonly { readonly role: RoleName; readonly function: RoleFunction; readonly lasting: boolean }[]
  >;

  /** One that is not over. Who it leads to is to be looked up. */
  consoleSession(id: string): Promise<ConsoleSession | null>;
  /** Those of a person that are not over, the newest first. */
  consoleSessionsOf(person: PersonName): Promise<readonly ConsoleSession[]>;
  /** That a session was used: bookkeeping, by which it does not end for idleness before. */
  usedConsole(id: string, idleUntil: Instant): Promise<void>;
  /** Where things stand that open pages show. Whoever asks has looked whether they may be shown. */
  marks(query: MarksQuery): Promise<Marks>;
  /** What a person holds now, over all tenants and at the deployment (`null`). */
  functionsOf(
    person: PersonName,
  ): Promise<readonly { readonly tenant: TenantName | null; readonly held: RoleFunction }[]>;

  tenants(): Promise<readonly Tenant[]>;
  /** Every agent of the register, enrolled anywhere or not. */
  agents(): Promise<readonly Agent[]>;
  assignment(id: AssignmentId): Promise<Assignment | null>;
  /** The tenants at which a person holds oversight now; by another role than these, where some are named. */
  overseenBy(person: PersonName, except?: ReadonlySet<RoleName>): Promise<readonly TenantName[]>;
  /** `null`: not there, or not this tenant's. */
  lease(tenant: TenantName, lease: LeaseId): Promise<Lease | null>;
  /** Newest first, and nothing outside `within`. Without a tenant: across tenants, by the listing role. */
  leases(query: LeaseQuery, within: readonly TenantName[] | null): Promise<readonly Lease[]>;
  /** How long what is dead was exposed: by spans of time, and by provider. */
  exposures(query: ExposureQuery): Promise<readonly ExposureRow[]>;
  /** Over all tenants by the listing role, newest first: what is not over, and what was ended since. */
  ending(of: EndingQuery): Promise<readonly Lease[]>;
  /** Whose these are and how they stand, over all tenants; those that are no leases are missing. */
  standing(ids: readonly LeaseId[]): Promise<ReadonlyMap<LeaseId, Standing>>;
  /** How many of these are not over. */
  unended(of: Holding): Promise<number>;
  /** What the inventory adds to the register of agents, over all tenants or those within. */
  placements(within: readonly TenantName[] | null): Promise<Placements>;
  request(tenant: TenantName, request: RequestId): Promise<KeptRequest | null>;
  requests(
    query: Page & {
      readonly tenant: TenantName | null;
      readonly agent: AgentName | null;
      readonly effect: Effect | null;
    },
    within: readonly TenantName[] | null,
  ): Promise<readonly KeptRequest[]>;
  approval(tenant: TenantName, approval: ApprovalId): Promise<Approval | null>;
  /** The last asks of one task class at a tenant, newest first, with the credential that came of each. */
  askedBefore(
    tenant: TenantName,
    task: TaskName,
    limit: number,
  ): Promise<readonly { readonly request: KeptRequest; readonly lease: Lease | null }[]>;
  /** The steps of one plan that wait for people. */
  planned(tenant: TenantName, agent: AgentName, plan: string): Promise<readonly Approval[]>;
  /** At how many other tenants than this place the same was done by this agent, or for its owner, since then. */
  elsewhere(of: Pick<Spread, 'owner' | 'agent' | 'task' | 'place'>, since: Instant): Promise<number>;
  /** What waits for a person's answer, the first to end first. */
  asked(query: AsksQuery): Promise<readonly Approval[]>;
  /** How much waits for each of these persons, over all tenants; those for whom nothing does are missing. */
  openAsks(persons: readonly PersonName[]): Promise<ReadonlyMap<PersonName, number>>;
  /** Newest first, over all of these tenants. */
  approvals(query: Page & { readonly within: readonly TenantName[] }): Promise<readonly Approval[]>;
  target(tenant: TenantName, target: TargetName, version: number): Promise<TargetVersion | null>;
  /** As it was written last, read now; of one that was removed too, since what it holds is still to be ended. */
  newestTarget(tenant: TenantName, target: TargetName): Promise<TargetVersion | null>;
  /** The entries of a lease and of its request, oldest first. */
  entries(
    tenant: TenantName,
    of: { readonly lease: LeaseId } | { readonly request: RequestId },
  ): Promise<readonly KeptEntry[]>;
  /** The same of a request, whole: with the salts by which what stands beside a leaf can be proven. */
  evidence(tenant: TenantName, request: RequestId): Promise<readonly Evidence[]>;
  /** Active leases that have passed their end, oldest first, over all tenants. */
  overdue(now: Instant, limit: number): Promise<readonly { readonly tenant: TenantName; readonly lease: LeaseId }[]>;
  /**
   * Live leases (opening, active), in the order of their ids, beginning after one: those decided under an older epoch
   * than `since`.
   */
  live(
    over: LeaseFilter,
    since: Partial<Epochs>,
    limit: number,
    after?: LeaseId | null,
  ): Promise<readonly { readonly tenant: TenantName; readonly lease: LeaseId }[]>;

  /**
   * Claims work that is due, at most `perTarget` of one target at once, tenants in turn; fenced by its attempt.
   * @param shares of those targets that may have more or less, by tenant and target with a space between.
   */
  claim(
    limit: number,
    perTarget: number,
    hold: Seconds,
    shares?: Readonly<Record<string, number>>,
  ): Promise<readonly ClaimedWork[]>;
  /** Gives it back until `due`, or what is left of it, with the reason. Nothing happens if another attempt holds it. */
  defer(work: WorkFence, due: Instant, why: string, left?: WorkTask): Promise<void>;
  /** Takes it off the queue; for work whose end is no fact of its own. */
  finish(work: WorkFence): Promise<void>;

  /**
   * Active leases whose use is to be looked at, over all tenants, the longest due first: each is given to one caller, and
   * is due again after `every`.
   */
  watched(limit: number, every: Seconds): Promise<readonly { readonly tenant: TenantName; readonly lease: LeaseId }[]>;
  /** That an active lease was seen in use: bookkeeping, by which the next look tells how long it has been idle. */
  sawUse(tenant: TenantName, lease: LeaseId, at: Instant): Promise<void>;

  /** Whether no notice of the same thing and of a lower number waits to be told. */
  isNext(order: NoticeOrder): Promise<boolean>;
  /** How channels stood when they were last used: bookkeeping, for whoever looks after them. */
  channels(): Promise<readonly ChannelState[]>;
  /** How many notices were tried and taken by no channel, of these tenants or of all (`null`), and since when the first waits. */
  untold(within: readonly TenantName[] | null): Promise<{ readonly count: number; readonly since: Instant | null }>;
  /** @param why it did not take a notice; `null`: it did. */
  usedChannel(name: ChannelName, why: string | null): Promise<void>;
  /** What was opened at a tenant from one moment to another, in tiers: the newest, and how many in all. */
  opened(
    tenant: TenantName,
    within: {
      readonly from: Instant;
      readonly until: Instant;
      readonly tiers: readonly number[];
      readonly limit: number;
    },
  ): Promise<{ readonly leases: readonly Lease[]; readonly count: number }>;

  readonly turns: Rounds;

  /** Writes that a sweeper is at work. */
  beat(node: string): Promise<void>;
  /** How long ago a sweeper last said so; `null` where none ever did. Kept for a moment, since every issue asks. */
  sinceBeat(): Promise<Milliseconds | null>;
  /** How far the database's clock is ahead of this process's. */
  clockOffset(): Promise<Milliseconds>;
  /** Whether the database answers and its migrations are those of this version. */
  ready(): Promise<{ readonly database: boolean; readonly migrations: boolean }>;
  close(): Promise<void>;
}
