/**
 * The policy, as administrators change it: one proposes a bundle that passes its own cases, another activates what was
 * proposed, and one alone may go back to what was active before, at once, and owes a look at it.
 */
import type { Claim } from '../core/change.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Problem } from '../core/policy.ts';
import type { BundleFiles, RoleFunction } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Bundle } from '../decide/bundle.ts';
import { countOf } from '../decide/bundle/findings.ts';
import type { PolicyFinding } from '../decide/bundle/findings.ts';
import { runCases } from '../decide/cases.ts';
import { act } from './acts.ts';
import { administratorAt } from './administrator.ts';
import { proposalOf, proposeParsed } from './changes.ts';
import type { Proposed } from './changes.ts';
import { perform } from './commit.ts';
import { lookInto } from './findings.ts';
import type { Parsed } from './registers.ts';

/** Each role's function, by which the database refuses a bundle that changes one under an assignment. */
export const functionsOf = ({ roles }: Bundle): Readonly<Record<string, RoleFunction>> =>
  Object.fromEntries([...roles.values()].map((role) => [role.name, role.function]));

/** In set-up alone: after it a bundle is proposed. One with a problem is never activated. */
export async function activatePolicy(
  deps: Deps,
  operator: OperatorPrincipal,
  { files, claim }: { readonly files: BundleFiles; readonly claim: Claim | null },
): Promise<Result<Receipt>> {
  const read = async (): Promise<Result<Parsed>> => {
    const bundle = loadChecked(deps, files);
    if (!bundle.ok) return bundle;
    const found = await lookInto(deps, bundle.value, files, null);
    if (!found.ok) return found;
    const parsed = activation(bundle.value, files);
    return ok({ ...parsed, facts: { ...parsed.facts, findings: countOf(found.value) } });
  };
  return act(deps, operator, await deps.store.deployment(), read, claim);
}

const activation = (bundle: Bundle, files: BundleFiles | null): Parsed => ({
  change: { kind: 'policy.activate', version: bundle.version, files, functions: functionsOf(bundle), onlyFirst: false },
  facts: { policy: bundle.version },
  said: {},
  takesTwo: 'to change the policy',
  ends: null,
});

function loadChecked(deps: Pick<Deps, 'bundles'>, files: BundleFiles): Result<Bundle> {
  const bundle = deps.bundles.load(files);
  return bundle.ok ? bundle : err(badPolicy(bundle.error));
}

const badPolicy = (problems: readonly Problem[]) =>
  failure('invalid_policy', `the bundle has ${problems.length} problems`, { members: { problems } });

export interface ProposedPolicy extends Proposed {
  readonly version: string;
  /** How many cases of its own it was tried with; all came out as their authors expect. */
  readonly cases: number;
  /** What is allowed, and yet hardly meant. */
  readonly findings: readonly PolicyFinding[];
}

/** A bundle whose own cases fail is not proposed. */
export async function proposePolicy(
  deps: Deps,
  operator: OperatorPrincipal,
  { files, reason }: { readonly files: BundleFiles; readonly reason: string },
): Promise<Result<ProposedPolicy>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  const bundle = loadChecked(deps, files);
  if (!bundle.ok) return bundle;
  const tried = runCases(bundle.value, deps.rulebook);
  const failed = tried.filter(({ differences }) => differences.length > 0);
  if (failed.length > 0) {
    const members = { cases: failed };
    return err(failure('invalid_policy', `${failed.length} of ${tried.length} cases of the bundle fail`, { members }));
  }
  const found = await lookInto(deps, bundle.value, files, tried);
  if (!found.ok) return found;
  const parsed = activation(bundle.value, null);
  const findings = countOf(found.value);
  const facts = { ...parsed.facts, replaces: place.policy, cases: tried.length, findings };
  const who = { operator, by: by.value, place };
  const proposed = await proposeParsed(deps, who, { ...parsed, facts }, reason, files);
  if (!proposed.ok) return proposed;
  return ok({ ...proposed.value, version: bundle.value.version, cases: tried.length, findings: found.value });
}

/** To a version that was active before, by one: waiting for a second one could be the worse of the two. */
export async function rollBackPolicy(
  deps: Deps,
  operator: OperatorPrincipal,
  { version, reason }: { readonly version: string; readonly reason: string },
): Promise<Result<Proposed>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  if (!place.policiesBefore.includes(version)) return err(NEVER_ACTIVE);
  const { change, facts, takesTwo } = activation(await deps.bundles.at(version), null);
  const said = { reason };
  const what = takesTwo ?? '';
  const undone = { ...facts, replaces: place.policy, rolled_back: true };
  const owes = proposalOf(
    deps,
    operator,
    { what, change, ledger: null, facts: undone, said, ends: null, subjects: [], policy: null },
    reason,
  );
  const done = await perform(deps, {
    by: by.value,
    change,
    ledger: null,
    facts: { ...undone, proposal: owes.id, proposal_hash: owes.hash },
    said,
    ends: null,
    owes,
  });
  return done.ok ? ok({ proposal: owes, receipt: done.value }) : done;
}

const NEVER_ACTIVE = failure('not_found', 'no such version was active before', {
  path: 'version',
  hint: 'See brevet policy versions; any other version is proposed.',
});
