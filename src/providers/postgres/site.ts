/**
 * A version of a target, with the connections that it takes. One to each node is kept while logins may live, so that
 * a holder who fills the server's slots cannot lock Brevet out; others are opened for a while.
 */
import { ProviderUnavailable } from '../../core/provider.ts';
import type { OpenTarget } from '../../core/provider.ts';
import type { Milliseconds } from '../../core/time.ts';
import { configOf } from './config.ts';
import type { PostgresConfig } from './config.ts';
import { HOLDER_LOCK_MS, openLane, ServerRefusal } from './lane.ts';
import type { Lane } from './lane.ts';

/** Longer than the longest lease, and used by every mint: open for as long as a login made over it may live. */
const KEPT_SECONDS = 3_900;
const MINT_SECONDS = 60;
/** One backend computes on one core, and most of a login's making is the server's own rounds of its verifier. */
export const MINT_LANES = 2;
const ASIDE_SECONDS = 5;
/** Another mint, of another node of Brevet's, may be giving the same group. */
const MINT_LOCK_MS = 2_000;

/** A statement that writes, at a node that follows another. */
const READ_ONLY = '25006';
/** The server has no slot for another connection. */
const TOO_MANY_CONNECTIONS = '53300';

export interface Site {
  readonly target: OpenTarget;
  readonly config: PostgresConfig;
  /** One to each node, for ending and looking. */
  readonly kept: readonly Lane[];
  /** Calls with the kept lane of the node that takes writes. */
  atPrimary<T>(call: (lane: Lane) => Promise<T>): Promise<T>;
  /** The same over a lane for mints alone, so that no kill waits for a batch of them. */
  toMint<T>(call: (lane: Lane) => Promise<T>): Promise<T>;
  /** The same for what may have to wait for a lock; over the kept lane where the server has no slot left. */
  aside<T>(call: (lane: Lane) => Promise<T>): Promise<T>;
  /** The same in any database of the server: another than the target's over a connection that is closed at once. */
  inDatabase<T>(database: string, call: (lane: Lane) => Promise<T>): Promise<T>;
  /** Every connection has been closed, because nobody called for long. */
  isIdle(): boolean;
  close(): Promise<void>;
}

export function openSite(target: OpenTarget, patience: Milliseconds): Site {
  const config = configOf(target.version.config);
  const common = { config, password: target.secret, patience };
  const lanes = (idle: number, lockMs = HOLDER_LOCK_MS) =>
    config.nodes.map((node) => openLane({ ...common, node, idle, lockMs }));
  const [kept, beside] = [lanes(KEPT_SECONDS), lanes(ASIDE_SECONDS)];
  const minting = Array.from({ length: MINT_LANES }, () => lanes(MINT_SECONDS, MINT_LOCK_MS));
  const order = [...kept.keys()].toSorted((a, b) => Number(kept[a]?.node.standby) - Number(kept[b]?.node.standby));
  let primary: number | null = null;

  const at = async <T>(of: readonly Lane[], call: (lane: Lane) => Promise<T>): Promise<T> => {
    primary ??= await findPrimary(kept, order);
    const lane = of[primary];
    if (lane === undefined) throw new Error('a node without a lane');
    try {
      return await call(lane);
    } catch (fault) {
      if (!(fault instanceof ServerRefusal) || fault.sqlstate === READ_ONLY) primary = null;
      throw fault;
    }
  };
  const atPrimary: Site['atPrimary'] = (call) => at(kept, call);
  const aside: Site['aside'] = (call) =>
    at(beside, call).catch((fault: unknown) => {
      if (fault instanceof ServerRefusal && fault.sqlstate === TOO_MANY_CONNECTIONS) return atPrimary(call);
      throw fault;
    });
  const elsewhere: Site['inDatabase'] = (database, call) =>
    atPrimary(async ({ node }) => {
      const lane = openLane({ ...common, node, database, idle: 1, lockMs: HOLDER_LOCK_MS });
      try {
        return await call(lane);
      } finally {
        await lane.close();
      }
    });
  return {
    target,
    config,
    kept,
    atPrimary,
    toMint: (call) => at(minting.find((some) => !some.some((lane) => lane.isBusy())) ?? kept, call),
    aside,
    inDatabase: (database, call) => (database === config.database ? aside(call) : elsewhere(database, call)),
    isIdle: () => !kept.some((lane) => lane.isOpen()),
    close: async () => {
      await Promise.all([...kept, ...minting.flat(), ...beside].map((lane) => lane.close()));
    },
  };
}

/** By asking, so that a standby that was promoted is found. */
async function findPrimary(lanes: readonly Lane[], order: readonly number[]): Promise<number> {
  let fault: unknown = new ProviderUnavailable('no node of this target takes writes');
  for (const place of order) {
    const lane = lanes[place];
    if (lane === undefined) continue;
    try {
      if (!(await isStandby(lane))) return place;
    } catch (caught) {
      fault = caught;
    }
  }
  throw fault;
}

async function isStandby(lane: Lane): Promise<boolean> {
  const [row] = await lane.run((sql) => sql<{ standby: boolean }[]>`select pg_is_in_recovery() as standby`);
  return row?.standby ?? true;
}
