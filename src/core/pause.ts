/** @param overs once one of them is, the pause is too, and its timer keeps no process alive. */
export function pause(milliseconds: number, ...overs: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    if (overs.some((over) => over?.aborted)) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      // What outlives this pause is not to remember it.
      for (const over of overs) over?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    for (const over of overs) over?.addEventListener('abort', end);
  });
}
