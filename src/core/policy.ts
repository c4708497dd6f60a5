/**
 * The port to the engine that evaluates rules. It answers for one version of a bundle and one tenant, from flat input
 * that holds no clock, id or free text.
 */
import type { JsonObject } from './canonical.ts';
import type { BundleFiles } from './registers.ts';
import type { Result } from './result.ts';

export type RuleName = string & { readonly __rule: true };

/** One problem of a bundle, where it stands. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** What the rules say of one input. */
export interface Evaluation {
  readonly allowed: boolean;
  /** Those that decided, by their `@id`: the forbids of a deny, the permits of an allow. Empty: nothing permitted it. */
  readonly rules: readonly RuleName[];
  /** Any at all make it a forbid: a rule that errs is skipped by the engine, even a forbid. */
  readonly errors: readonly string[];
}

/** Rules and schema, as text with the place of each, for one policy set. */
export interface RuleSource {
  readonly file: string;
  readonly text: string;
}

export interface RuleInfo {
  readonly name: RuleName;
  readonly file: string;
  readonly line: number;
  readonly effect: 'permit' | 'forbid';
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleEngine {
  /** Every problem at once: syntax, types against the schema, missing or doubled `@id`s. */
  check(schema: RuleSource, rules: readonly RuleSource[]): Result<readonly RuleInfo[], readonly Problem[]>;
  /** What rules say of themselves, as `check` has it, without their types: for those that were checked before. */
  read(rules: readonly RuleSource[]): Result<readonly RuleInfo[], readonly Problem[]>;
  /** Makes a checked set ready under a name; replaces what was there, atomically. */
  install(set: string, schema: RuleSource, rules: readonly RuleSource[]): void;
  /** Frees what `install` took. */
  drop(set: string): void;
  /** @param input principal, action, resource and context, as the schema has them: validated every time. */
  evaluate(set: string, input: JsonObject): Evaluation;
}

export type { BundleFiles };
