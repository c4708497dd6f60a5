/** What a node remembers of the gateway between calls: values alone, each of which the next call could do without. */
import type { Forward } from '../forward.ts';
import type { LeaseId, TenantName } from '../ids.ts';
import type { Lease } from '../lease.ts';
import type { TargetVersion } from '../registers.ts';
import type { Secret } from '../secret.ts';
import type { Instant } from '../time.ts';

/** What a lease was opened with, which does not change; whether it lives is asked of the store each time. */
export interface KeptLease {
  readonly lease: Lease;
  readonly version: TargetVersion;
}

/** A token that a tool's own server gave for the key. */
export interface KeptToken {
  readonly token: Secret;
  readonly until: Instant;
}

/** What a call was ended for, before its answer had. */
export type CutFor = 'lease_over' | 'lease_unseen' | 'too_slow' | 'caller_gone';

/** Since when a call is under way; when it is ended at the latest, and for what. */
export interface CallSpan {
  readonly since: Instant;
  readonly until: Instant;
  readonly why: CutFor;
}

/** Calls of one lease that are under way here. */
export interface OpenCalls {
  readonly tenant: TenantName;
  readonly calls: Map<AbortController, CallSpan>;
}

export interface Gateway {
  readonly forward: Forward;
  readonly leases: Map<LeaseId, KeptLease>;
  readonly tokens: Map<string, KeptToken>;
  readonly open: Map<LeaseId, OpenCalls>;
}

/** What may be shared by the requests of one isolate, where each has parts of its own. */
export type KeptOfGateway = Pick<Gateway, 'leases' | 'tokens'>;

export const newKept = (): KeptOfGateway => ({ leases: new Map(), tokens: new Map() });

export const newGateway = (forward: Forward, kept: KeptOfGateway): Gateway => ({ ...kept, forward, open: new Map() });

/** Ends the calls of a lease that are under way on this node. */
export function cutCalls({ open }: Pick<Gateway, 'open'>, lease: LeaseId, why: CutFor): void {
  for (const call of open.get(lease)?.calls.keys() ?? []) call.abort(why);
}

/** One more is kept; the oldest goes where there are too many. */
export function keep<K, V>(kept: Map<K, V>, key: K, value: V, most: number): void {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > most && oldest !== undefined) kept.delete(oldest);
}
