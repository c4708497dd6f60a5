/**
 * A node whose calls stop at a step that the test names: it says so, and waits there to be killed. Everything else in
 * it is what `brevet start` runs.
 */
import { watch } from '../../src/broker.ts';
import { ProviderRefused } from '../../src/core/provider.ts';
import { createKeyring } from '../../src/core/seal.ts';
import { readConfig } from '../../src/config.ts';
import { lineLog } from '../../src/cli/log.ts';
import { deploymentKey } from '../../src/node/key.ts';
import { nodeName, random } from '../../src/node/parts.ts';
import { serveNode } from '../../src/node/serve.ts';
import { readBundle } from '../../src/node/first-bundle.ts';
import { openStore } from '../../src/store/open.ts';
import type { FromNode, Hold, Step, ToNode } from '../support/kill-steps.ts';
import { wrapProvider, wrapStore } from '../support/kill-wraps.ts';
import type { Place } from '../support/kill-wraps.ts';

let armed: Extract<ToNode, { readonly arm: Step }> | null = null;
let release = Promise.withResolvers<void>();

process.on('message', (message: ToNode) => {
  if ('arm' in message) {
    // What was held at another step goes on, to this one.
    const before = release;
    armed = message;
    release = Promise.withResolvers<void>();
    before.resolve();
  } else {
    armed = null;
    release.resolve();
  }
});

async function at(place: Place): Promise<void> {
  if (armed === null) return;
  const { arm, beside } = armed;
  // So that there is something to reconcile, the mint is lost before it is sent.
  // A target that had not answered would be asked one thing at a time, and one alone would come to the step.
  if (arm.phase === 'reconcile' && place.verb === 'mint' && place.provider === arm.provider) {
    throw new ProviderRefused('lost on the way');
  }
  if (isAt(arm, place)) process.send?.({ reached: place.of } satisfies FromNode);
  else if (beside === null || !isAt(beside, place)) return;
  await release.promise;
  // What goes on may go on to where it is held again.
  await at(place);
}

const isAt = ({ provider, verb, when }: Hold, place: Place): boolean =>
  place.provider === provider && place.verb === verb && place.when === when;

const config = readConfig(process.env);
if (!config.ok) throw new Error(config.error.map(({ name, what }) => `${name} ${what}`).join('; '));
if (config.value.database.kind !== 'configured') throw new Error('this entry is given its database');
const log = lineLog((line) => console.error(line));
const node = nodeName();
const keyring = await createKeyring(await deploymentKey(config.value, async () => null), random);
const database = { url: config.value.database.serve };
const store = await openStore({ database, keyring, node, log, mode: 'node' });
const { deps } = await serveNode(
  {
    config: config.value,
    store: wrapStore(store, at),
    keyring,
    log,
    node,
    around: (provider) => wrapProvider(provider, at),
  },
  { listen: config.value.listen, bundle: await readBundle(config.value.policyDir) },
);

/** A pass of the sweeper waits for what it took up, and here some of that waits for ever: others go on beside it. */
const SWEEP_EVERY_MS = 500;
setInterval(() => {
  watch(deps).catch((fault: unknown) => log.error('sweep.failed', { fault: String(fault) }));
}, SWEEP_EVERY_MS);
