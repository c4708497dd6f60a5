/**
 * The database's clock, kept by a node: a clock of the machine that nobody sets, with how far the database's is ahead of
 * it. Whoever sets the machine's time neither ends what lives nor lets what is over live on.
 */
import type { Log } from '../core/log.ts';
import type { Store } from '../core/store.ts';
import { instant } from '../core/time.ts';
import type { Clock } from '../core/time.ts';

/** How often it is measured anew. */
const MEASURE_EVERY_MS = 30_000;
/** The machine was set, or has slept: a clock that is only slewed is not off by so much until it is measured again. */
const JUMP_MS = 500;
/** After a jump, while the database does not answer. */
const MEASURE_AGAIN_MS = 1_000;

/** In milliseconds: `wall` as it is set, `steady` from whenever, standing still while the machine sleeps. */
export interface OwnClocks {
  wall(): number;
  steady(): number;
}

const OF_THE_MACHINE: OwnClocks = { wall: () => Date.now(), steady: () => performance.now() };

interface Measured {
  /** How far the database's clock was ahead of the steady one. */
  readonly ahead: number;
  /** How far the wall clock was. */
  readonly wall: number;
}

/** @param store whose offset is that of the database's clock to the wall clock. */
export async function databaseClock(
  store: Pick<Store, 'clockOffset'>,
  log: Pick<Log, 'warn'>,
  own: OwnClocks = OF_THE_MACHINE,
): Promise<{ readonly clock: Clock; stop(): void }> {
  const wallAhead = (): number => own.wall() - own.steady();
  const measure = async (): Promise<Measured> => {
    // One that jumps meanwhile is seen to have jumped since.
    const wall = wallAhead();
    const offset = await store.clockOffset();
    return { ahead: offset + wallAhead(), wall };
  };
  let measured = await measure();
  let measureAgainAt = 0;
  const measureAgain = (): void => {
    measureAgainAt = own.steady() + MEASURE_AGAIN_MS;
    measure().then(
      (anew) => (measured = anew),
      (fault: unknown) => log.warn('clock.not_measured', { fault: String(fault) }),
    );
  };
  const timer = setInterval(measureAgain, MEASURE_EVERY_MS);
  timer.unref();
  return {
    clock() {
      const jumped = Math.abs(wallAhead() - measured.wall) > JUMP_MS;
      if (jumped && own.steady() >= measureAgainAt) measureAgain();
      return instant(Math.floor(own.steady() + measured.ahead));
    },
    stop: () => clearInterval(timer),
  };
}
