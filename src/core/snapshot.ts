/**
 * What a decision reads: everything that epochs cover, read in one transaction with them. It lapses by itself at the
 * earliest end of anything in it, and is worth nothing once an epoch has moved: the commit looks.
 */
import type { Block } from './block.ts';
import type { AgentName, OperatorName, PersonName, RoleName, TargetName, TaskName, VendorName } from './ids.ts';
import type {
  Absence,
  Acceptance,
  Agent,
  Assignment,
  Enrolment,
  Operator,
  Person,
  SigningKey,
  Situation,
  TargetVersion,
  Tenant,
  TrustedIssuer,
  Vendor,
  Widening,
} from './registers.ts';
import type { Pause, Trip } from './oversight.ts';
import type { Passkey } from './passkey.ts';
import type { Instant } from './time.ts';
import type { Interval } from './windows.ts';

/** Counters raised by every change of who may do what: the tenant's, and the deployment's. */
export interface Epochs {
  readonly tenant: number;
  readonly deployment: number;
}

/** What stands above tenants. */
export interface DeploymentSnapshot {
  readonly epoch: number;
  readonly inSetup: boolean;
  /** Issuing is stopped everywhere, and why. */
  readonly stopped: string | null;
  /** The version of the bundle that is active at the moment of reading: SHA-256, in hex. */
  readonly policy: string | null;
  /** Roles of it that read alone, whatever their function lets others do. */
  readonly reading: ReadonlySet<RoleName>;
  /** What was widened for a time, and with which version; also when that time is over and it was not written yet. */
  readonly widening: (Widening & { readonly version: string }) | null;
  /** Those that were active before it, the last one first: what can be rolled back to. */
  readonly policiesBefore: readonly string[];
  readonly persons: ReadonlyMap<PersonName, Person>;
  /** Those that had not ended when it was read, begun or not; one of each person. */
  readonly absences: ReadonlyMap<PersonName, Absence>;
  readonly operators: ReadonlyMap<OperatorName, Operator>;
  /** Confirmed ones, by the id of their credential. Their counts may be older: the commit looks. */
  readonly passkeys: ReadonlyMap<string, Passkey>;
  readonly issuers: readonly TrustedIssuer[];
  readonly vendors: ReadonlyMap<VendorName, Vendor>;
  /** Those at the deployment: administration alone. */
  readonly assignments: readonly Assignment[];
  readonly lapsesAt: Instant;
}

export interface EnrolledAgent {
  readonly agent: Agent;
  readonly enrolment: Enrolment;
}

export interface Snapshot {
  readonly tenant: Tenant;
  readonly epochs: Epochs;
  readonly deployment: DeploymentSnapshot;
  readonly agents: ReadonlyMap<AgentName, EnrolledAgent>;
  readonly acceptances: ReadonlyMap<AgentName, Acceptance>;
  /** Those at this tenant that had not ended when it was read. */
  readonly assignments: readonly Assignment[];
  /** Those that had not ended when it was read, begun or not. */
  readonly situations: readonly Situation[];
  /** Task classes of which nobody could be told in time: until somebody can be, they ask. */
  readonly lateNotices: ReadonlySet<TaskName>;
  /** Kill switches that are raised, and had not ended when it was read. */
  readonly blocks: readonly Block[];
  /** Those that stand here, or everywhere, and have not ended. */
  readonly pauses: readonly Pause[];
  /** Breakers that have tripped here to `ask`, and that nobody has reset. */
  readonly trips: readonly Pick<Trip, 'id' | 'agent' | 'task'>[];
  /** The change windows around the moment of reading; `null` where the tenant has none, and changes come at any time. */
  readonly windows: readonly Interval[] | null;
  /** The current version of each. */
  readonly targets: ReadonlyMap<TargetName, TargetVersion>;
  /** The newest first: it signs. */
  readonly keys: readonly SigningKey[];
  readonly lapsesAt: Instant;
}
