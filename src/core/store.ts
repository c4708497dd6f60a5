/**
 * The port to what is kept. Facts are written in one place, `commit`; the queue of work has its own three verbs, which
 * write no fact.
 */
import type { Change, Committed, DoneBefore, RegisterClaim, Unmet } from './change.ts';
import type { Entry } from './entry.ts';
import type { AssignmentId, TargetName, TenantName } from './ids.ts';
import type { Agent, Assignment, TargetVersion, Tenant } from './registers.ts';
import type { Result } from './result.ts';
import type { DeploymentSnapshot, Epochs, Snapshot } from './snapshot.ts';
import type { ApprovalReads } from './store/approvals.ts';
import type { BlockReads } from './store/blocks.ts';
import type { BreakerReads } from './store/breakers.ts';
import type { LeaseReads } from './store/leases.ts';
import type { NoticeReads } from './store/notices.ts';
import type { OversightReads } from './store/oversight.ts';
import type { PeopleReads } from './store/people.ts';
import type { PolicyReads } from './store/policies.ts';
import type { Queue } from './store/queue.ts';
import type { RequestReads } from './store/requests.ts';
import type { Rounds } from './turns.ts';

/** The database does not answer, or went away in the middle: nothing may be said of what was asked. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export interface Store
  extends
    BlockReads,
    OversightReads,
    BreakerReads,
    PolicyReads,
    PeopleReads,
    LeaseReads,
    RequestReads,
    ApprovalReads,
    Queue,
    NoticeReads {
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
  /** What was done under an idempotency key that came with the same body; `null`: nothing, or nothing any more. */
  doneBefore(claim: Omit<RegisterClaim, 'made'>): Promise<DoneBefore | null>;
  tenants(): Promise<readonly Tenant[]>;
  /** Every agent of the register, enrolled anywhere or not. */
  agents(): Promise<readonly Agent[]>;
  assignment(id: AssignmentId): Promise<Assignment | null>;
  target(tenant: TenantName, target: TargetName, version: number): Promise<TargetVersion | null>;
  /** Those of all these tenants as they stand now, in one reading; removed ones are left out. */
  targetsAt(tenants: readonly TenantName[]): Promise<readonly TargetVersion[]>;
  /** As it was written last, read now; of one that was removed too, since what it holds is still to be ended. */
  newestTarget(tenant: TenantName, target: TargetName): Promise<TargetVersion | null>;
  readonly turns: Rounds;
  /** Whether the database answers and its migrations are those of this version. */
  ready(): Promise<{ readonly database: boolean; readonly migrations: boolean }>;
  close(): Promise<void>;
}
