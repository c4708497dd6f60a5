/**
 * Connections to the database, each used by one transaction at a time. One that was lost, or that did not answer in
 * time, is given up whole and another is opened.
 *
 * This does what postgres.js's own pool and `begin` would. They can't be used: where a connection is lost, 3.4.9 sends
 * the ROLLBACK of a transaction to a socket that is gone, outside of any promise, which ends the process; and a
 * connection that was lost with something left to send never sends again.
 * @see https://github.com/porsager/postgres/issues/1208
 */
import { drizzle } from 'drizzle-orm/postgres-js';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { StoreUnavailable } from '../core/store.ts';
import { asStoreError, clientOptions, isPassing } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import { preparing } from './prepared.ts';

/** Longer than any statement may take, so that the server's own limits speak first where it still answers. */
const DEADLINE_MS = 12_000;

export interface Lane {
  readonly client: postgres.Sql;
  readonly db: PostgresJsDatabase;
  /** The connection was closed: what was sent since then may have gone over another, outside of any transaction. */
  lost: boolean;
}

export interface Lanes {
  /** @throws {StoreUnavailable} where the database is away, or has not answered in time. */
  use<T>(work: (lane: Lane) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param onLoss hears of a connection that could not even be closed. */
export function createLanes(to: DatabaseOptions, most: number, onLoss: (fault: unknown) => void): Lanes {
  const all = new Set<Lane>();
  const free: Lane[] = [];
  const waiting: PromiseWithResolvers<Lane>[] = [];
  const open = (): Lane => {
    const lane = openLane(to);
    all.add(lane);
    return lane;
  };
  const giveUp = (lane: Lane): void => {
    all.delete(lane);
    lane.client.end({ timeout: 0 }).catch(onLoss);
  };
  const take = async (): Promise<Lane> => {
    for (let lane = free.pop(); lane !== undefined; lane = free.pop()) {
      if (!lane.lost) return lane;
      // It was lost while nobody used it, as all are when the database comes back.
      giveUp(lane);
    }
    if (all.size < most) return open();
    const turn = Promise.withResolvers<Lane>();
    waiting.push(turn);
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(turn), 1);
      turn.reject(new StoreUnavailable('no connection to the database came free in time'));
    }, DEADLINE_MS);
    return turn.promise.finally(() => clearTimeout(timer));
  };
  const give = (lane: Lane): void => {
    const next = waiting.shift();
    if (!lane.lost) {
      if (next === undefined) free.push(lane);
      else next.resolve(lane);
      return;
    }
    giveUp(lane);
    next?.resolve(open());
  };
  return {
    async use(work) {
      const lane = await take();
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        lane.lost = true;
        late.reject(new StoreUnavailable('the database did not answer in time'));
      }, DEADLINE_MS);
      try {
        const value = await Promise.race([work(lane), late.promise]);
        if (lane.lost) throw new StoreUnavailable('the connection to the database was lost');
        return value;
      } catch (error) {
        // It may be half open, or have a part of a message left: not worth finding out.
        if (isPassing(error)) lane.lost = true;
        throw asStoreError(error);
      } finally {
        clearTimeout(timer);
        give(lane);
      }
    },
    async close() {
      await Promise.all([...all].map(({ client }) => client.end({ timeout: 1 })));
    },
  };
}

function openLane(to: DatabaseOptions): Lane {
  const client = postgres({
    ...clientOptions(to),
    max: 1,
    // It would end a connection in the middle of a transaction.
    max_lifetime: null,
    connection: { application_name: 'brevet' },
    onclose: () => {
      lane.lost = true;
    },
  });
  const lane: Lane = { client, db: drizzle(preparing(client)), lost: false };
  return lane;
}
