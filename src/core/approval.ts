/**
 * An approval: people's answer to one request, which authorises at most one credential and nothing else.
 *
 * `pending -> approved | rejected | expired | cancelled | superseded`, `approved -> redeemed | expired | revoked`, and
 * `redeemed -> approved` in the commit alone that writes its lease `failed`, if still in time.
 */
import { canonicalDigest } from './canonical.ts';
import type { JsonObject } from './canonical.ts';
import type {
  AgentName,
  ApprovalId,
  LeaseId,
  OperatorName,
  PersonName,
  RequestId,
  TaskName,
  TenantName,
} from './ids.ts';
import { stepAt } from './route.ts';
import type { Quorum, RouteStep } from './route.ts';
import { earliest, instant } from './time.ts';
import type { Instant, Seconds } from './time.ts';

export const APPROVAL_STATES = [
  'pending',
  'approved',
  'rejected',
  'expired',
  'cancelled',
  'superseded',
  'redeemed',
  'revoked',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** The only moves there are; the database holds the same table as a trigger. */
export const APPROVAL_MOVES: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['approved', 'rejected', 'expired', 'cancelled', 'superseded'],
  approved: ['redeemed', 'expired', 'revoked'],
  rejected: [],
  expired: [],
  cancelled: [],
  superseded: [],
  redeemed: ['approved'],
  revoked: [],
};

/** Whether people, or the agent, may still do something about it. */
export const isOpen = (state: ApprovalState): boolean => APPROVAL_MOVES[state].length > 0 && state !== 'redeemed';

export const REJECTION_REASONS = [
  'wrong_data',
  'wrong_client',
  'too_wide',
  'wrong_time',
  'not_needed',
  'other',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Who has said what, as it counts. The signed word itself stands in the ledger entry. */
export interface Vote {
  readonly person: PersonName;
  readonly operator: OperatorName;
  readonly verdict: 'approve' | 'narrow' | 'reject';
  readonly at: Instant;
  /** The credential id of the passkey. */
  readonly passkey: string;
  /** Of the decision package that this person was shown. */
  readonly packageHash: string;
  /** From the first sight of the package to the word, as the console measured it: for oversight alone. */
  readonly tookMs: number;
}

/** Why it was refused, as the agent sees it. */
export interface Rejection {
  readonly reason: RejectionReason;
  readonly words: string | null;
  readonly by: PersonName;
}

/**
 * What a yes is a yes to, and what redemption is held against: everything of the credential but the named placeholders
 * (mark, times, verifier), durations included.
 */
export interface Binding {
  readonly tenant: TenantName;
  readonly request: RequestId;
  readonly agent: AgentName;
  /** Of what the agent proves itself with, in hex. Nothing that was kept before it was bound has one, and it fits none. */
  readonly proof: string;
  /** Of the access request, in hex. */
  readonly request_hash: string;
  readonly task: TaskName;
  readonly role: string;
  readonly resource: string;
  readonly parameters: JsonObject;
  /** Seconds, from redemption. */
  readonly ttl: number;
  readonly uses: number;
  readonly provider: string;
  readonly target: string;
  readonly target_version: number;
  /** What the provider declared of its end. */
  readonly death: JsonObject;
  readonly not_enforced: readonly string[];
  /** SHA-256 over the canonical mint specification, in hex. */
  readonly mint: string;
}

export const bindingHash = (binding: Binding): string => canonicalDigest(binding as unknown as JsonObject);

/** What was decided of it when it was asked, and does not change. */
export interface ApprovalTerms {
  readonly id: ApprovalId;
  readonly tenant: TenantName;
  readonly request: RequestId;
  readonly agent: AgentName;
  readonly task: TaskName;
  readonly tier: number;
  readonly askedAt: Instant;
  /** When nobody's yes counts any more. */
  readonly expiresAt: Instant;
  /** How long after the yes it may be redeemed. */
  readonly redeemWithin: Seconds;
  /** The access request that it is about: the agent's own, or a narrower one. */
  readonly asked: JsonObject;
  readonly binding: Binding;
  readonly policy: string;
  /** The rules that want a person's word. */
  readonly rules: readonly string[];
  readonly route: readonly RouteStep[];
  /** Who had a part in it when it was asked, and so has no say, whatever changes. */
  readonly involved: readonly PersonName[];
  /** The plan that it is a step of, in the agent's words. */
  readonly plan: string | null;
  /** Whose narrower answer it is, to which approval; the agent has yet to take it. */
  readonly narrows: { readonly approval: ApprovalId; readonly by: PersonName } | null;
}

export interface Approval extends ApprovalTerms {
  readonly state: ApprovalState;
  /** Raised by every change, which names the one that it was made on. */
  readonly version: number;
  /** The place in the route of those who are asked now. */
  readonly step: number;
  readonly stepEndsAt: Instant;
  readonly votes: readonly Vote[];
  /** When the agent took a narrower answer; `null` where it has not, or there is nothing to take. */
  readonly acceptedAt: Instant | null;
  readonly decidedAt: Instant | null;
  /** Until when it may be redeemed. */
  readonly redeemBy: Instant | null;
  readonly rejection: Rejection | null;
  readonly lease: LeaseId | null;
}

/** Where its way begins: the first step that reaches somebody, and all who are asked by then. */
export function beginning({ route, askedAt, expiresAt }: ApprovalTerms): {
  readonly step: number;
  readonly stepEndsAt: Instant;
  readonly asks: readonly PersonName[];
} {
  const first = stepAt(route, askedAt, askedAt);
  if (first === null) throw new TypeError('an approval that asks nobody');
  const asks = askedSoFar({ route, step: first.step });
  return { step: first.step, stepEndsAt: earliest(expiresAt, first.endsAt), asks };
}

/** Everybody who has been asked so far: an earlier step's people may still answer. */
export const askedSoFar = ({ route, step }: Pick<Approval, 'route' | 'step'>): readonly PersonName[] => [
  ...new Set(route.slice(0, step + 1).flatMap(({ asks }) => asks)),
];

/** Whether those who said yes are enough. Nobody is never enough. */
export function isEnough(quorum: Quorum, yes: readonly PersonName[]): boolean {
  const persons = new Set(yes);
  if (quorum.of === 'any') return quorum.count > 0 && persons.size >= quorum.count;
  return quorum.groups.length > 0 && canSeat(quorum.groups, persons);
}

/**
 * Whether they are enough where its way stands: for the step that is reached, and either by its own people alone or for
 * an earlier one, too. Who was to be one of two is not enough alone because the next, of whom one is, were asked since.
 */
export function isEnoughFor({ route, step }: Pick<Approval, 'route' | 'step'>, yes: readonly PersonName[]): boolean {
  const reached = route.slice(0, step + 1);
  const now = reached[step];
  if (now === undefined || !isEnough(now.quorum, yes)) return false;
  return reached.some(({ quorum, asks }, at) => {
    const asked = reached.slice(at).flatMap((later) => later.asks);
    return (
      asks.length > 0 &&
      isEnough(
        quorum,
        yes.filter((person) => asked.includes(person)),
      )
    );
  });
}

/** One person sits for one group alone, so that somebody of both does not count twice. */
function canSeat(groups: readonly (readonly PersonName[])[], persons: ReadonlySet<PersonName>): boolean {
  const [first, ...rest] = groups;
  if (first === undefined) return true;
  return first.some(
    (person) => persons.has(person) && canSeat(rest, new Set([...persons].filter((other) => other !== person))),
  );
}

/** Those who said yes. */
export const yesOf = (votes: readonly Vote[]): readonly PersonName[] =>
  votes.filter(({ verdict }) => verdict === 'approve').map(({ person }) => person);

/** As it stands at this moment: what has passed its end is over, whether or not a sweeper has seen it. */
export function stateAt(
  { state, expiresAt, redeemBy }: Pick<Approval, 'state' | 'expiresAt' | 'redeemBy'>,
  now: Instant,
): ApprovalState {
  if (state === 'pending' && expiresAt <= now) return 'expired';
  return state === 'approved' && (redeemBy ?? instant(0)) <= now ? 'expired' : state;
}
