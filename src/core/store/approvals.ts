/** What is read of asks and their answers. */
import type { Approval } from '../approval.ts';
import type { Spread } from '../change.ts';
import type { AgentName, ApprovalId, PersonName, TaskName, TenantName } from '../ids.ts';
import type { Lease } from '../lease.ts';
import type { Instant } from '../time.ts';
import type { Page } from './page.ts';
import type { KeptRequest } from './requests.ts';

export interface AsksQuery {
  readonly person: PersonName;
  readonly limit: number;
  /** Those that end after it. */
  readonly after: { readonly due: Instant; readonly approval: ApprovalId } | null;
}

export interface ApprovalReads {
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
}
