/**
 * Tells open pages that what they show has changed. However many are open, a process looks once in a while, and never
 * takes more than a twentieth of the time for it. On Workers nothing lives between two requests, and there is none.
 */
import type { ConsoleSession } from '../core/console.ts';
import { sha256Hex } from '../core/digest.ts';
import type { Listener, Live, Marks, Shown } from '../core/live.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { callerOf } from '../authenticate/console.ts';
import type { Deps } from '../deps.ts';

/** A person takes in no more than one change of a page in so long. */
const LOOK_EVERY_MS = 2_000;
/** What a look takes, at the most, of the time between two. */
const SHARE = 20;
/** Whether sessions last, and their streams get a word, once in so many looks: proxies give up after 30 s and more. */
const BEAT_EVERY = 5;

/** Those that show the same. */
interface Room {
  readonly shown: Shown;
  readonly listeners: Map<Listener, string>;
}

export function createLive({
  store,
  pause,
  background,
  log,
}: Pick<Deps, 'store' | 'pause' | 'background' | 'log'>): Live {
  const rooms = new Map<string, Room>();
  let isLooking = false;

  async function look(beats: boolean): Promise<void> {
    const all = [...rooms.values()];
    const listeners = all.flatMap((room) => [...room.listeners.keys()]);
    const marks = await store.marks({
      persons: [...new Set(all.flatMap(({ shown }) => shown.asks ?? []))],
      ledgers: [...new Set(all.flatMap(({ shown }) => shown.ledgers))],
      sessions: beats ? [...new Set(listeners.map(({ session }) => session))] : [],
    });
    for (const { shown, listeners: here } of all) tellRoom(here, markOf(shown, marks));
    if (!beats) return;
    const deployment = await store.deployment();
    for (const listener of listeners) listener.hear(lasts(marks.sessions.get(listener.session), deployment));
  }

  async function watch(): Promise<void> {
    for (let n = 1; rooms.size > 0; n++) {
      const began = performance.now();
      await look(n % BEAT_EVERY === 0).catch((fault: unknown) => log.warn('live.not_looked', { fault: String(fault) }));
      await pause(Math.max(LOOK_EVERY_MS, SHARE * (performance.now() - began)));
    }
  }

  return {
    mark: async (shown) =>
      markOf(
        shown,
        await store.marks({ persons: shown.asks === null ? [] : [shown.asks], ledgers: shown.ledgers, sessions: [] }),
      ),
    listen(listener) {
      const { shown, mark } = listener;
      const key = `${shown.asks ?? ''} ${shown.ledgers.join(' ')}`;
      const room = rooms.get(key) ?? { shown, listeners: new Map<Listener, string>() };
      rooms.set(key, room);
      room.listeners.set(listener, mark);
      if (!isLooking) {
        isLooking = true;
        background(watch().finally(() => (isLooking = false)));
      }
      return () => {
        room.listeners.delete(listener);
        if (room.listeners.size === 0 && rooms.get(key) === room) rooms.delete(key);
      };
    },
    close() {
      const all = [...rooms.values()].flatMap((room) => [...room.listeners.keys()]);
      rooms.clear();
      for (const listener of all) listener.hear('gone');
    },
  };
}

function tellRoom(listeners: Map<Listener, string>, mark: string): void {
  for (const [listener, before] of listeners) {
    if (before === mark) continue;
    listeners.set(listener, mark);
    listener.hear('changed');
  }
}

const lasts = (session: ConsoleSession | undefined, deployment: DeploymentSnapshot) =>
  session === undefined || callerOf(session, deployment) === null ? 'over' : 'beat';

const markOf = ({ asks, ledgers }: Shown, marks: Pick<Marks, 'asks' | 'ledgers'>): string =>
  sha256Hex(
    JSON.stringify([
      asks === null ? null : (marks.asks.get(asks) ?? ''),
      ...ledgers.map((ledger) => marks.ledgers.get(ledger) ?? ''),
    ]),
  ).slice(0, MARK_LENGTH);

/** Two that are alike by chance cost one redrawing, of which there is another soon. */
const MARK_LENGTH = 16;
