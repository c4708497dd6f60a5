/** @param over once it is, the pause is too, and its timer keeps no process alive. */
export function pause(milliseconds: number, over?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over?.aborted === true) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      // What outlives this pause is not to remember it.
      over?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    over?.addEventListener('abort', end);
  });
}
