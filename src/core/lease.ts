/**
 * A lease is one credential: what it is, where it stands, and how it died. Never renewed.
 *
 * `opening -> active -> revoking -> revoked`, `opening -> revoking`, `opening -> failed`, and no other way.
 */
import type { JsonObject } from './canonical.ts';
import type {
  AgentName,
  ApprovalId,
  BlockId,
  LeaseId,
  PersonName,
  RequestId,
  RoleName,
  TargetName,
  TaskName,
  TenantName,
} from './ids.ts';
import type { DataClass, ProviderKind } from './registers.ts';
import type { SealedSecret } from './seal.ts';
import { after, between, earliest, instant, milliseconds, seconds } from './time.ts';
import type { Instant, Milliseconds, Seconds } from './time.ts';

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
  | 'token_revoked'
  /** Its last use was counted. */
  | 'spent'
  /** Its use has visibly ended, or never began. */
  | 'idle'
  | 'blocked';

/** What its provider declared of one kind of credential before it was minted, and is held to when it ends. */
export interface Declared {
  /** `commit`: dead with Brevet's own commit. Otherwise how fast a revocation is done, usually; `never`: only expiry. */
  readonly revokes: 'commit' | { readonly within: Seconds } | 'never';
  /** By what death is seen, in words; `null`: it cannot be, and ends `unverifiable`. */
  readonly evidence: string | null;
  readonly expiryEndsUse: boolean;
  readonly countsUses: boolean;
  /** Whether it can be told that a credential is in use, was used, or was never: an idle one is then ended early. */
  readonly seesUse: boolean;
  /** Whether revoking or looking needs the secret, which is then kept encrypted until death. */
  readonly keepsSecret: boolean;
}

/** When a credential whose use can be seen is ended early: so long after its last use, or if it was never used. */
export interface Idleness {
  readonly after: Seconds;
  readonly unused: Seconds;
}

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

/** The lease that a mark is of, whether or not there is one. */
export const leaseOfMark = (mark: Mark): LeaseId => `lse_${mark.slice('brevet_'.length)}` as LeaseId;

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
  /** 1 to 3, as it was decided: what is most to be feared is ended first. */
  readonly tier: number;
  /** What is behind its target, and behind each recorded part of it that it reaches. */
  readonly dataClasses: readonly DataClass[];
  /** How often it may be used; `null` where that is not counted. */
  readonly uses: number | null;
  /** `null` where its use is not seen. */
  readonly idle: Idleness | null;
  /** `null` in those from before it was kept. */
  readonly declared: Declared | null;
  /** What the provider was asked for: the mint specification, without secrets. */
  readonly specification: JsonObject;
}

/** Between two looks at whether a credential is in use. */
export const LOOK_EVERY = seconds(10);

/** When the use of one that became active is first looked at; `null` where it is not seen. */
export const firstLook = ({ idle }: Pick<LeaseTerms, 'idle'>, activeAt: Instant): Instant | null =>
  idle === null ? null : after(activeAt, seconds(Math.min(LOOK_EVERY, idle.after, idle.unused)));

/** Where work on it is done. */
export const placeOf = ({
  tenant,
  id,
  target,
  targetVersion,
}: Pick<LeaseTerms, 'tenant' | 'id' | 'target' | 'targetVersion'>) => ({
  tenant,
  lease: id,
  target,
  version: targetVersion,
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
  /** How many of its uses were counted. */
  readonly used: number;
  /** When it was last seen in use. */
  readonly usedAt: Instant | null;
  /** The kill switch that ended it. */
  readonly block: BlockId | null;
  readonly outcome: Outcome | null;
}

/**
 * From the earlier of its end and the commit of its revocation to the moment when death was seen; never negative. What
 * nobody can see dead counts as alive until its end at the least, however soon nothing more could be done about it.
 */
export function exposureOf(
  expiresAt: Instant,
  revokingAt: Instant,
  { how, at }: Pick<Death, 'how' | 'at'>,
): Milliseconds {
  const until = how === 'unverifiable' ? Math.max(at, expiresAt) : at;
  return milliseconds(Math.max(0, between(earliest(expiresAt, revokingAt), instant(until))));
}
