/**
 * Who and what Brevet knows: the rows that administrators keep, as everything further in reads them.
 */
import type { Json, JsonObject } from './canonical.ts';
import type {
  AgentName,
  AssignmentId,
  IssuerName,
  OperatorName,
  PersonName,
  RoleName,
  SituationId,
  TargetName,
  TaskName,
  TenantName,
  VendorName,
} from './ids.ts';
import { seconds } from './time.ts';
import type { Instant, Seconds } from './time.ts';
import type { SealedSecret } from './seal.ts';

/** Every role has exactly one. An agent can hold `execution` alone; the others are people's. */
export const FUNCTIONS = ['approval', 'execution', 'oversight', 'administration'] as const;
export type RoleFunction = (typeof FUNCTIONS)[number];

export interface Person {
  readonly name: PersonName;
  readonly displayName: string;
  readonly email: string | null;
  /** Gone: can do nothing, and what they own gets nothing. */
  readonly active: boolean;
}

/** A person is away, and asked nothing meanwhile. It ends by itself. */
export interface Absence {
  readonly person: PersonName;
  readonly from: Instant;
  readonly until: Instant;
  /** Who said so: the person, or an administrator. */
  readonly by: PersonName;
}

/** A person's way in: a subject at the operators' issuer, or a name for local tokens alone. */
export interface Operator {
  readonly name: OperatorName;
  /** One that leads to no person can decide nothing. */
  readonly person: PersonName | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly active: boolean;
}

export const AGENT_KINDS = ['autonomous-agent', 'assistant', 'workflow', 'service', 'embedded', 'planned'] as const;
export const AUTONOMY_LEVELS = ['advisory', 'semi-autonomous', 'autonomous'] as const;
export type Autonomy = (typeof AUTONOMY_LEVELS)[number];

export const DATA_CLASSES = ['phi', 'pii', 'cardholder', 'cui', 'credentials', 'system-logs'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

/** Who hands an agent over to a friend today is not somebody else tomorrow: a former owner counts for so long. */
export const OWNERSHIP_COUNTS = seconds(30 * 24 * 3600);

export interface Agent {
  readonly name: AgentName;
  readonly owner: PersonName;
  readonly deputy: PersonName | null;
  /** Who answered for it before, the last one first, as long as that counts. */
  readonly formerOwners: readonly { readonly person: PersonName; readonly until: Instant }[];
  /** The owner who went: it gets nothing until another person accepts it. */
  readonly leftBy: PersonName | null;
  readonly kind: (typeof AGENT_KINDS)[number];
  readonly purpose: string;
  readonly decisions: readonly string[];
  readonly vendor: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly autonomy: Autonomy;
  readonly data: readonly DataClass[];
  readonly active: boolean;
}

/** A public key as JWK: its members are public, whatever their names. */
export type PublicJwk = JsonObject;

/** What a workload's token must carry, exactly: immutable claims that fix the owner and the job. */
export interface WorkloadBinding {
  readonly issuer: IssuerName;
  readonly claims: Readonly<Record<string, string>>;
}

/** An agent at one tenant, with its own key or its workload's binding. */
export interface Enrolment {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly proof:
    | { readonly by: 'key'; readonly jwk: PublicJwk; readonly thumbprint: string }
    | { readonly by: 'workload'; readonly binding: WorkloadBinding };
  /** Why the same key may stand at a second tenant, by whom and until when. */
  readonly exception: { readonly reason: string; readonly author: OperatorName; readonly until: Instant } | null;
}

/**
 * Somebody answers for an agent, with this version of its model, at a tenant where it is new: it does these task
 * classes as their tier says, and need not prove itself first.
 */
export interface Acceptance {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly model: string;
  readonly modelVersion: string;
  readonly tasks: readonly TaskName[];
  readonly reason: string;
  /** Two, but in set-up. */
  readonly authors: readonly PersonName[];
  readonly inSetup: boolean;
}

export type Holder =
  { readonly kind: 'person'; readonly name: PersonName } | { readonly kind: 'agent'; readonly name: AgentName };

/** A role held at one tenant, or at the deployment (`tenant: null`), until it ends. */
export interface Assignment {
  readonly id: AssignmentId;
  readonly tenant: TenantName | null;
  readonly holder: Holder;
  readonly role: RoleName;
  /** The role's function when it was assigned; the database holds the two together. */
  readonly function: RoleFunction;
  readonly until: Instant | null;
  readonly reviewer: PersonName | null;
}

/** An OIDC issuer of workloads that an administrator registered. */
export interface TrustedIssuer {
  readonly name: IssuerName;
  /** Exactly as tokens say it. */
  readonly url: string;
  /** What kind of platform, which says which claims fix an identity. */
  readonly platform: 'github' | 'kubernetes' | 'generic';
  /** The oldest token that is taken, by its `iat`. */
  readonly maxAge: Seconds;
}

export const PROVIDER_KINDS = ['jwt', 'postgres', 'aws', 'vault', 'http'] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** One version of a tenant's connection to a provider; a lease keeps the one it was minted with. */
export interface TargetVersion {
  readonly tenant: TenantName;
  readonly name: TargetName;
  readonly version: number;
  readonly provider: ProviderKind;
  /** What the provider made of what was written: parsed, without secrets. */
  readonly config: JsonObject;
  readonly secret: SealedSecret | null;
  /** For a target's own calls to introspection: `private_key_jwt` as `target:{name}`. */
  readonly jwk: PublicJwk | null;
  /** The environment and the data behind it, from the register and never from a request. */
  readonly environment: string;
  readonly dataClasses: readonly DataClass[];
  readonly mspWide: MspWide | null;
}

/** Why the secret of a target may stand at other targets too, and who said so. */
export interface MspWide {
  readonly reason: string;
  readonly author: OperatorName;
}

/** Those that rules know. Another name is none of them, and counts as the strictest. */
export const REGULATIONS = ['hipaa', 'sox', 'glba', 'pci-dss', 'cmmc', 'gdpr', 'eu-ai-act', 'soc-2'] as const;

/** Article 6 of the GDPR. */
export const LEGAL_BASES = [
  'consent',
  'contract',
  'legal-obligation',
  'vital-interests',
  'public-task',
  'legitimate-interests',
] as const;
export type LegalBasis = (typeof LEGAL_BASES)[number];

export const CONTRACT_AUTONOMY = ['advise-only', 'ask-always', 'notify', 'autonomous'] as const;

/** What the contract says of AI, beside the most autonomy that it accepts. */
export interface ContractTerms {
  /** As agents' `vendor` has them. */
  readonly vendors: readonly string[];
  /** Model and version together: another version is another model. */
  readonly models: readonly { readonly model: string; readonly version: string }[];
  /** Whether the client's data may train a model. */
  readonly training: boolean;
  /** The longest that a vendor may keep the client's data. */
  readonly retentionDays: number;
}

/** A part of a target, and what it holds beside what the target is said to hold. */
export interface ResourceRecord {
  /** `{target}` or `{target}/{rest}`: it covers what lies below. */
  readonly resource: string;
  readonly dataClasses: readonly DataClass[];
  /** `null`: the target's. */
  readonly environment: string | null;
  /** Changes there name a change, and ask. */
  readonly changeManaged: boolean;
}

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** When changes may be made, in the tenant's own time. One that ends no later than it begins ends the next day. */
export interface ChangeWindow {
  readonly days: readonly Weekday[];
  /** `HH:MM`. */
  readonly from: string;
  readonly to: string;
}

export const CONTACT_USES = ['service', 'security', 'privacy'] as const;

export interface Contact {
  readonly for: (typeof CONTACT_USES)[number];
  readonly name: string;
  readonly email: string;
}

/** What a tenant is, from the register. Rules read it; a request cannot change it. */
export interface TenantContext {
  readonly regulations: readonly string[];
  readonly dataClasses: readonly DataClass[];
  /** Regions that its data may be in; none recorded: anywhere. */
  readonly residency: readonly string[];
  /** The most autonomy that the contract accepts; none recorded means that everything asks. */
  readonly autonomy: (typeof CONTRACT_AUTONOMY)[number] | null;
  /** The rest of what the contract says of AI; without it, too, everything asks. */
  readonly terms: ContractTerms | null;
  /** Those it has; where any are recorded, another counts as production. */
  readonly environments: readonly string[];
  readonly resources: readonly ResourceRecord[];
  readonly timeZone: string;
  /** None recorded: changes at any time. */
  readonly windows: readonly ChangeWindow[];
  readonly contacts: readonly Contact[];
  /** For what personal data may be processed, and on which basis of the GDPR. */
  readonly legalBases: readonly { readonly purpose: string; readonly basis: LegalBasis }[];
  /** What of the agents' work its own contact hears of; `null`: nothing. */
  readonly told: ClientTold | null;
}

export interface ClientTold {
  readonly tiers: readonly (1 | 2 | 3)[];
  readonly how: 'at_once' | 'daily';
  readonly address: string;
}

/** What a tenant is of which nobody has said anything. */
export const NO_CONTEXT: TenantContext = {
  regulations: [],
  dataClasses: [],
  residency: [],
  autonomy: null,
  terms: null,
  environments: [],
  resources: [],
  timeZone: 'UTC',
  windows: [],
  contacts: [],
  legalBases: [],
  told: null,
};

/** What a vendor of AI does with clients' data, whoever the client is. */
export interface Vendor {
  readonly name: VendorName;
  readonly trains: boolean;
  readonly retentionDays: number;
  /** Regions that it keeps data in; none recorded: unknown, which fits no client that says where its data may be. */
  readonly residency: readonly string[];
}

export const SITUATION_KINDS = ['incident', 'freeze', 'data-subject-request'] as const;
export type SituationKind = (typeof SITUATION_KINDS)[number];

/** State of a tenant that changes by the hour. It ends by itself. */
export interface Situation {
  readonly id: SituationId;
  readonly tenant: TenantName;
  readonly kind: SituationKind;
  /** Of a data subject request: what it is about, with all that lies below. `null` for the other kinds. */
  readonly resource: string | null;
  readonly from: Instant;
  readonly until: Instant;
  /** Of an incident: how long what still asks may wait for its answer. */
  readonly askWithin: Seconds | null;
  readonly author: PersonName;
}

export interface Tenant {
  readonly name: TenantName;
  readonly displayName: string;
  readonly context: TenantContext;
}

export interface SigningKey {
  readonly tenant: TenantName;
  readonly kid: string;
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly publicJwk: PublicJwk;
  readonly privateJwk: SealedSecret;
}

/** The files of a policy bundle, by path below `policy/`. */
export type BundleFiles = Readonly<Record<string, string>>;

/** A policy that ends by itself: what it widened is taken back at a moment that was known when it became active. */
export interface Widening {
  readonly until: Instant;
  /** The version that is active from then on. */
  readonly next: string;
  /** Whose word made it active, and who answers for its end. */
  readonly by: PersonName;
}

export type { Json };
