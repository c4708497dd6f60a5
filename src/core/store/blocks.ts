/** What is read of blocks: what they reach, and what became of it. */
import type { BlockOf } from '../block.ts';
import type { AgentName, BlockId, LeaseId, PersonName, TargetName, TenantName } from '../ids.ts';
import type { Lease, LeaseState } from '../lease.ts';
import type { ProviderKind } from '../registers.ts';
import type { Epochs } from '../snapshot.ts';
import type { Instant, Milliseconds } from '../time.ts';
import type { Page } from './page.ts';

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
