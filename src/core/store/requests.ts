/** What is read of requests and of their entries. */
import type { Approval } from '../approval.ts';
import type { JsonObject } from '../canonical.ts';
import type { Effect, RequestRow } from '../change.ts';
import type { Entry } from '../entry.ts';
import type { AgentName, EntryId, LeaseId, RequestId, TenantName } from '../ids.ts';
import type { Instant } from '../time.ts';
import type { Page } from './page.ts';

export interface KeptRequest extends RequestRow {
  readonly tenant: TenantName;
  readonly lease: LeaseId | null;
  /** The one that counts: a narrower answer takes the place of what it narrows. */
  readonly approval: Approval | null;
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

export interface RequestReads {
  request(tenant: TenantName, request: RequestId): Promise<KeptRequest | null>;
  /** The same at any of these tenants, by the listing role. */
  requestWithin(request: RequestId, within: readonly TenantName[]): Promise<KeptRequest | null>;
  requests(
    query: Page & {
      readonly tenant: TenantName | null;
      readonly agent: AgentName | null;
      readonly effect: Effect | null;
    },
    within: readonly TenantName[] | null,
  ): Promise<readonly KeptRequest[]>;
  /** The entries of a lease and of its request, oldest first. */
  entries(
    tenant: TenantName,
    of: { readonly lease: LeaseId } | { readonly request: RequestId },
  ): Promise<readonly KeptEntry[]>;
  /** The same of a request, whole: with the salts by which what stands beside a leaf can be proven. */
  evidence(tenant: TenantName, request: RequestId): Promise<readonly Evidence[]>;
}
