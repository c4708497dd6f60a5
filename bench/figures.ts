/** What a case gives: one figure a round, and what is said of several. */

/** A figure of the table: the median of its rounds. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly rounds: readonly number[];
}

/** Odd where it can be, so that the median is a round that happened. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('a median of nothing');
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

export const rowOf = (name: string, what: string, unit: string, rounds: readonly number[]): Row => ({
  name,
  what,
  unit,
  value: median(rounds),
  rounds,
});

/** Round by round, since what else the machine did in that minute met both alike. */
export const ratioOf = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((value, round) => value / (under[round] ?? Number.NaN)));

export interface Contender<T> {
  readonly name: string;
  run(): Promise<T>;
}

/** Every contender once a round, each round beginning with another. */
export async function alternate<T>(
  rounds: number,
  contenders: readonly Contender<T>[],
  told: (name: string, round: number) => void,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const { name, run } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      told(name, round);
      results.get(name)?.push(await run());
    }
  }
  return results;
}
