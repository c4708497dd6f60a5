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
  TargetName,
  TenantName,
} from './ids.ts';
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

export interface Agent {
  readonly name: AgentName;
  readonly owner: PersonName;
  readonly deputy: PersonName | null;
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

/** What a tenant is, from the register. Rules read it; a request cannot change it. */
export interface TenantContext {
  readonly regulations: readonly string[];
  readonly dataClasses: readonly DataClass[];
  /** The most autonomy that the contract accepts; none recorded means that everything asks. */
  readonly autonomy: 'advise-only' | 'ask-always' | 'notify' | 'autonomous' | null;
  readonly timeZone: string;
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

export type { Json };
