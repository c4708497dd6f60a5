/**
 * Group commit: while a batch is under way those that arrive wait, and go together. When a batch fails as a whole, its
 * members go singly, so that one bad row harms nobody else's.
 */

/** Enough for a commit's cost to vanish, few enough for a statement of milliseconds. */
const LARGEST_BATCH = 128;

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * @param mayBeRowsFault whether a fault may be one member's own: only then do the others go again, since a lost
 * connection says nothing of what was committed.
 * @param lanes batches under way at once: while one waits for its fsync, the next is on its way.
 */
export function groupCommit<In, Out>(
  together: (items: readonly In[]) => Promise<readonly Out[]>,
  mayBeRowsFault: (fault: unknown) => boolean,
  lanes: number,
): (item: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = [];
  let free = lanes;

  const commit = async (batch: readonly Waiting<In, Out>[]): Promise<void> => {
    try {
      const outs = await together(batch.map(({ item }) => item));
      for (const [at, { resolve, reject }] of batch.entries()) {
        const out = outs[at];
        if (out === undefined) reject(new Error('a batch answered for fewer than it took'));
        else resolve(out);
      }
    } catch (fault) {
      if (batch.length > 1 && mayBeRowsFault(fault)) for (const one of batch) await commit([one]);
      else for (const { reject } of batch) reject(fault);
    }
  };

  const pump = async (): Promise<void> => {
    if (free === 0 || waiting.length === 0) return;
    free -= 1;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, LARGEST_BATCH);
      waiting = waiting.slice(LARGEST_BATCH);
      await commit(batch);
    }
    free += 1;
  };

  return (item) =>
    new Promise<Out>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // Those that arrive in this turn of the loop go together.
      queueMicrotask(() => {
        pump().catch(reject);
      });
    });
}
