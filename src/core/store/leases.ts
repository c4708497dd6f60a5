/** What is read of leases: of one, of many, and over all tenants. */
import type { LeaseFilter } from '../change.ts';
import type { AgentName, LeaseId, PersonName, RoleName, TaskName, TenantName } from '../ids.ts';
import type { Lease, LeaseState } from '../lease.ts';
import type { Assignment, ProviderKind } from '../registers.ts';
import type { Epochs } from '../snapshot.ts';
import type { Instant, Milliseconds } from '../time.ts';
import type { Page } from './page.ts';

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

/** Whose leases: those at this tenant, or given to any of these agents or under this owner. All `null`: everybody's. */
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

export interface LeaseReads {
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
}
