/** Where the console shows things. A link leads there and decides nothing: whoever follows it signs in and acts there. */
import type { ApprovalId, LeaseId, TenantName } from './ids.ts';

export const approvalPage = (publicUrl: string, tenant: TenantName, approval: ApprovalId): string =>
  `${publicUrl}/approvals/${tenant}/${approval}`;

/** Where what an agent did is taken back. */
export const reversalPage = (publicUrl: string, tenant: TenantName, lease: LeaseId): string =>
  `${publicUrl}/leases/${tenant}/${lease}/reverse`;

export const reviewsPage = (publicUrl: string): string => `${publicUrl}/reviews`;
