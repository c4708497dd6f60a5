/**
 * A process of its own that holds an embedded Postgres, for tests that kill it or run it as another user. It prints
 * one line of JSON when the server is ready; SIGTERM stops the server, any other end leaves it.
 *
 *     node start.ts DATA_DIR
 */
import { startEmbedded } from '../../src/embedded/server.ts';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('start.ts DATA_DIR');
const { stop, pid, takenOver, socketDir, annex } = await startEmbedded({ dataDir, note: 'start.ts' }).catch(refuse);

function refuse(error: unknown): never {
  console.error(String(error));
  process.exit(1);
}

process.once('SIGTERM', () => {
  stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
console.log(JSON.stringify({ pid: pid(), takenOver, socketDir, annex }));
// Nothing else keeps it alive: the server is not its own to wait for.
setInterval(() => {}, 60_000);
