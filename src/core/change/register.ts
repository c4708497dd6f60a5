/** Changes of registers: who may do what, and what people make of what was done. */
import type { Block } from '../block.ts';
import type { ConsoleSession } from '../console.ts';
import type {
  AgentName,
  BlockId,
  ChangeId,
  IssuerName,
  OperatorName,
  PauseId,
  PersonName,
  ReviewId,
  RoleName,
  SituationId,
  TargetName,
  TaskName,
  TenantName,
  TripId,
  VendorName,
} from '../ids.ts';
import type { Order, Pause, Review, Trip, Verdict } from '../oversight.ts';
import type { Passkey } from '../passkey.ts';
import type { Proposal } from '../proposal.ts';
import type { Mark } from '../lease.ts';
import type {
  Absence,
  Acceptance,
  Agent,
  Assignment,
  BundleFiles,
  Enrolment,
  Operator,
  Person,
  SigningKey,
  Situation,
  SituationKind,
  TargetVersion,
  Tenant,
  TenantContext,
  TrustedIssuer,
  Vendor,
  Widening,
} from '../registers.ts';
import type { Instant } from '../time.ts';
import type { OneUse } from './once.ts';

/** Changes of who may do what: one at a time, under the exclusive lock, raising an epoch. */
export type RegisterChange =
  /** The first person, operator and administrator, in an empty broker alone. */
  | {
      readonly kind: 'setup.begin';
      readonly person: Person;
      readonly operator: Operator;
      readonly assignment: Assignment;
    }
  /** An administrator has called with a token of the OIDC issuer; the second one's call ends set-up. */
  | { readonly kind: 'setup.witness'; readonly person: PersonName }
  /** Back to set-up, where fewer than two administrators are left. */
  | {
      readonly kind: 'setup.recover';
      readonly person: Person;
      readonly operator: Operator;
      readonly assignment: Assignment;
      readonly oneUse: OneUse;
    }
  | { readonly kind: 'local_token.make'; readonly operator: OperatorName; readonly oneUse: OneUse }
  /** A new session takes the place of the one that its browser had, if any. */
  | { readonly kind: 'console.sign_in'; readonly session: ConsoleSession; readonly replaces: string | null }
  /** Somebody proved who they are at the issuer, and is nobody here: its entry is the whole of it. */
  | { readonly kind: 'console.refuse' }
  /** One session, or (`null`) all of a person's. */
  | { readonly kind: 'console.sign_out'; readonly person: PersonName; readonly session: string | null }
  /** A link was made that enrols the first passkey: its entry is the whole of it. */
  | { readonly kind: 'passkey.invite'; readonly operator: OperatorName }
  | { readonly kind: 'passkey.put'; readonly passkey: Passkey }
  /** With the sessions that it opened. */
  | { readonly kind: 'passkey.remove'; readonly passkey: string }
  /** What its context says nothing of stays as it is. */
  | {
      readonly kind: 'tenant.put';
      readonly tenant: Omit<Tenant, 'context'> & { readonly context: Partial<TenantContext> };
      readonly keys: readonly SigningKey[];
    }
  | { readonly kind: 'tenant.remove'; readonly tenant: TenantName }
  /** In whole. */
  | { readonly kind: 'context.put'; readonly tenant: TenantName; readonly context: TenantContext }
  | { readonly kind: 'situation.set'; readonly situation: Situation }
  /** Only while it is of this kind and not over. */
  | {
      readonly kind: 'situation.end';
      readonly tenant: TenantName;
      readonly situation: SituationId;
      readonly of: SituationKind;
    }
  /** One kill switch, with a row for each tenant that it reaches. */
  | {
      readonly kind: 'block.raise';
      readonly blocks: readonly Block[];
      readonly reason: string;
      readonly drill: boolean;
      readonly deniesRoles: boolean;
    }
  /** At these tenants, only where it is raised. */
  | {
      readonly kind: 'block.lift';
      readonly block: BlockId;
      readonly tenants: readonly TenantName[];
      readonly by: PersonName;
    }
  /** Nobody could be told in time of what this task class did, or can be again. */
  | { readonly kind: 'notice.late'; readonly tenant: TenantName; readonly task: TaskName; readonly since: Instant }
  | { readonly kind: 'notice.caught_up'; readonly tenant: TenantName; readonly task: TaskName }
  /** All that it reached is over. */
  | { readonly kind: 'block.report'; readonly block: BlockId; readonly tenants: readonly TenantName[] }
  /** A credential that no lease knew was killed: its entry is the whole of it. */
  | { readonly kind: 'orphan.kill'; readonly tenant: TenantName; readonly mark: Mark }
  | { readonly kind: 'verdict.give'; readonly verdict: Verdict }
  /** At these tenants, or at all (`null`). */
  | {
      readonly kind: 'pause.start';
      readonly pause: Omit<Pause, 'tenant'>;
      readonly tenants: readonly TenantName[] | null;
      readonly reason: string;
    }
  | {
      readonly kind: 'pause.end';
      readonly pause: PauseId;
      readonly tenants: readonly TenantName[] | null;
      readonly by: PersonName;
    }
  /** What a lease did is to be taken back, once; and somebody else looks at that. */
  | { readonly kind: 'order.give'; readonly order: Order; readonly review: Review }
  | { readonly kind: 'review.open'; readonly review: Review }
  /** Once it may be, and nobody did it before. */
  | {
      readonly kind: 'review.done';
      readonly tenant: TenantName;
      readonly review: ReviewId;
      readonly by: PersonName;
      readonly words: string;
    }
  /** Only where the like does not stand already, nor has ended since it was counted; with the block that it raises. */
  | { readonly kind: 'breaker.trip'; readonly trip: Trip; readonly block: Block | null; readonly reason: string }
  | {
      readonly kind: 'breaker.reset';
      readonly tenant: TenantName;
      readonly trip: TripId;
      readonly by: PersonName;
    }
  | { readonly kind: 'vendor.put'; readonly vendor: Vendor }
  | { readonly kind: 'vendor.remove'; readonly vendor: VendorName }
  | { readonly kind: 'person.put'; readonly person: Person }
  | { readonly kind: 'person.remove'; readonly person: PersonName }
  /** In the place of an earlier one of that person. */
  | { readonly kind: 'absence.put'; readonly absence: Absence }
  | { readonly kind: 'absence.end'; readonly person: PersonName }
  | { readonly kind: 'operator.put'; readonly operator: Operator }
  | { readonly kind: 'operator.remove'; readonly operator: OperatorName }
  /** Whether its owner has gone stays as it is: only another person's acceptance ends that. */
  | { readonly kind: 'agent.put'; readonly agent: Omit<Agent, 'leftBy'> }
  /** A person becomes the owner of an agent whose owner went: its deputy, or whom an administrator has named. */
  | { readonly kind: 'agent.accept'; readonly agent: AgentName; readonly person: PersonName }
  | { readonly kind: 'agent.remove'; readonly agent: AgentName }
  /** Can do nothing any more, and holds nothing; the name stays, so that what was done under it can be read. */
  | { readonly kind: 'person.offboard'; readonly person: PersonName }
  /** All of them in one: a vendor's agents are disabled together, and its record, where there is one, goes with them. */
  | {
      readonly kind: 'agents.offboard';
      readonly agents: readonly AgentName[];
      readonly vendor: VendorName | null;
    }
  | { readonly kind: 'enrolment.put'; readonly enrolment: Enrolment }
  | { readonly kind: 'enrolment.remove'; readonly tenant: TenantName; readonly agent: AgentName }
  | { readonly kind: 'acceptance.put'; readonly acceptance: Acceptance }
  | { readonly kind: 'acceptance.remove'; readonly tenant: TenantName; readonly agent: AgentName }
  | { readonly kind: 'issuer.put'; readonly issuer: TrustedIssuer }
  | { readonly kind: 'issuer.remove'; readonly issuer: IssuerName }
  /** The next version: its number is given by the store. `audience`, where there is one, belongs to no other tenant. */
  | {
      readonly kind: 'target.put';
      readonly target: Omit<TargetVersion, 'version'>;
      readonly audience: string | null;
      /** A keyed hash of its secret: another target has the same one only where it is said to be MSP-wide. */
      readonly secretHash: string | null;
    }
  | { readonly kind: 'target.remove'; readonly tenant: TenantName; readonly target: TargetName }
  | {
      readonly kind: 'assignment.put';
      readonly assignment: Assignment;
      /** It breaks the glass: the look at it that somebody else owes, and who hears of it at once. */
      readonly glass?: { readonly review: Review; readonly tell: readonly PersonName[] };
    }
  | { readonly kind: 'assignment.remove'; readonly assignment: Assignment }
  /** Immutable, by its hash; `activate` moves the pointer. */
  | {
      readonly kind: 'policy.activate';
      readonly version: string;
      /** `null`: kept already under its version. */
      readonly files: BundleFiles | null;
      /** The function of each role in it, so that one which changes under an assignment is refused. */
      readonly functions: Readonly<Record<string, string>>;
      /** Those of its roles that read alone. */
      readonly reading: readonly RoleName[];
      /** Only into a broker that has none. */
      readonly onlyFirst: boolean;
      /** It is active for a time alone. */
      readonly widening?: Widening | null;
      /** Only while this version, whose time is over, is the one that was made active last. */
      readonly undoes?: string;
    }
  /** `bundles`: those that it would activate, now or later, kept by their version from here on. */
  | {
      readonly kind: 'change.propose';
      readonly proposal: Proposal;
      readonly bundles: readonly NewBundle[];
    }
  | { readonly kind: 'change.withdraw'; readonly tenant: TenantName | null; readonly change: ChangeId }
  /** A second person has looked at what one did alone. */
  | { readonly kind: 'change.review'; readonly tenant: TenantName | null; readonly confirmation: Confirmation };

/** A version of the bundle that is to be kept. */
export interface NewBundle {
  readonly version: string;
  readonly files: BundleFiles;
  readonly functions: Readonly<Record<string, string>>;
  readonly reading: readonly RoleName[];
}

/** Whose word makes a proposal happen: in one transaction with what it does, so that it happens once. */
export interface Confirmation {
  readonly change: ChangeId;
  /** Of what the second person saw. */
  readonly hash: string;
  readonly by: PersonName;
}
