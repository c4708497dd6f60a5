/** What a bundle that is to be active would mean here: what its files show, what its cases leave out, who holds what. */
import { failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import { enforcedBy } from '../core/provider.ts';
import type { BundleFiles } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import type { Bundle } from '../decide/bundle.ts';
import { findingsOf, placesOf, unheld, unreached, untested } from '../decide/bundle/findings.ts';
import type { PolicyFinding } from '../decide/bundle/findings.ts';
import type { CaseOutcome } from '../decide/cases.ts';
import { unreachedRoutes } from '../decide/unreached.ts';
import { snapshotsOf } from './comparison.ts';

/** @param tried `null` where the cases were not run: then nothing is said of what they leave out. */
export async function lookInto(
  deps: Pick<Deps, 'store' | 'clock'>,
  bundle: Bundle,
  files: BundleFiles,
  tried: readonly CaseOutcome[] | null,
): Promise<Result<readonly PolicyFinding[]>> {
  const held = await deps.store.rolesHeld();
  const changed = held.find(({ role, function: given }) => bundle.roles.get(role)?.function !== given);
  if (changed !== undefined) return err(otherFunction(changed.role, changed.function, bundle));
  const places = placesOf(files);
  const now = deps.clock();
  const { persons } = await deps.store.deployment();
  const nobody = unreachedRoutes(bundle, await snapshotsOf(deps), now);
  const lasting = new Set<string>(held.filter(({ lasting: lasts }) => lasts).map(({ role }) => role));
  return ok([
    ...findingsOf(bundle, places, { now, enforces: enforcedBy }),
    ...(tried === null ? [] : untested(bundle, places, tried)),
    ...unheld(bundle, places, lasting),
    ...unreached(places, nobody, (person) => persons.get(person as PersonName)?.active === true),
  ]);
}

/** The database refuses it at the activation: who proposes it is told before another has looked at it in vain. */
function otherFunction(role: string, was: string, { roles }: Bundle) {
  const now = [...roles.values()].find(({ name }) => name === role)?.function;
  const says = now === undefined ? 'the bundle has no such role' : `the bundle gives it ${now}`;
  return failure('still_in_use', `the role ${role} is assigned with ${was}, and ${says}`, {
    hint: 'End its assignments first, or leave the role as it is.',
  });
}

/** Of a version that is kept, as things stand now; nothing is said of its cases, which were run when it was proposed. */
export async function findingsAt(deps: Deps, version: string): Promise<readonly PolicyFinding[]> {
  const files = await deps.store.bundle(version);
  if (files === null) return [];
  const found = await lookInto(deps, await deps.bundles.at(version), files, null);
  return found.ok ? found.value : [];
}
