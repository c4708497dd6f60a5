/** Bundles by their version, loaded from the store and kept: the active one, and those just before and after it. */
import type { RuleEngine } from '../core/policy.ts';
import type { BundleFiles } from '../core/registers.ts';
import type { Store } from '../core/store.ts';
import { bundleVersion, loadBundle, loadKept } from './bundle.ts';
import type { Bundle } from './bundle/model.ts';

const MOST_BUNDLES = 4;

export interface Bundles {
  /** @throws when the version is not there, is not what its hash says, or does not check: then nothing is decided. */
  at(version: string): Promise<Bundle>;
  /** Checks a bundle that is to become a version, and keeps it as that: its hash says that it is the same. */
  load(files: BundleFiles): ReturnType<typeof loadBundle>;
}

/** By version, the one unused for longest first. */
export type KeptBundles = Map<string, Bundle>;

export function createBundles(
  store: Pick<Store, 'bundle'>,
  engine: RuleEngine,
  kept: KeptBundles = new Map(),
): Bundles {
  const keep = (bundle: Bundle): void => {
    kept.set(bundle.version, bundle);
    if (kept.size > MOST_BUNDLES) kept.delete(kept.keys().next().value ?? '');
  };
  return {
    async at(version) {
      const before = kept.get(version);
      if (before !== undefined) {
        // Used last, so that versions which only old leases name do not push out the one that is active.
        kept.delete(version);
        kept.set(version, before);
        return before;
      }
      const files = await store.bundle(version);
      // Many may have waited for the store; the first of them has loaded it. No promise is shared: Workers hang on one.
      const meanwhile = kept.get(version);
      if (meanwhile !== undefined) return meanwhile;
      if (files === null) throw new Error(`the policy version ${version} is not kept`);
      if (bundleVersion(files) !== version) throw new Error(`what is kept as policy ${version} has another hash`);
      const loaded = loadKept(files, engine);
      if (!loaded.ok) throw new Error(`the policy version ${version} does not check: ${loaded.error[0]?.what}`);
      keep(loaded.value);
      return loaded.value;
    },
    load(files) {
      const loaded = loadBundle(files, engine);
      if (loaded.ok) keep(loaded.value);
      return loaded;
    },
  };
}
