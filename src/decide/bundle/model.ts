/** A bundle once loaded: what a decision reads of the policy. */
import type { JsonObject } from '../../core/canonical.ts';
import type { RoleName, TaskName, TenantName } from '../../core/ids.ts';
import type { Idleness } from '../../core/lease.ts';
import type { RuleInfo, RuleName, RuleSource } from '../../core/policy.ts';
import type { DataClass, ProviderKind, RoleFunction } from '../../core/registers.ts';
import type { Instant, Seconds } from '../../core/time.ts';
import type { Tier } from '../decision.ts';
import type { Breakers } from './breakers.ts';
import type { CasesFile } from './cases.ts';
import type { Limits } from './limits.ts';
import type { ParameterForm } from './parameters.ts';
import type { Routes } from './routes.ts';
import type { Protection } from './scorecard.ts';

/** No more than this, whatever is asked. */
export interface Ceilings {
  readonly ttl: Seconds;
  readonly uses: number;
}

export interface Role {
  readonly name: RoleName;
  /** In words, for people. */
  readonly description: string;
  readonly function: RoleFunction;
  /** Empty but for `execution`. */
  readonly tasks: ReadonlySet<TaskName>;
  /** `null`: at all. */
  readonly tenants: ReadonlySet<TenantName> | null;
  readonly ceilings: Ceilings | null;
  /** Of oversight: it sees, and ends, stops and judges nothing. */
  readonly readsOnly: boolean;
  /** Of execution: for an emergency, given for a stated reason and a short time, and looked at by somebody else. */
  readonly breakGlass: boolean;
  readonly owner: string;
  readonly nextReview: string;
}

export interface TaskClass {
  readonly name: TaskName;
  readonly description: string;
  readonly kind: string;
  /** What its tier is argued with, in words for people. */
  readonly scores: readonly { readonly aspect: string; readonly score: Tier; readonly because: string }[];
  /** Derived from the scorecard, the floor and an override. */
  readonly tier: Tier;
  /** A lower tier, until it ends. */
  readonly promotion: { readonly tier: Tier; readonly until: Instant } | null;
  readonly changes: readonly Protection[];
  readonly touches: readonly DataClass[];
  readonly provider: ProviderKind;
  readonly template: JsonObject;
  /** Compiled once: JSON Schema, draft 2020-12. */
  readonly parameters: ParameterForm;
  /** The same as it is written: two bundles are compared by it, and what fits is made of it. */
  readonly schema: JsonObject;
  /** Parameters of closed forms that rules may look at. */
  readonly seenByRules: readonly string[];
  /** What a credential gets when the request asks for nothing. */
  readonly ttl: Seconds;
  readonly ceilings: Ceilings;
  /** When a credential of it is ended early, where its use can be seen. */
  readonly idle: Idleness;
  readonly readsOnly: boolean;
  /** What it makes stays at the target when its credential is dead. */
  readonly leavesObjects: boolean;
  /** It goes on while an incident is open. */
  readonly containment: boolean;
  /** No agent gets it, whoever approves. */
  readonly humanOnly: boolean;
  /** What a request of this class must say of its circumstances. */
  readonly requires: readonly Circumstance[];
  readonly rollback: TaskName | null;
  readonly owner: string;
  readonly nextReview: string;
}

/** As they stand in a request. */
export const CIRCUMSTANCES = [
  'trigger',
  'data_considered',
  'data_classes',
  'purpose',
  'legal_basis',
  'environment',
  'confidence',
  'model',
  'model_version',
  'evidence',
  'rollback',
  'change',
  'plan',
] as const;
export type Circumstance = (typeof CIRCUMSTANCES)[number];

export interface Bundle extends Limits {
  /** SHA-256 of its content, in hex. */
  readonly version: string;
  /** Who answers for it as a whole. */
  readonly owner: string;
  readonly nextReview: string;
  /** How many runs lift what is new at a tenant from tier 3. */
  readonly probation: number;
  readonly breakers: Breakers;
  readonly roles: ReadonlyMap<RoleName, Role>;
  readonly tasks: ReadonlyMap<TaskName, TaskClass>;
  /** Who answers what. */
  readonly routes: Routes;
  readonly rules: ReadonlyMap<RuleName, RuleInfo>;
  readonly schema: RuleSource;
  /** Those for all. */
  readonly shared: readonly RuleSource[];
  /** Those for one tenant alone. */
  readonly own: ReadonlyMap<TenantName, readonly RuleSource[]>;
  readonly cases: readonly { readonly file: string; readonly holds: CasesFile }[];
}

/** A forbid that a human may lift bears it. */
export const mayBeLifted = (rule: RuleInfo | undefined): boolean => rule?.annotations['obligation'] === 'approval';
