/** Being told to stop while still starting. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../core/log.ts';

/** What is nearly there gets this long, so that it can be stopped in good order; what hangs is left behind. */
const SETTLE_MS = 1_000;

/**
 * What is begun, once it is there.
 * @throws the reason of `told` where that comes first; what was begun is stopped then, if it comes in time.
 */
export async function unlessTold<T extends { stop(): Promise<void> }>(
  begun: Promise<T>,
  told: AbortSignal | undefined,
): Promise<T> {
  if (told === undefined) return begun;
  const leaving = Promise.withResolvers<never>();
  const leave = (): void => leaving.reject(told.reason);
  told.addEventListener('abort', leave);
  if (told.aborted) leave();
  try {
    return await Promise.race([begun, leaving.promise]);
  } catch (fault) {
    if (!told.aborted) throw fault;
    const stopped = begun.then(
      (late) => late.stop(),
      () => undefined,
    );
    await Promise.race([stopped, pause(SETTLE_MS)]);
    throw fault;
  } finally {
    told.removeEventListener('abort', leave);
  }
}

/** What was being started, or `null` where it was given up because it was told to stop. */
export async function unlessGivenUp<T>(starting: Promise<T>, told: AbortSignal, log: Log): Promise<T | null> {
  try {
    return await starting;
  } catch (fault) {
    if (!told.aborted) throw fault;
    log.info('start.given_up', { why: String(fault) });
    return null;
  }
}
