/**
 * The broker's answers, read once. What an agent or a command looks at is named here; the rest is kept as it came.
 */
import { isRecord } from './call.ts';
import type { Answer } from './call.ts';

type Body = Readonly<Record<string, unknown>>;

/** A credential as its provider shapes it: `access_token`, or `host`, `port`, `database`, `user` and `password`. */
export type Credential = Readonly<Record<string, unknown>>;

/** A lease as the broker says it stands. */
export interface LeaseFacts {
  readonly id: string;
  readonly state: string;
  readonly expiresAt: string;
  /** How dead the credential is: `verified`, `expired` or `unverifiable`; `null` while that is not known. */
  readonly death: string | null;
  /** From its end, or the commit of its revocation, to the sight of its death. */
  readonly exposureMs: number | null;
}

/** The one entry of the ledger that an acknowledged change leaves. */
export interface Receipt {
  readonly entry: string;
  readonly leafHash: string;
}

/** What was issued. */
export interface Granted {
  readonly is: 'granted';
  readonly request: string;
  readonly lease: string;
  readonly expiresAt: string;
  readonly credential: Credential;
}

export type Asked =
  | Granted
  /** The same request had been answered before; its credential left then, if one did. */
  | { readonly is: 'repeated'; readonly request: string; readonly lease: string | null }
  | { readonly is: 'waiting'; readonly request: string; readonly approval: string | null };

/** The broker answered what this version does not read: a fault, never a refusal. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

export function readAsked({ status, body }: Answer): Asked {
  const { lease, credential, approval } = body;
  const request = idOf(body['request'], 'request');
  if (status === 202) return { is: 'waiting', request, approval: idOrNull(approval, 'approval') };
  if (!isRecord(credential)) return { is: 'repeated', request, lease: idOrNull(lease, 'lease') };
  const expiresAt = isRecord(lease) ? lease['expires_at'] : null;
  return {
    is: 'granted',
    request,
    lease: idOf(lease, 'lease'),
    expiresAt: textOf(expiresAt, 'lease.expires_at'),
    credential,
  };
}

/** People have not answered yet. */
export const PENDING = 'pending';

/** Less than was asked, to which a person would say yes. */
export interface Narrower {
  readonly ttl: number;
  readonly uses: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The agent has taken it, and people are asked again. */
  readonly accepted: boolean;
}

/** What people have said so far. */
export interface PeoplesAnswer {
  /** `pending`, `approved`, `rejected`, `expired`, `cancelled`, `redeemed` or `revoked`. */
  readonly state: string;
  readonly rejection: { readonly reason: string; readonly words: string | null } | null;
  readonly narrower: Narrower | null;
}

export function readPeoplesAnswer({ body }: Answer): PeoplesAnswer {
  const approval = isRecord(body['approval']) ? body['approval'] : {};
  const { rejection, narrower } = approval;
  return {
    state: textOf(approval['state'], 'approval.state'),
    rejection: isRecord(rejection) ? (rejection as PeoplesAnswer['rejection']) : null,
    narrower: isRecord(narrower) ? (narrower as unknown as Narrower) : null,
  };
}

/** From a lease itself, or from an answer that holds one. */
export function readLease(body: Body): LeaseFacts {
  const lease = isRecord(body['lease']) ? body['lease'] : body;
  const death = lease['death'];
  const exposure = lease['exposure_ms'];
  return {
    id: textOf(lease['id'], 'lease.id'),
    state: textOf(lease['state'], 'lease.state'),
    expiresAt: textOf(lease['expires_at'], 'lease.expires_at'),
    death: isRecord(death) ? textOf(death['how'], 'lease.death.how') : null,
    exposureMs: typeof exposure === 'number' ? exposure : null,
  };
}

export function readReceipt(body: Body): Receipt | null {
  const receipt = body['receipt'];
  if (!isRecord(receipt)) return null;
  return {
    entry: textOf(receipt['entry'], 'receipt.entry'),
    leafHash: textOf(receipt['leaf_hash'], 'receipt.leaf_hash'),
  };
}

/** An id alone, or the thing that bears it. */
const idOf = (value: unknown, path: string): string => textOf(isRecord(value) ? value['id'] : value, path);

const idOrNull = (value: unknown, path: string): string | null =>
  value === undefined || value === null ? null : idOf(value, path);

function textOf(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new UnreadableAnswer(`the broker's answer has no ${path}`);
}
