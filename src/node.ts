/**
 * The entry on Node: a database (its own, where none is configured), migrations, the deployment key, the policy, and
 * then it serves.
 */
import type { Config } from './config.ts';
import type { Log } from './core/log.ts';
import { createKeyring } from './core/seal.ts';
import { provision } from './embedded/provision.ts';
import { startEmbedded } from './embedded/server.ts';
import { keeping, listening, reaching } from './node/cannot-start.ts';
import { bundleFor, checkFirstBundle } from './node/first-bundle.ts';
import { deploymentKey } from './node/key.ts';
import { nodeName, random } from './node/parts.ts';
import { serveNode } from './node/serve.ts';
import type { Serving } from './node/serve.ts';
import { unlessTold } from './node/told.ts';
import { migrate } from './store/migrate.ts';
import { openStore } from './store/open.ts';
import { keyMadeWith } from './store/start.ts';
import type { DatabaseOptions } from './store/database.ts';

/** How Brevet gets into its database, and what to do when it is done with it. */
export interface Database {
  readonly owner: DatabaseOptions;
  readonly serve: DatabaseOptions;
  stop(): Promise<void>;
}

export interface Starting {
  readonly log: Log;
  /** Aborted by whoever does not want it any more: then it is given up within seconds. */
  readonly told?: AbortSignal;
}

/** Everything from the settings to the first request. What was begun is undone when a step fails, or it is told to stop. */
export async function serve(config: Config, { log, told }: Starting): Promise<Serving> {
  const database = await openDatabase(config, log, told);
  try {
    const serving = await unlessTold(serveOn(database, config, log), told);
    return {
      ...serving,
      async stop() {
        await serving.stop();
        await database.stop();
      },
    };
  } catch (fault) {
    await database.stop();
    throw fault;
  }
}

/** The configured database, or Brevet's own under the data directory, started or taken over. */
export async function openDatabase(config: Config, log: Log, told?: AbortSignal): Promise<Database> {
  if (config.database.kind === 'configured') {
    const { migrate: owner, serve: serving } = config.database;
    return { owner: { url: owner }, serve: { url: serving }, stop: async () => undefined };
  }
  await checkFirstBundle(config);
  const server = await keeping(config, () =>
    startEmbedded({
      dataDir: config.dataDir,
      note: 'brevet start',
      onLoss: (loss) => log.error('embedded_postgres.lost', { ...loss }),
      ...(told && { told }),
    }),
  );
  log.info('embedded_postgres.ready', { taken_over: server.takenOver });
  try {
    const provisioned = await provision(server);
    told?.throwIfAborted();
    return { ...provisioned, stop: () => server.stop() };
  } catch (fault) {
    await server.stop();
    throw fault;
  }
}

/** A node on a database that is there: several may serve on one. */
export async function serveOn(database: Pick<Database, 'owner' | 'serve'>, config: Config, log: Log): Promise<Serving> {
  await reaching('BREVET_MIGRATE_URL', config, () => migrate(database.owner));
  const keyring = await createKeyring(await deploymentKey(config, () => keyMadeWith(database.serve)), random);
  const node = nodeName();
  const store = await reaching('DATABASE_URL', config, () =>
    openStore({ database: database.serve, keyring, node, log, mode: 'node' }),
  );
  try {
    const bundle = await bundleFor(store, config, log);
    const parts = { config, store, keyring, log, node };
    return await listening(config, () => serveNode(parts, { listen: config.listen, bundle }));
  } catch (fault) {
    await store.close();
    throw fault;
  }
}
