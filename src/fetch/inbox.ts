/** What comes in bit by bit, as an iteration over it: no more waits in it than a little over what one read gives. */

export interface Inbox {
  push(chunk: Uint8Array): void;
  end(): void;
  fail(fault: Error): void;
  /** Left before its end, begun or not, it tells whoever sends. */
  readonly body: AsyncIterableIterator<Uint8Array, undefined>;
}

export interface Sending {
  pause(): void;
  resume(): void;
  leave(): void;
}

type Step = IteratorResult<Uint8Array, undefined>;

/** As much as a socket reads at once. */
const MOST_WAITING = 64 * 1024;
/** Node reads a socket up to 32 times before it turns to another: what is done for each read would hold up all else. */
const MOST_IN_A_TURN = 64 * 1024;

const DONE: Step = { done: true, value: undefined };

export function inbox(sending: Sending): Inbox {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isPaused = false;
  /** Since all else last had its turn for it: what is small takes none. */
  let came = 0;
  let end: { readonly fault: Error | null } | null = null;
  let reading: PromiseWithResolvers<Step> | null = null;
  const finish = (fault: Error | null): void => {
    if (end !== null) return;
    end = { fault };
    // What is cut is cut at once, and not after what still waits.
    if (fault !== null) chunks.length = 0;
    const asked = reading;
    reading = null;
    if (fault === null) asked?.resolve(DONE);
    else asked?.reject(fault);
  };
  const pause = (): void => {
    if (isPaused) return;
    isPaused = true;
    sending.pause();
  };
  const resume = (): void => {
    if (!isPaused || bytes >= MOST_WAITING || came >= MOST_IN_A_TURN || end !== null) return;
    isPaused = false;
    sending.resume();
  };
  const count = (chunk: Uint8Array): void => {
    const isResting = came >= MOST_IN_A_TURN;
    came += chunk.length;
    if (isResting || came < MOST_IN_A_TURN) return;
    pause();
    setImmediate(() => {
      came = 0;
      resume();
    });
  };
  const shift = (chunk: Uint8Array): Step => {
    bytes -= chunk.length;
    resume();
    return { done: false, value: chunk };
  };
  return {
    push(chunk) {
      if (end !== null || chunk.length === 0) return;
      count(chunk);
      const asked = reading;
      reading = null;
      if (asked !== null) return asked.resolve({ done: false, value: chunk });
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MOST_WAITING) pause();
    },
    end: () => finish(null),
    fail: finish,
    body: {
      [Symbol.asyncIterator]() {
        return this;
      },
      next() {
        const chunk = chunks.shift();
        if (chunk !== undefined) return Promise.resolve(shift(chunk));
        if (end !== null) return end.fault === null ? Promise.resolve(DONE) : Promise.reject(end.fault);
        reading ??= Promise.withResolvers<Step>();
        return reading.promise;
      },
      return() {
        chunks.length = 0;
        if (end === null) {
          finish(null);
          sending.leave();
        }
        return Promise.resolve(DONE);
      },
    },
  };
}
