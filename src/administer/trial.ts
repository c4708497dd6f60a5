/** A bundle on trial: checked, and its own cases run. One that fails is neither proposed nor activated. */
import type { NewBundle } from '../core/change/register.ts';
import { failure } from '../core/failure.ts';
import type { Problem } from '../core/policy.ts';
import type { RoleName } from '../core/ids.ts';
import type { BundleFiles, RoleFunction } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import type { Bundle } from '../decide/bundle.ts';
import { failedOf, runCases } from '../decide/cases.ts';
import type { CaseOutcome } from '../decide/cases.ts';

function checked(deps: Pick<Deps, 'bundles'>, files: BundleFiles): Result<Bundle> {
  const bundle = deps.bundles.load(files);
  return bundle.ok ? bundle : err(badPolicy(bundle.error));
}

const badPolicy = (problems: readonly Problem[]) =>
  failure('invalid_policy', `the bundle has ${problems.length} problems`, { members: { problems } });

export interface Tried {
  readonly bundle: Bundle;
  /** Of its own cases: all as their authors expect. */
  readonly outcomes: readonly CaseOutcome[];
}

/** @param called as the refusal names it. */
export function tried(
  deps: Pick<Deps, 'bundles' | 'rulebook'>,
  files: BundleFiles,
  called = 'the bundle',
): Result<Tried> {
  const bundle = checked(deps, files);
  if (!bundle.ok) return bundle;
  const outcomes = runCases(bundle.value, deps.rulebook);
  const failed = failedOf(outcomes);
  if (failed.length === 0) return ok({ bundle: bundle.value, outcomes });
  const members = { cases: failed };
  return err(failure('invalid_policy', `${failed.length} of ${outcomes.length} cases of ${called} fail`, { members }));
}

/** Each role's function, by which the database refuses a bundle that changes one under an assignment. */
export const functionsOf = ({ roles }: Bundle): Readonly<Record<string, RoleFunction>> =>
  Object.fromEntries([...roles.values()].map((role) => [role.name, role.function]));

/** Those that read alone. */
export const readingOf = ({ roles }: Bundle): readonly RoleName[] =>
  [...roles.values()].filter(({ readsOnly }) => readsOnly).map(({ name }) => name);

export const newBundle = (bundle: Bundle, files: BundleFiles): NewBundle => ({
  version: bundle.version,
  files,
  functions: functionsOf(bundle),
  reading: readingOf(bundle),
});
