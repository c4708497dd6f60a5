/**
 * A change that takes two persons: written down by one, and done exactly as it stands there once another has confirmed
 * its hash.
 */
import { canonicalDigest } from './canonical.ts';
import type { Json, JsonObject } from './canonical.ts';
import type { LeaseFilter } from './change.ts';
import type { RegisterChange } from './change/register.ts';
import type { ChangeId, OperatorName, PersonName, TenantName } from './ids.ts';
import type { Instant } from './time.ts';

/** `owed`: done already, and a second person's look at it is owed. One that passed its end stays `open`, and is over. */
export const PROPOSAL_STATES = ['open', 'owed', 'applied', 'withdrawn'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** What a person who confirms has seen, and what is done then. */
export interface ProposedAct {
  /** Why it takes two, such as `to give oversight`. */
  readonly what: string;
  readonly change: RegisterChange;
  /** Whose ledger says so; `null`: the deployment's. */
  readonly ledger: TenantName | null;
  readonly facts: JsonObject;
  readonly said: JsonObject;
  readonly ends: LeaseFilter | null;
  /** Whom it gives something to: none of them is the second person. */
  readonly subjects: readonly PersonName[];
  /** What was found out about it for the second person to see: too much, or too personal, for a ledger's leaf. */
  readonly shown: JsonObject | null;
  /** The policy that it was judged under, where that matters: it is not done under another. */
  readonly policy: string | null;
}

export interface Proposal {
  readonly id: ChangeId;
  readonly act: ProposedAct;
  readonly reason: string;
  readonly proposer: PersonName;
  readonly operator: OperatorName;
  readonly proposedAt: Instant;
  readonly expiresAt: Instant;
  /** Over everything above, in hex. */
  readonly hash: string;
}

export interface KeptProposal extends Proposal {
  readonly state: ProposalState;
  readonly confirmer: PersonName | null;
}

/** A bundle's files are in it by their version, which is their digest. */
export const hashed = (proposal: Omit<Proposal, 'hash'>): Proposal => ({
  ...proposal,
  hash: canonicalDigest(proposal as unknown as Json),
});
