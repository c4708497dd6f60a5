/** Chance that a seed replays, and the arguments that the runner hands on. */
import { parseArgs } from 'node:util';

export interface Chance {
  /** From 0 to 1, without 1. */
  next(): number;
  whole(from: number, to: number): number;
  shuffled<T>(items: readonly T[]): T[];
}

/** Mulberry32: 32 bits of state are plenty to order steps with. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    whole: (from, to) => from + Math.floor(next() * (to - from + 1)),
    shuffled: (items) =>
      items
        .map((item) => ({ item, at: next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ item }) => item),
  };
}

/** `--kills N --seed S`, printed so that a run can be had again. */
export function killArguments(kills: number): { readonly kills: number; readonly seed: number } {
  const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
  const given = { kills: Number(values.kills ?? kills), seed: Number(values.seed ?? 1) };
  if (!Number.isInteger(given.kills) || given.kills < 1 || !Number.isInteger(given.seed)) {
    throw new Error('--kills and --seed take whole numbers');
  }
  console.log(`--kills ${given.kills} --seed ${given.seed}`);
  return given;
}
