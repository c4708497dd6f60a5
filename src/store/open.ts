/**
 * Opens the store on a database that is migrated, after looking whether it may be served on.
 */
import type { Log } from '../core/log.ts';
import type { Keyring } from '../core/seal.ts';
import type { Store } from '../core/store.ts';
import { instant } from '../core/time.ts';
import type { Milliseconds } from '../core/time.ts';
import { createBlockReads } from './blocks.ts';
import { createClaimReads } from './claims.ts';
import { createCommit } from './commit.ts';
import { createConsoleReads } from './console.ts';
import { createGroup } from './commit/group.ts';
import type { DatabaseOptions } from './database.ts';
import { createExposures } from './exposures.ts';
import { createSnapshots, noSnapshots } from './kept.ts';
import type { KeptSnapshots } from './kept.ts';
import { createHoldingReads } from './holdings.ts';
import { createNotices } from './notices.ts';
import { createLink } from './link.ts';
import { createApprovalReads } from './approvals.ts';
import { createMarks } from './marks.ts';
import { createOversightReads } from './oversight.ts';
import { createProposals } from './proposals.ts';
import { createReads } from './read.ts';
import { createReader } from './read-together.ts';
import { loadDeployment, loadSnapshot } from './snapshot.ts';
import { checkDatabase, checkKey, readiness } from './start.ts';
import { createTallies } from './tallies.ts';
import { createTurns } from './turns.ts';
import { createWatch } from './watch.ts';
import { createQueue } from './work.ts';

export interface StoreOptions {
  /** The serving login, which is neither the owner nor anyone mighty. */
  readonly database: DatabaseOptions;
  /** Without one the deployment key is not checked; for tools that read alone. */
  readonly keyring?: Keyring;
  readonly node: string;
  readonly log: Log;
  /** On Workers each request opens a store of its own, and nothing may wait for another's promise. */
  readonly mode: 'node' | 'workers';
  /** Connections for all but the group commit, which has its own. */
  readonly poolSize?: number;
  /** Snapshots that outlive this store, on Workers. */
  readonly kept?: KeptSnapshots;
  /** The login, the lock and the key were looked at before, by an earlier store of this process. */
  readonly checked?: boolean;
  /** How far the database's clock is ahead, as an earlier store of this process measured it. */
  readonly offset?: Milliseconds;
}

const POOL_SIZE = { node: 8, workers: 2 } as const;
/** While one batch waits for the disk another is written: measured to answer sooner than one alone, at the same cost. */
const BATCHES_IN_FLIGHT = 2;
/** After a turn of the loop, in which every answer that had come is read: twice the batch of one that does not wait. */
const ON_NODE = { inFlight: BATCHES_IN_FLIGHT, gather: (launch: () => void) => setImmediate(launch) };
const ON_WORKERS = { inFlight: Infinity, batchLimit: 1 };
/** A reading waits for no disk: what comes meanwhile goes in the next. */
const READING = { ...ON_NODE, inFlight: 1, batchLimit: 256 };
/** A snapshot that lapses within a skew of clocks is no harm: its end is in every TTL that rests on it. */
const ownClock = () => instant(Date.now());

/**
 * @throws {UnfitDatabase} for a login that may do too much, or a pooler that breaks the lock.
 * @throws {WrongDeploymentKey} for another key than the one that the database was made with.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { database, mode, keyring } = options;
  const onNode = mode === 'node';
  const onLoss = (fault: unknown) => options.log.warn('database.not_closed', { fault: String(fault) });
  const link = createLink(database, options.poolSize ?? POOL_SIZE[mode], onLoss);
  const hot = onNode ? createLink(database, BATCHES_IN_FLIGHT, onLoss) : link;
  const close = async (): Promise<void> => {
    await Promise.all([link.close(), ...(onNode ? [hot.close()] : [])]);
  };
  const queue = createQueue(link, () => Date.now(), onNode);
  const group = createGroup(hot, onNode ? ON_NODE : ON_WORKERS);
  let offset: Milliseconds;
  try {
    offset = await fitAndMeasured(options, queue);
    if (options.checked !== true && keyring !== undefined) await checkKey(link, keyring);
  } catch (error) {
    await close();
    throw error;
  }
  const reader = createReader(link, onNode ? READING : ON_WORKERS);
  const snapshots = createSnapshots({
    tenant: (name, kept) => loadSnapshot(link, name, kept),
    deployment: (kept) => loadDeployment(link, kept),
    clock: () => instant(ownClock() + offset),
    sharing: onNode,
    kept: options.kept ?? noSnapshots(),
  });
  return {
    commit: createCommit(link, group),
    snapshot: snapshots.tenant,
    deployment: snapshots.deployment,
    forget: snapshots.forget,
    ...createReads(link),
    ...createClaimReads(link),
    ...createProposals(link),
    ...createConsoleReads(link),
    ...createMarks(link),
    ...createExposures(link),
    ...createApprovalReads(link),
    ...reader,
    ...createHoldingReads(link),
    ...queue,
    turns: createTurns(link),
    ...createBlockReads(link),
    ...createOversightReads(link),
    ...createTallies(link),
    ...createWatch(link),
    ...createNotices(link),
    async clockOffset() {
      offset = await queue.clockOffset();
      return offset;
    },
    ready: () => readiness(link),
    close,
  };
}

/** The clock is read while the database is looked at: that opens the connection that comes next. */
async function fitAndMeasured(
  { checked, database, node, offset }: StoreOptions,
  queue: Pick<Store, 'clockOffset'>,
): Promise<Milliseconds> {
  const [fit, measured] = await Promise.allSettled([
    checked === true ? undefined : checkDatabase(database, node),
    offset ?? queue.clockOffset(),
  ]);
  // What is wrong with the database is why its clock could not be read.
  if (fit.status === 'rejected') throw fit.reason;
  if (measured.status === 'rejected') throw measured.reason;
  return measured.value;
}
