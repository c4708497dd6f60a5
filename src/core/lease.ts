/**
 * A lease is one credential: what it is, where it stands, and how it died. Never renewed.
 *
 * `opening -> active -> revoking -> revoked`, `opening -> revoking`, `opening -> failed`, and no other way.
 */
import type { JsonObject } from './canonical.ts';
import type {
  AgentName,
  ApprovalId,
  LeaseId,
  PersonName,
  RequestId,
  RoleName,
  TargetName,
  TaskName,
  TenantName,
} from './ids.ts';
import type { ProviderKind } from './registers.ts';
import type { SealedSecret } from './seal.ts';
import { between, earliest, milliseconds } from './time.ts';
import type { Instant, Milliseconds } from './time.ts';

export const LEASE_STATES = ['opening', 'active', 'revoking', 'revoked', 'failed'] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

/** The only moves there are; the database holds the same table as a trigger. */
export const MOVES: Readonly<Record<LeaseState, readonly LeaseState[]>> = {
  opening: ['active', 'revoking', 'failed'],
  active: ['revoking'],
  revoking: ['revoked'],
  revoked: [],
  failed: [],
};

export type RevocationCause =
  | 'completed'
  | 'expired'
  | 'agent'
  | 'oversight'
  | 'entitlement_ended'
  | 'undelivered'
  | 'overtaken'
  | 'mint_failed'
  | 'token_revoked';

/**
 * How dead a credential is: seen dead, and by which evidence; over by its own expiry, where that ends live use; or
 * not to be seen, which its provider declared beforehand.
 */
export interface Death {
  readonly how: 'verified' | 'expired' | 'unverifiable';
  readonly at: Instant;
  /** What was looked at and what it said: names, counts and codes. */
  readonly evidence: JsonObject;
  /** The node that saw it. */
  readonly node: string;
}

/** By which a credential is found at its provider: chosen before the mint, and known to the ledger. */
export type Mark = string & { readonly __mark: true };

/** The mark of a lease: its id without the prefix, so that a provider's own log points to the ledger. */
export const markOf = (lease: LeaseId): Mark => `brevet_${lease.slice(4)}` as Mark;

/** What was decided of the credential, and does not change any more. */
export interface LeaseTerms {
  readonly id: LeaseId;
  readonly tenant: TenantName;
  readonly request: RequestId;
  readonly approval: ApprovalId | null;
  readonly agent: AgentName;
  /** Accountable when it was issued. */
  readonly owner: PersonName;
  readonly role: RoleName;
  readonly task: TaskName;
  readonly provider: ProviderKind;
  readonly target: TargetName;
  readonly targetVersion: number;
  /** As asked for and decided: `{target}` or `{target}/{rest}`. */
  readonly resource: string;
  readonly mark: Mark;
  readonly openedAt: Instant;
  /** A mint that has not landed by then will not: from then on a reconciler may fence and look. */
  readonly mintDeadline: Instant;
  readonly expiresAt: Instant;
  readonly policy: string;
  /** What the provider was asked for: the mint specification, without secrets. */
  readonly specification: JsonObject;
}

/** Where work on it is done. */
export const placeOf = ({ tenant, id, target }: Pick<LeaseTerms, 'tenant' | 'id' | 'target'>) => ({
  tenant,
  lease: id,
  target,
});

/** What the agent says of its own work; never mixed with what was seen. */
export interface Outcome {
  readonly outcome: 'succeeded' | 'failed' | 'abandoned';
  readonly summary: string | null;
  readonly evidence: readonly JsonObject[];
}

export interface Lease extends LeaseTerms {
  readonly state: LeaseState;
  /** What the provider calls it, where that is not the mark alone. */
  readonly reference: JsonObject | null;
  /** Kept only where the provider needs it for revoking or looking, and only until death. */
  readonly secret: SealedSecret | null;
  readonly activeAt: Instant | null;
  readonly revokingAt: Instant | null;
  readonly cause: RevocationCause | null;
  readonly death: Death | null;
  readonly exposure: Milliseconds | null;
  readonly outcome: Outcome | null;
}

/** From the earlier of its end and the commit of its revocation to the moment when death was seen; never negative. */
export function exposureOf(expiresAt: Instant, revokingAt: Instant, deadAt: Instant): Milliseconds {
  return milliseconds(Math.max(0, between(earliest(expiresAt, revokingAt), deadAt)));
}
