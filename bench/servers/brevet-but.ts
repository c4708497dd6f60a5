/**
 * Brevet as `brevet start` serves it, but for one thing. Without kept answers, the engine evaluates every request.
 * Without hashing, every password has the verifier of the first: what is measured beside it hashes none either.
 */
import { readConfig } from '../../src/config.ts';
import { createKeyring } from '../../src/core/seal.ts';
import { lineLog } from '../../src/cli/log.ts';
import { openDatabase } from '../../src/node.ts';
import { readBundle } from '../../src/node/first-bundle.ts';
import { deploymentKey } from '../../src/node/key.ts';
import { nodeName, random } from '../../src/node/parts.ts';
import { serveNode } from '../../src/node/serve.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { keyMadeWith } from '../../src/store/start.ts';
import { argument } from './process.ts';

const without = argument('without');
if (without === 'hashing') hashOnce();

const read = readConfig(process.env);
if (!read.ok) throw new Error(JSON.stringify(read.error));
const config = read.value;
const log = lineLog((line) => process.stderr.write(`${line}\n`));
const database = await openDatabase(config, log);
await migrate(database.owner);
const keyring = await createKeyring(await deploymentKey(config, () => keyMadeWith(database.serve)), random);
const node = nodeName();
const store = await openStore({ database: database.serve, keyring, node, log, mode: 'node' });
const serving = await serveNode(
  { config, store, keyring, log, node, keepAnswers: without !== 'kept-answers' },
  { listen: config.listen, bundle: await readBundle(config.policyDir) },
);
process.once('SIGTERM', () => {
  serving
    .stop()
    .then(() => database.stop())
    .catch((fault: unknown) => {
      throw fault;
    });
});

/** Keyed by its rounds; what else went into it is of no matter to a login that nobody uses. */
function hashOnce(): void {
  const { subtle } = crypto;
  const derive = subtle.deriveBits.bind(subtle);
  const known = new Map<number, ArrayBuffer>();
  const deriveOnce = async (...[algorithm, key, length]: Parameters<typeof derive>): Promise<ArrayBuffer> => {
    const rounds = typeof algorithm === 'object' && 'iterations' in algorithm ? algorithm.iterations : 0;
    const bits = known.get(rounds) ?? (await derive(algorithm, key, length));
    if (rounds > 0) known.set(rounds, bits);
    return bits;
  };
  Object.defineProperty(subtle, 'deriveBits', { value: deriveOnce });
}
