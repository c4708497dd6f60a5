/**
 * The policy, as administrators change it: one proposes a bundle that passes its own cases, another activates what was
 * proposed, and one alone may go back to what was active before, at once, and owes a look at it.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Claim } from '../core/change/once.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { BundleFiles, Widening } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Bundle } from '../decide/bundle.ts';
import { countOf } from '../decide/bundle/findings.ts';
import type { PolicyFinding } from '../decide/bundle/findings.ts';
import { fallen } from '../revoke/reassess.ts';
import { act } from './acts.ts';
import { administratorAt } from './administrator.ts';
import type { Administrator } from './administrator.ts';
import type { Author } from './author.ts';
import { proposalOf, proposed, proposedBefore, proposeParsed } from './changes.ts';
import type { Proposed } from './changes.ts';
import { claimBy } from './commit.ts';
import { compare, comparisonWire, narrows } from './comparison.ts';
import type { Comparison } from './comparison.ts';
import { lookInto } from './findings.ts';
import type { Parsed } from './registers.ts';
import { functionsOf, newBundle, readingOf, tried } from './trial.ts';
import { endOf } from './widening.ts';
import type { End } from './widening.ts';

/** In set-up alone: after it a bundle is proposed. One with a problem, or whose own cases fail, never becomes active. */
export async function activatePolicy(
  deps: Deps,
  operator: Author,
  { files, claim }: { readonly files: BundleFiles; readonly claim: Claim | null },
): Promise<Result<Receipt>> {
  const read = async (): Promise<Result<Parsed>> => {
    const trial = tried(deps, files);
    if (!trial.ok) return trial;
    const { bundle, outcomes } = trial.value;
    const found = await lookInto(deps, bundle, files, outcomes);
    if (!found.ok) return found;
    const parsed = activation(bundle, files);
    const counts = { cases: outcomes.length, findings: countOf(found.value) };
    return ok({ ...parsed, facts: { ...parsed.facts, ...counts } });
  };
  return act(deps, operator, await deps.store.deployment(), read, { claim });
}

const activation = (bundle: Bundle, files: BundleFiles | null, widening: Widening | null = null): Parsed => ({
  change: {
    kind: 'policy.activate',
    version: bundle.version,
    files,
    functions: functionsOf(bundle),
    reading: readingOf(bundle),
    onlyFirst: false,
    ...(widening === null ? {} : { widening }),
  },
  facts: {
    policy: bundle.version,
    ...(widening === null ? {} : { until: toRfc3339(widening.until), next: widening.next }),
  },
  said: {},
  takesTwo: 'to change the policy',
  ends: null,
});

export interface ProposedPolicy extends Proposed {
  readonly version: string;
  /** How many cases of its own it was tried with; all came out as their authors expect. */
  readonly cases: number;
  /** What is allowed, and yet hardly meant. */
  readonly findings: readonly PolicyFinding[];
}

export interface PolicyToPropose {
  readonly files: BundleFiles;
  readonly reason: string;
  readonly until: Instant | null;
  readonly claim: Claim | null;
}

/** A bundle whose own cases fail is not proposed. */
export async function proposePolicy(
  deps: Deps,
  operator: OperatorPrincipal,
  { files, reason, until, claim }: PolicyToPropose,
): Promise<Result<ProposedPolicy>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  const trial = tried(deps, files);
  if (!trial.ok) return trial;
  const { bundle, outcomes } = trial.value;
  const findings = await lookInto(deps, bundle, files, outcomes);
  if (!findings.ok) return findings;
  const end = await endOf(deps, place, { files, until, by: by.value.person });
  if (!end.ok) return end;
  const found = place.policy === null ? null : await compare(deps, await deps.bundles.at(place.policy), bundle);
  if (until !== null && found !== null && (!found.diff.widens || narrows(found.diff))) return err(NO_WIDENING);
  const left = await leftAt(deps, place, end.value);
  const counts = { cases: outcomes.length, findings: countOf(findings.value) };
  const parsed = activation(bundle, null, end.value?.widening ?? null);
  const facts = { ...parsed.facts, ...comparedFacts(found), ...counts, replaces: place.policy };
  const proposer = { operator, by: by.value, place, claim };
  const proposal = await proposeParsed(deps, proposer, { ...parsed, facts }, reason, {
    bundles: [newBundle(bundle, files), ...(end.value?.kept ? [end.value.kept] : [])],
    shown: {
      diff: found === null ? null : comparisonWire(found),
      ...(left === null ? {} : { at_end: comparisonWire(left) }),
      live: await fallenNow(deps, bundle),
      findings: findings.value.map((finding) => ({ ...finding })),
    },
    gaining: [...new Set([found, left].flatMap((one) => one?.gaining ?? []))].toSorted(),
  });
  if (!proposal.ok) return proposal;
  return ok({ ...proposal.value, version: bundle.version, cases: outcomes.length, findings: findings.value });
}

const NO_WIDENING = failure('invalid_field', 'an end is for what widens alone, and this narrows or changes nothing', {
  path: 'until',
  hint: 'See brevet policy diff; propose what narrows by itself, without an end.',
});

const comparedFacts = (found: Comparison | null): JsonObject =>
  found === null ? {} : { widens: found.diff.widens, diff: found.diff.digest };

/** Where the end is another's: what will be left then, against what would have been. What frees then is given now. */
async function leftAt(deps: Deps, { widening }: DeploymentSnapshot, end: End | null): Promise<Comparison | null> {
  if (end === null || end.kept === null || widening === null) return null;
  return compare(deps, await deps.bundles.at(widening.next), end.bundle);
}

/** More than a person reads; how many there are in all is said. */
const MOST_SHOWN = 100;

/** Live credentials that it would not give, as they are now. */
async function fallenNow(deps: Deps, bundle: Bundle): Promise<JsonObject> {
  const shown: JsonObject[] = [];
  let count = 0;
  for await (const { lease, why } of fallen(deps, bundle)) {
    const { tenant, agent, task, id } = lease;
    if (count < MOST_SHOWN) shown.push({ lease: id, tenant, agent, task, why });
    count += 1;
  }
  return { would_not_be_given: count, leases: shown };
}

export interface GoingBack {
  readonly version: string;
  readonly reason: string;
  readonly claim: Claim | null;
}

/** To a version that was active before, by one: waiting for a second one could be the worse of the two. */
export async function rollBackPolicy(
  deps: Deps,
  operator: OperatorPrincipal,
  { version, reason, claim }: GoingBack,
): Promise<Result<Proposed>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  if (!place.policiesBefore.includes(version)) return backAlready(deps, by.value, claim);
  const bundle = await deps.bundles.at(version);
  const found = place.policy === null ? null : await compare(deps, await deps.bundles.at(place.policy), bundle);
  const subjects = found?.gaining ?? [];
  if (subjects.includes(by.value.person)) return err(FREES_OWN);
  const { change, facts, takesTwo } = activation(bundle, null);
  const said = { reason };
  const what = takesTwo ?? '';
  const undone = { ...facts, ...comparedFacts(found), replaces: place.policy, rolled_back: true };
  const shown = { diff: found === null ? null : comparisonWire(found) };
  const owes = proposalOf(
    deps,
    operator,
    { what, change, ledger: null, facts: undone, said, ends: null, subjects, shown, policy: null },
    reason,
  );
  const act = {
    by: by.value,
    change,
    ledger: null,
    facts: { ...undone, proposal: owes.id, proposal_hash: owes.hash },
    said,
    ends: null,
    owes,
    claim,
  };
  return proposed(deps, act, owes);
}

/** Sent again, it is gone back to already, and is none of those before any more. */
async function backAlready(deps: Deps, by: Administrator, claim: Claim | null): Promise<Result<Proposed>> {
  const key = claimBy(by, claim, { place: null, made: null });
  const done = key === null ? null : await deps.store.doneBefore(key);
  return done === null ? err(NEVER_ACTIVE) : proposedBefore(deps, done);
}

const FREES_OWN = failure('takes_two_persons', 'going back frees an agent that you answer for', {
  hint: 'Have another administrator go back.',
});

const NEVER_ACTIVE = failure('not_found', 'no such version was active before', {
  path: 'version',
  hint: 'See brevet policy versions; any other version is proposed.',
});
