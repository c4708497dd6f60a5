/** What is known of a login that is about to be ended. */
import type { Subject } from '../../core/provider.ts';

/** A role as the catalog has it, before anything is done to it. */
export interface Found {
  readonly mark: string;
  readonly oid: string;
  readonly can_login: boolean;
  readonly is_fence: boolean;
}

/** One login among those that are ended together. */
export interface Doomed {
  readonly subject: Subject;
  readonly found: Found | null;
  /** Every id that its sessions may bear. */
  readonly oids: readonly string[];
}
