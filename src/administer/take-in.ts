/** The bundle on disk: taken into an empty broker, and only compared with what any other one has. */
import type { NewBundle } from '../core/change/register.ts';
import { makeEntry } from '../core/entry.ts';
import type { Problem } from '../core/policy.ts';
import type { BundleFiles } from '../core/registers.ts';
import { bundleVersion } from '../decide/bundle.ts';
import type { Bundle } from '../decide/bundle.ts';
import type { Bundles } from '../decide/bundles.ts';
import { failedOf, runCases } from '../decide/cases.ts';
import type { CaseOutcome } from '../decide/cases.ts';
import type { Rulebook } from '../decide/rulebook.ts';
import type { Deps } from '../deps.ts';
import { newBundle } from './trial.ts';

/** The bundle has problems, each with its place, or cases that come out otherwise; nothing of it was taken in. */
export class BadBundle extends Error {
  override readonly name = 'BadBundle';
}

const badBundle = (told: readonly string[]): BadBundle =>
  new BadBundle(`the policy bundle has problems:\n${told.join('\n')}`);

const lines = (problems: readonly Problem[]): string[] =>
  problems.map(({ file, line, what }) => `${file}:${line}: ${what}`);

const caseLines = (failed: readonly CaseOutcome[]): string[] =>
  failed.map(
    ({ file, name, differences }) => `${file}: the case "${name}" comes out otherwise: ${differences.join('; ')}`,
  );

/**
 * The one to begin with. Nobody has proposed it, and it is held to what any later one is, its own cases too.
 * @throws {BadBundle}
 */
export function firstBundle(
  { bundles, rulebook }: { readonly bundles: Pick<Bundles, 'load'>; readonly rulebook: Rulebook },
  files: BundleFiles,
): Bundle {
  const loaded = bundles.load(files);
  if (!loaded.ok) throw badBundle(lines(loaded.error));
  const failed = failedOf(runCases(loaded.value, rulebook));
  if (failed.length > 0) throw badBundle(caseLines(failed));
  return loaded.value;
}

/** @throws {BadBundle} where the broker is empty. */
export async function takeIn(deps: Deps, files: BundleFiles): Promise<void> {
  const { policy, inSetup } = await deps.store.deployment();
  // What is active was checked when it became so, and this is the very same: no start pays for it again.
  if (policy === bundleVersion(files)) return;
  if (policy === null) {
    await activateFirst(deps, newBundle(firstBundle(deps, files), files), inSetup);
    return;
  }
  const loaded = deps.bundles.load(files);
  if (loaded.ok) {
    const { version } = loaded.value;
    deps.log.warn('policy.on_disk_differs', { active: policy, on_disk: version, hint: 'brevet policy activate' });
  } else deps.log.warn('policy.on_disk_is_bad', { active: policy, problems: lines(loaded.error) });
}

async function activateFirst(deps: Deps, bundle: NewBundle, inSetup: boolean): Promise<void> {
  const { version } = bundle;
  const entry = makeEntry(
    {
      tenant: null,
      kind: 'policy.activated',
      at: deps.clock(),
      actor: { kind: 'broker', name: deps.node },
      accountable: null,
      inSetup,
      facts: { policy: version, first: true },
    },
    deps.random,
  );
  const change = { kind: 'policy.activate', ...bundle, onlyFirst: true } as const;
  const taken = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  deps.store.forget(null);
  // Another node of an empty broker may have been first, with the same bundle or its own: what is active is active.
  if (!taken.ok) deps.log.info('policy.taken_in_by_another', { on_disk: version, unmet: taken.error.unmet });
}
