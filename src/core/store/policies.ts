/** What is read of policies, and of the changes that take two. */
import type { ChangeId, RoleName, TenantName } from '../ids.ts';
import type { KeptProposal } from '../proposal.ts';
import type { BundleFiles, RoleFunction } from '../registers.ts';
import type { Instant } from '../time.ts';
import type { Page } from './page.ts';

export interface KeptPolicy {
  readonly version: string;
  readonly functions: Readonly<Record<string, string>>;
  readonly addedAt: Instant;
}

export interface PolicyReads {
  bundle(version: string): Promise<BundleFiles | null>;
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
}
