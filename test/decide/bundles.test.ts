/** Loading a version: it is what its hash says, it checks, and many who want it at once load it once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BundleFiles } from '../../src/core/registers.ts';
import type { RuleEngine } from '../../src/core/policy.ts';
import { bundleVersion } from '../../src/decide/bundle.ts';
import { createBundles } from '../../src/decide/bundles.ts';
import { policyFiles } from '../policy/folder.ts';
import { engine, shippedBut } from './world.ts';

function storeOf(...bundles: readonly BundleFiles[]) {
  const kept = new Map(bundles.map((files) => [bundleVersion(files), files]));
  return { kept, bundle: (version: string) => Promise.resolve(kept.get(version) ?? null) };
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
  return 'nothing was refused';
}

const VERSION = bundleVersion(policyFiles);

const bundles = suite('decide/bundles');

bundles('a version is loaded once, however many ask for it at once, and its types are not checked again', async () => {
  let reads = 0;
  const counted: RuleEngine = {
    ...engine,
    check: () => {
      throw new Error('it was checked before it was kept');
    },
    read: (sources) => (reads++, engine.read(sources)),
  };
  const loading = createBundles(storeOf(policyFiles), counted);
  const loaded = await Promise.all(Array.from({ length: 16 }, () => loading.at(VERSION)));
  assert.is(new Set(loaded).size, 1);
  assert.is(reads, 1);
  assert.is(loaded[0]?.version, VERSION);
});

bundles('the cases of one that is kept are those that were checked, read when somebody asks', async () => {
  const kept = await createBundles(storeOf(policyFiles), engine).at(VERSION);
  const checked = createBundles(storeOf(), engine).load(policyFiles);
  assert.ok(checked.ok && checked.value.cases.length > 1);
  assert.equal(kept.cases, checked.ok && checked.value.cases);
  assert.is(kept.cases, kept.cases);
});

bundles('the rules of one that is kept are those that were checked', async () => {
  const kept = await createBundles(storeOf(policyFiles), engine).at(VERSION);
  const checked = createBundles(storeOf(), engine).load(policyFiles);
  assert.ok(checked.ok && checked.value.rules.size > 1);
  assert.equal(kept.rules, checked.ok && checked.value.rules);
});

bundles(
  'one that was checked before it was stored is not loaded again, and one that does not check is not kept',
  async () => {
    let checks = 0;
    const counted: RuleEngine = { ...engine, check: (...sources) => (checks++, engine.check(...sources)) };
    const store = storeOf();
    const loading = createBundles(store, counted);
    const loaded = loading.load(policyFiles);
    assert.is(loaded.ok && (await loading.at(VERSION)), loaded.ok && loaded.value);
    assert.is(checks, 1);
    const bad = shippedBut({ 'rules/work.cedar': 'permit' });
    assert.not(loading.load(bad).ok);
    assert.match(await refusal(loading.at(bundleVersion(bad))), /is not kept/);
  },
);

bundles('nothing is decided by a version that is gone, was changed, or does not check', async () => {
  assert.match(await refusal(createBundles(storeOf(), engine).at(VERSION)), /is not kept/);
  const changed = storeOf();
  changed.kept.set(VERSION, shippedBut({ 'rules/work.cedar': null }));
  assert.match(await refusal(createBundles(changed, engine).at(VERSION)), /another hash/);
  const bad = shippedBut({ 'rules/work.cedar': 'permit' });
  assert.match(await refusal(createBundles(storeOf(bad), engine).at(bundleVersion(bad))), /does not check/);
});

bundles('a few are kept, and one that went is loaded again', async () => {
  const versions = Array.from({ length: 6 }, (_, at) =>
    shippedBut({ 'rules/work.cedar': `${policyFiles['rules/work.cedar']}// ${at}\n` }),
  );
  let reads = 0;
  const store = storeOf(...versions);
  const loading = createBundles({ bundle: (version) => (reads++, store.bundle(version)) }, engine);
  for (const files of [...versions, ...versions.slice(0, 1)]) await loading.at(bundleVersion(files));
  assert.is(reads, 7);
});

bundles.run();
