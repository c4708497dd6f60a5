/** What is read and noted of telling people. */
import type { ChannelName, ChannelState } from '../channel.ts';
import type { TenantName } from '../ids.ts';
import type { Lease } from '../lease.ts';
import type { NoticeOrder } from '../notice.ts';
import type { Instant } from '../time.ts';

export interface NoticeReads {
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
}
