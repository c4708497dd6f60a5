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

const DONE: Step = { done: true, value: undefined };

export function inbox(sending: Sending): Inbox {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isPaused = false;
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
  const shift = (chunk: Uint8Array): Step => {
    bytes -= chunk.length;
    if (isPaused && bytes < MOST_WAITING) {
      isPaused = false;
      sending.resume();
    }
    return { done: false, value: chunk };
  };
  return {
    push(chunk) {
      if (end !== null) return;
      const asked = reading;
      reading = null;
      if (asked !== null) return asked.resolve({ done: false, value: chunk });
      chunks.push(chunk);
      bytes += chunk.length;
      if (isPaused || bytes < MOST_WAITING) return;
      isPaused = true;
      sending.pause();
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
