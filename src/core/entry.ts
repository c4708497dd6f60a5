/**
 * A ledger entry: one fact, as the exact bytes of its canonical JSON, with its leaf hash.
 *
 * The leaf holds ids, codes, times and commitments; what is personal or free text stands beside it with its salt, so
 * that erasing it later breaks no proof.
 */
import { canonicalDigest, canonicalText } from './canonical.ts';
import type { Json, JsonObject } from './canonical.ts';
import { sha256Hex, toHex } from './digest.ts';
import { newId } from './ids.ts';
import type { EntryId, LeaseId, RequestId, TenantName, Random } from './ids.ts';
import { toRfc3339 } from './time.ts';
import type { Instant } from './time.ts';

export const ENTRY_KINDS = [
  'setup.begun',
  'setup.witnessed',
  /** Too few administrators were left: issuing is stopped until set-up has ended once more. */
  'setup.recovered',
  'session.opened',
  'local_token.made',
  'console.signed_in',
  /** Somebody whom the operators' issuer knows, and who is nobody here. */
  'console.refused',
  'console.signed_out',
  'passkey.invited',
  'request.permitted',
  'request.asked',
  'request.forbidden',
  'request.forbidden_again',
  /** A person's word, with what they signed. */
  'approval.answered',
  /** Nobody answered in time: the next are asked. */
  'approval.escalated',
  /** The agent takes a narrower answer. */
  'approval.accepted',
  'approval.expired',
  'approval.withdrawn',
  /** Taken back before it was redeemed, or found to be another thing by then. */
  'approval.revoked',
  'approval.redeemed',
  'lease.opening',
  'lease.active',
  'lease.failed',
  /** A mint landed when the end of its lease was committed already. */
  'lease.landed',
  /** A use was counted, before it was let happen. */
  'lease.used',
  'lease.revoking',
  'lease.revoked',
  'lease.reported',
  /** A call through the gateway has ended, and what came of it. */
  'gateway.answered',
  /** A call that was proven to be a lease's, and not let through. */
  'gateway.refused',
  'gateway.refused_again',
  /** What was answered held the key, and was cut. */
  'gateway.key_echoed',
  /** A credential that bore Brevet's mark and that no lease knew: killed. */
  'orphan.killed',
  'block.raised',
  'block.lifted',
  /** What a block reached is all over, or some of it is not yet. */
  'block.reported',
  /** What a person of oversight makes of a finished lease. */
  'lease.judged',
  'pause.started',
  'pause.ended',
  /** Oversight has what was done taken back. */
  'order.given',
  'review.opened',
  'review.done',
  'breaker.tripped',
  'breaker.reset',
  'register.put',
  'register.removed',
  'situation.set',
  'situation.ended',
  'register.offboarded',
  'policy.activated',
  /** A channel has taken what people are told. */
  'notice.told',
  /** None took it in time: the task class asks there until one does. */
  'notice.late',
  'notice.caught_up',
  'change.proposed',
  'change.withdrawn',
  'change.reviewed',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Who did it: a name of the register, or Brevet itself. */
export interface Actor {
  readonly kind: 'agent' | 'operator' | 'target' | 'broker';
  readonly name: string;
  /** The person behind an operator. */
  readonly person?: string;
  /** How they proved it, such as `private_key_jwt`, `workload`, `oidc` or `local`. */
  readonly by?: string;
}

export interface EntryDraft {
  /** `null` for the deployment's ledger. */
  readonly tenant: TenantName | null;
  readonly kind: EntryKind;
  readonly at: Instant;
  readonly actor: Actor;
  /** The human accountable at that moment; `null` only where Brevet itself acted for nobody. */
  readonly accountable: string | null;
  readonly request?: RequestId;
  readonly lease?: LeaseId;
  /** Whether set-up lasted, which every entry says while it does. */
  readonly inSetup: boolean;
  /** Ids, codes, versions, tiers and times: plain in the leaf. */
  readonly facts: JsonObject;
  /** What the caller said: committed to, beside the leaf. */
  readonly said?: JsonObject;
  /** What Brevet or the provider saw: committed to, beside the leaf. */
  readonly seen?: JsonObject;
}

/** A value beside the leaf, and the salt of its commitment. */
export interface EntryValue {
  readonly part: 'said' | 'seen';
  readonly name: string;
  readonly salt: string;
  readonly value: Json;
}

export interface Entry {
  readonly id: EntryId;
  readonly tenant: TenantName | null;
  readonly kind: EntryKind;
  readonly at: Instant;
  readonly request: RequestId | null;
  readonly lease: LeaseId | null;
  /** The canonical JSON, whose UTF-8 bytes are the entry. */
  readonly text: string;
  /** SHA-256(0x00 || entry), in hex. @see RFC 6962 section 2.1 */
  readonly leaf: string;
  readonly values: readonly EntryValue[];
}

/** What an acknowledged change answers with. */
export interface Receipt {
  readonly entry: EntryId;
  readonly leafHash: string;
}

const SALT_BYTES = 16;

export function makeEntry(draft: EntryDraft, random: Random): Entry {
  const id = newId('ent', draft.at, random);
  const said = valuesOf('said', draft.said, random);
  const seen = valuesOf('seen', draft.seen, random);
  // In the canonical order already, which is the quickest to put in it.
  const text = canonicalText({
    accountable: draft.accountable,
    actor: { ...draft.actor },
    at: toRfc3339(draft.at),
    facts: draft.facts,
    id,
    kind: draft.kind,
    lease: draft.lease,
    ledger: draft.tenant ?? '',
    request: draft.request,
    said: commitments(said),
    seen: commitments(seen),
    set_up: draft.inSetup ? true : undefined,
    v: 1,
  });
  return {
    id,
    tenant: draft.tenant,
    kind: draft.kind,
    at: draft.at,
    request: draft.request ?? null,
    lease: draft.lease ?? null,
    text,
    leaf: leafHash(text),
    values: [...said, ...seen],
  };
}

/** @param entry its text, which stands for its UTF-8. */
export const leafHash = (entry: string): string => sha256Hex(`\0${entry}`);

export const receiptOf = (entry: Entry): Receipt => ({ entry: entry.id, leafHash: entry.leaf });

/** SHA-256 over the canonical JSON of `[salt, value]`, in hex. */
export const commitmentTo = (salt: string, value: Json): string => canonicalDigest([salt, value]);

function valuesOf(part: EntryValue['part'], given: JsonObject = {}, random: Random): EntryValue[] {
  const values: EntryValue[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) values.push({ part, name, salt: toHex(random(SALT_BYTES)), value });
  }
  return values;
}

const commitments = (values: readonly EntryValue[]): JsonObject =>
  Object.fromEntries(values.map(({ name, salt, value }) => [name, commitmentTo(salt, value)]));
