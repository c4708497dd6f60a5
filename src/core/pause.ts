/** @param over once it is, the pause is too, and its timer keeps no process alive. */
export function pause(milliseconds: number, over?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over?.aborted === true) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    over?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
