/**
 * What was decided, in three parts that never merge: approval (by which rule, or on whose word), execution (what
 * exactly, for how long) and oversight (who is told and who reviews, by when).
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Failure, FailureCode } from '../core/failure.ts';
import type { PersonName, RoleName, TaskName } from '../core/ids.ts';
import type { RuleName } from '../core/policy.ts';
import type { Declared, Idleness } from '../core/lease.ts';
import type { DataClass, TargetVersion } from '../core/registers.ts';
import type { RouteStep } from '../core/route.ts';
import type { Instant, Seconds } from '../core/time.ts';

/** 1: act. 2: act, then tell. 3: propose, then wait. */
export const TIERS = [1, 2, 3] as const;
export type Tier = (typeof TIERS)[number];

/** Approved by rules alone. */
export interface ByRule {
  readonly rules: readonly RuleName[];
  readonly policy: string;
}

/** Approved by nobody yet: the rules that want a human's word, and until when it may come. */
export interface Route {
  readonly rules: readonly RuleName[];
  readonly policy: string;
  readonly deadline: Instant;
  /** Who could answer: none of them has a part in it. */
  readonly approvers: readonly PersonName[];
  /** The route of the bundle that it takes. */
  readonly route: string;
  /** Who is asked when, as things stand at the ask. */
  readonly steps: readonly RouteStep[];
}

/** Where less was given than asked, and what held it back. */
export interface Narrowing {
  readonly what: 'ttl' | 'uses';
  readonly asked: number;
  readonly given: number;
  readonly by: string;
}

/** Why the tier is higher than the task class's own. */
export interface Raise {
  readonly to: Tier;
  readonly because: string;
}

export interface Execution {
  readonly task: TaskName;
  readonly role: RoleName;
  readonly target: TargetVersion;
  readonly resource: string;
  readonly parameters: JsonObject;
  /** The task class's part for the provider, such as the group role of a login. */
  readonly template: JsonObject;
  readonly ttl: Seconds;
  readonly uses: number;
  /** Whether the provider counts them; where it cannot, `uses` is 1 and promises nothing. */
  readonly usesCounted: boolean;
  /** The effective tier. */
  readonly tier: Tier;
  readonly raised: readonly Raise[];
  readonly narrowed: readonly Narrowing[];
  /** What may be behind it: by the registers, by the task class, and by what the agent said. */
  readonly dataClasses: readonly DataClass[];
  /** How the provider can end it, and see it. */
  readonly declared: Declared;
  /** When it is ended for want of use. */
  readonly idle: Idleness;
  /** What was asked for and the credential itself does not hold the agent to: parameters, or `resource`. */
  readonly notEnforced: readonly string[];
}

export interface Duties {
  readonly overseers: readonly PersonName[];
  /** Who is told, once it is done: nobody at tier 1. */
  readonly notify: readonly PersonName[];
  /** By when they are told; `null` where nobody is. */
  readonly notifyBy: Instant | null;
  readonly reviewBy: Instant;
}

/** Why not. The rules are for the ledger; the rest is what the agent sees, and could change. */
export interface Denial {
  readonly code: FailureCode;
  readonly rules: readonly RuleName[];
  /** For the ledger: what the engine said where it failed, and the like. */
  readonly because: string;
  readonly detail: string;
  readonly hint: string | null;
  /** Where in the request. */
  readonly path: string | null;
  readonly policy: string | null;
  /** Who is told that it was refused: nobody, unless a rule says so. */
  readonly tell: readonly PersonName[];
}

export interface Permit {
  readonly effect: 'permit';
  readonly approval: ByRule;
  readonly execution: Execution;
  readonly oversight: Duties;
}

export interface Ask {
  readonly effect: 'ask';
  readonly approval: Route;
  readonly execution: Execution;
  readonly oversight: Duties;
}

export interface Forbid {
  readonly effect: 'forbid';
  readonly reason: Denial;
}

export type Decision = Permit | Ask | Forbid;

/** The refusal that a caller sees. Rules' names stay in the ledger. */
export const failureOf = ({ code, detail, hint, path }: Denial): Failure => ({
  code,
  detail,
  ...(hint === null ? {} : { hint }),
  ...(path === null ? {} : { path }),
});
