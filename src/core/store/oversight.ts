/** What is read for oversight. */
import type { Vote } from '../approval.ts';
import type { AgentName, LeaseId, OrderId, PauseId, ReviewId, TenantName, TripId } from '../ids.ts';
import type { KeptOrder, KeptPause, KeptReview, KeptTrip, Verdict } from '../oversight.ts';
import type { Instant } from '../time.ts';
import type { Page } from './page.ts';

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
