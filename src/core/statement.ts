/**
 * What a passkey signs: one form for each purpose, none of which can be read as another. The challenge that the
 * authenticator gets is a digest of the whole form, so a signature says yes to this, by this person, once.
 */
import { base64url } from 'jose';
import { canonicalBytes } from './canonical.ts';
import type { JsonObject } from './canonical.ts';
import { sha256, toHex } from './digest.ts';
import type { ApprovalId, BlockId, ChangeId, PersonName, Random, TenantName } from './ids.ts';

/** The answer to an approval: the purpose and the verdict are one, so that a signed no is never read as a yes. */
export type DecisionStatement = Verdict & {
  readonly approval_id: ApprovalId;
  readonly approver: PersonName;
  readonly tenant: TenantName;
  /** Over everything that the approver was shown and that will be minted, in hex. */
  readonly package_hash: string;
  readonly nonce: string;
};

export type Verdict =
  | { readonly purpose: 'approve'; readonly verdict: 'approved' }
  /** What the person would say yes to instead. */
  | { readonly purpose: 'narrow'; readonly verdict: 'narrowed'; readonly narrower: JsonObject }
  /** With the reason, in the form that the agent sees. */
  | {
      readonly purpose: 'reject';
      readonly verdict: 'rejected';
      readonly reason: string;
      readonly words: string | null;
    };

/** The second person's word on a change that takes two. */
export interface ConfirmStatement {
  readonly purpose: 'confirm';
  readonly change: ChangeId;
  readonly change_hash: string;
  readonly approver: PersonName;
  readonly nonce: string;
}

/** The same on a policy version. */
export interface ActivateStatement {
  readonly purpose: 'activate';
  readonly policy: string;
  readonly change: ChangeId;
  readonly change_hash: string;
  readonly approver: PersonName;
  readonly nonce: string;
}

/** At these tenants and no other, for this reason. */
export interface LiftStatement {
  readonly purpose: 'lift';
  readonly block: BlockId;
  readonly tenants: readonly TenantName[];
  readonly reason: string;
  readonly approver: PersonName;
  readonly nonce: string;
}

/** It names no person: who signs in is found by the passkey that answers. */
export interface SignInStatement {
  readonly purpose: 'sign_in';
  readonly origin: string;
  readonly nonce: string;
}

export interface EnrolStatement {
  readonly purpose: 'enrol';
  readonly person: PersonName;
  readonly nonce: string;
}

export type Statement =
  DecisionStatement | ConfirmStatement | ActivateStatement | LiftStatement | SignInStatement | EnrolStatement;

export type Purpose = Statement['purpose'];

/** base64url(SHA-256(RFC 8785 form)). @see WebAuthn Level 3 section 13.4.3, Cryptographic Challenges */
export const challengeOf = (statement: Statement): string => base64url.encode(sha256(canonicalBytes({ ...statement })));

/** @see WebAuthn Level 3 section 13.4.3: at least 16 bytes of chance */
const NONCE_BYTES = 16;

export const newNonce = (random: Random): string => toHex(random(NONCE_BYTES));
