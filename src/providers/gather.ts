/**
 * Calls of one kind that arrive while others are under way wait, and then go together.
 */

/** One outcome for each item, in order: a member that fails harms no other. */
export type Together<Item, Out> = (items: readonly Item[]) => Promise<readonly PromiseSettledResult<Out>[]>;

interface Waiting<Item, Out> {
  readonly item: Item;
  settle(outcome: PromiseSettledResult<Out>): void;
}

export interface Gathering {
  /** How many go in one call; further ones go in the next. */
  readonly most: number;
  /** How many calls may be under way at once. */
  readonly atOnce: number;
}

export function gather<Item, Out>(
  { most, atOnce }: Gathering,
  together: Together<Item, Out>,
): (item: Item) => Promise<Out> {
  const waiting: Waiting<Item, Out>[] = [];
  let underWay = 0;

  const drain = async (): Promise<void> => {
    underWay += 1;
    while (waiting.length > 0) {
      // A turn of the loop, in which every answer that had come is read: whoever asks because of one joins.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const batch = waiting.splice(0, most);
      // Another call, which waited beside this one, may have taken them all.
      if (batch.length > 0) await runBatch(batch, together);
    }
    underWay -= 1;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({
        item,
        settle: (outcome) =>
          outcome.status === 'fulfilled' ? resolve(outcome.value) : reject(asError(outcome.reason)),
      });
      if (underWay < atOnce) drain().catch(reject);
    });
}

async function runBatch<Item, Out>(batch: readonly Waiting<Item, Out>[], together: Together<Item, Out>): Promise<void> {
  const outcomes = await together(batch.map(({ item }) => item)).catch((reason: unknown) =>
    batch.map((): PromiseSettledResult<Out> => ({ status: 'rejected', reason })),
  );
  const missing: PromiseSettledResult<Out> = {
    status: 'rejected',
    reason: new Error('a batch lost one of its members'),
  };
  for (const [place, { settle }] of batch.entries()) settle(outcomes[place] ?? missing);
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('a batch failed'));

export const fulfilled = <T>(value: T): PromiseSettledResult<T> => ({ status: 'fulfilled', value });
export const rejected = (reason: Error): PromiseRejectedResult => ({ status: 'rejected', reason });
